"""Drop: these columns do not go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl

from assets.cleaning.registry import register_step
from assets.cleaning.step import ColumnNames, Step, require_columns


@register_step("drop")
class Drop(Step):
    """The columns to leave out.

    Attributes:
        columns: their names.
    """

    example: ClassVar[Mapping[str, Any]] = {"columns": ["price"]}

    columns: ColumnNames

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """The columns are there."""
        require_columns(self.columns, schema, "columns")

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Leave the columns out."""
        return frame.drop(*self.columns)
