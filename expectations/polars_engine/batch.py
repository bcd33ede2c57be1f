"""A batch of data that Great Expectations passes around: a Polars frame that nobody has collected."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
from great_expectations.core.batch import BatchData

from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.handover import as_pandas


class PolarsBatchData(BatchData):  # type: ignore[misc]
    """One batch.

    Args:
        execution_engine: The engine that evaluates it.
        frame: A DataFrame or a LazyFrame; a LazyFrame stays lazy.
    """

    def __init__(self, execution_engine: Any, frame: pl.DataFrame | pl.LazyFrame) -> None:
        super().__init__(execution_engine=execution_engine)
        if not isinstance(frame, pl.DataFrame | pl.LazyFrame):
            raise PolarsEngineError(
                f"A Polars batch needs a polars.DataFrame or polars.LazyFrame, not {type(frame).__name__}; "
                "convert a pandas frame with polars.from_pandas."
            )
        self._frame = frame.lazy()
        self._schema = self._frame.collect_schema()

    @property
    def frame(self) -> pl.LazyFrame:
        """The data, uncollected. Always the same object, so that aggregates of one batch can share a query."""
        return self._frame

    @property
    def schema(self) -> pl.Schema:
        """Column names and types."""
        return self._schema

    def head(self, n_rows: int = 5, fetch_all: bool = False) -> pd.DataFrame:  # noqa: FBT001, FBT002 - GX's own signature
        """The first rows, for people to look at."""
        frame = self._frame if fetch_all else self._frame.head(n_rows)
        return as_pandas(frame.collect(engine="streaming"))
