"""Reject bots: whoever acts faster than a person can."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import polars as pl
from pydantic import PositiveInt

from assets.cleaning.registry import register_step
from assets.cleaning.step import ACTIVE, FATE, REJECT, TIME, ColumnNames, Step, flag, require_columns

REASON = "bot"


@register_step("reject_bots")
class RejectBots(Step):
    """All rows of the day of anyone with more events than allowed within any minute (60 seconds, wherever it begins).

    Attributes:
        by: the columns that say who acts; rows with a null there are nobody's and stay.
        max_events_per_minute: how many events a person can make.
    """

    example: ClassVar[Mapping[str, Any]] = {"max_events_per_minute": 2}

    needs_time: ClassVar[bool] = True

    by: ColumnNames = ("user_id",)
    max_events_per_minute: PositiveInt

    @property
    def grouping(self) -> tuple[str, ...]:
        """By who acts."""
        return self.by

    @property
    def reasons(self) -> Mapping[str, str]:
        """Only one."""
        return {REASON: f"more than {self.max_events_per_minute} events within a minute"}

    def derives(self, schema: Mapping[str, pl.DataType]) -> Mapping[str, frozenset[str]]:  # noqa: ARG002
        """Which rows are rejected comes from who acts, and when."""
        return {REJECT: FATE | {*self.by, TIME}}

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """The columns are there."""
        require_columns(self.by, schema, "by")

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Flag the rows of bots."""
        earlier = self.max_events_per_minute
        who = pl.col(self.by[0]) if len(self.by) == 1 else pl.struct(self.by)
        # In a group sorted by time, the event so many places before is less than a minute ago: too many.
        same = pl.all_horizontal((pl.col(name) == pl.col(name).shift(earlier)) for name in self.by)
        hasty = (
            ACTIVE & ACTIVE.shift(earlier) & same & (pl.col(TIME) - pl.col(TIME).shift(earlier) < timedelta(minutes=1))
        )
        bots = who.filter(hasty.fill_null(value=False)).unique().implode()
        known = pl.all_horizontal(pl.col(self.by).is_not_null())
        return frame.with_columns(flag(known & who.is_in(bots), REJECT, REASON))
