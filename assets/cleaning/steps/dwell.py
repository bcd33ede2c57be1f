"""Dwell: how long until the next event of the same session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import polars as pl

from assets.cleaning.registry import register_step
from assets.cleaning.step import ACTIVE, FATE, TIES, TIME, ColumnNames, Step, require_columns
from foundation.durations import Duration

DWELL = "dwell_seconds"


@register_step("dwell")
class Dwell(Step):
    """Adds `dwell_seconds` (Float64): the time until the next event; null for the last, where nobody can know.

    Attributes:
        by: the columns that say which events belong together.
        cap: what longer times are cut to.
    """

    example: ClassVar[Mapping[str, Any]] = {"by": "user_id"}

    needs_time: ClassVar[bool] = True

    by: ColumnNames = ("user_id", "session_id")
    cap: Duration = timedelta(minutes=30)

    @property
    def grouping(self) -> tuple[str, ...]:
        """By what belongs together."""
        return self.by

    def derives(self, schema: Mapping[str, pl.DataType]) -> Mapping[str, frozenset[str]]:  # noqa: ARG002
        """From the times of events, in their order, of whom they belong to."""
        return {DWELL: FATE | {*self.by, *TIES}}

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """The columns are there."""
        require_columns(self.by, schema, "by")

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Compare each event with the next."""
        same = pl.all_horizontal((pl.col(name) == pl.col(name).shift(-1)) for name in self.by)
        together = (ACTIVE & ACTIVE.shift(-1) & same).fill_null(value=False)
        micros = (pl.col(TIME).shift(-1) - pl.col(TIME)).dt.total_microseconds()
        seconds = (micros / 1_000_000).clip(upper_bound=self.cap.total_seconds())
        return frame.with_columns(pl.when(together).then(seconds).alias(DWELL))
