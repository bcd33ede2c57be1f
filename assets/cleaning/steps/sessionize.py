"""Sessionize: the events of one person without a long pause between them are a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import polars as pl

from assets.cleaning.duration import Duration, parse_duration
from assets.cleaning.registry import register_step
from assets.cleaning.step import ACTIVE, TIME, ColumnNames, Step, require_columns

SESSION = "session_id"
# Fixed, so that a session has the same id whenever and wherever it is computed.
_SEED = 20_240_229


@register_step("sessionize")
class Sessionize(Step):
    """Adds `session_id` (Int64): a hash of who acts and of the time of the session's first event.

    A session ends after a pause, and at midnight (UTC) at the latest, so that its id depends on nothing beyond its
    day. Rows without anyone in `by` have none.

    Attributes:
        by: the columns that say who acts.
        gap: the pause that ends a session; one of exactly this length does not.
    """

    needs_time: ClassVar[bool] = True

    by: ColumnNames = ("user_id",)
    gap: Duration = "30m"

    @property
    def grouping(self) -> tuple[str, ...]:
        """By who acts."""
        return self.by

    @property
    def splits(self) -> frozenset[str]:
        """Sessions of one person do not interleave."""
        return frozenset({SESSION})

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """The columns are there."""
        require_columns(self.by, schema)

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Number the sessions."""
        time, previous = pl.col(TIME), pl.col(TIME).shift(1)
        same = pl.all_horizontal((pl.col(name) == pl.col(name).shift(1)) for name in self.by)
        pause = time - previous > parse_duration(self.gap)
        midnight = time.dt.date() != previous.dt.date()
        begins = ~(same & ~pause & ~midnight & ACTIVE.shift(1)).fill_null(value=False)
        start = pl.when(begins).then(time).forward_fill()
        known = ACTIVE & pl.all_horizontal(pl.col(self.by).is_not_null())
        identity = pl.struct(*(pl.col(name).hash(_SEED) for name in self.by), start.dt.epoch("us").alias("__start"))
        session = identity.hash(_SEED).reinterpret(signed=True)
        return frame.with_columns(pl.when(known).then(session).alias(SESSION))
