"""Deduplicate: of rows with the same key, one stays."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import model_validator

from assets.cleaning.registry import register_step
from assets.cleaning.step import ACTIVE, FATE, REJECT, REMOVE, TIES, ColumnNames, Step, require_columns

REASON = "duplicate"


@register_step("deduplicate")
class Deduplicate(Step):
    """One row of each key stays, the others are removed. A key with a null in it is no key: its rows all stay.

    Attributes:
        by: the columns of the key. (Not `on`: YAML reads a bare `on` as true. It is understood all the same.)
        keep: which row stays, by event time, then landing day, file and line.
    """

    example: ClassVar[Mapping[str, Any]] = {"by": ["event_id"]}

    flags_rows: ClassVar[bool] = True

    by: ColumnNames
    keep: Literal["first", "last"] = "first"

    @model_validator(mode="before")
    @classmethod
    def _understand_on(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            return {"by" if key in ("on", True) else key: value for key, value in values.items()}
        return values

    @property
    def reasons(self) -> Mapping[str, str]:
        """Only one."""
        return {REASON: f"the same {', '.join(self.by)} as another row"}

    def derives(self, schema: Mapping[str, pl.DataType]) -> Mapping[str, frozenset[str]]:  # noqa: ARG002
        """Which rows are removed comes from the key, and from what says which row is the first."""
        return {REMOVE: FATE | {*self.by, *TIES}}

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """The columns of the key are there."""
        require_columns(self.by, schema, "by")

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Flag all rows of a key but one."""
        # Distinct names: a column may be part of the key and of the ties, and a struct holds each name once.
        key = [pl.col(name).alias(f"key{index}") for index, name in enumerate(self.by)]
        ties = [pl.col(name).alias(f"tie{index}") for index, name in enumerate(TIES)]
        rows = pl.struct(*key, *ties, ACTIVE.alias("active"))
        extra = rows.map_batches(partial(_extra, keep=self.keep), return_dtype=pl.Boolean(), is_elementwise=False)
        return frame.with_columns(
            pl.when(ACTIVE & extra).then(pl.lit(REASON)).otherwise(pl.col(REMOVE)).alias(REMOVE), pl.col(REJECT)
        )


def _extra(rows: pl.Series, *, keep: Literal["first", "last"]) -> pl.Series:
    """Which rows are not the one of their key that stays.

    Duplicates are few: a hash of the key finds the candidates, and only those are compared exactly and sorted.
    """
    frame = rows.struct.unnest()
    key = [name for name in frame.columns if name.startswith("key")]
    ties = [name for name in frame.columns if name.startswith("tie")]
    usable = frame.select(pl.col("active") & pl.all_horizontal(pl.col(key).is_not_null())).to_series()
    hashed = frame.select(pl.struct(key).hash() if len(key) > 1 else pl.col(key[0]).hash()).to_series()
    # A row that takes no part must not make another one a candidate for nothing, but it may: candidates are compared.
    candidates = (hashed.is_duplicated() & usable).arg_true()
    extra = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True)
    if len(candidates) == 0:
        return extra
    few = frame[candidates].with_columns(candidates.alias("row")).sort(ties, descending=keep == "last")
    return extra.scatter(few.filter(~pl.struct(key).is_first_distinct())["row"], values=True)
