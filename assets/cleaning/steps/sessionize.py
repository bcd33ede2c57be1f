"""Sessionize: the events of one person without a long pause between them are a session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np
import polars as pl

from assets.cleaning.errors import StepError
from assets.cleaning.registry import register_step
from assets.cleaning.step import ACTIVE, FATE, TIME, ColumnNames, Step, require_columns
from foundation.durations import Duration
from foundation.stable_hash import combine

SESSION = "session_id"
# Fixed, so that a session has the same id whenever and wherever it is computed.
_SEED = 20_240_229


@register_step("sessionize")
class Sessionize(Step):
    """Adds `session_id` (Int64): the stable hash of who acts and of the time of the session's first event.

    A session ends after a pause, and at midnight (UTC) at the latest, so that its id depends on nothing beyond its
    day. Rows without anyone in `by` have none.

    Attributes:
        by: the columns that say who acts.
        gap: the pause that ends a session; one of exactly this length does not.
    """

    example: ClassVar[Mapping[str, Any]] = {"gap": "10m"}

    needs_time: ClassVar[bool] = True

    by: ColumnNames = ("user_id",)
    gap: Duration = timedelta(minutes=30)

    @property
    def grouping(self) -> tuple[str, ...]:
        """By who acts."""
        return self.by

    @property
    def splits(self) -> frozenset[str]:
        """Sessions of one person do not interleave."""
        return frozenset({SESSION})

    def derives(self, schema: Mapping[str, pl.DataType]) -> Mapping[str, frozenset[str]]:  # noqa: ARG002
        """From who acts, and when."""
        return {SESSION: FATE | {*self.by, TIME}}

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """The columns are there, and their values tell persons apart."""
        require_columns(self.by, schema, "by")
        for name in self.by:
            dtype = schema[name]
            if not (dtype in (pl.String, pl.Boolean) or dtype.is_integer() or dtype.is_temporal()):
                raise StepError(
                    f"column '{name}' is {dtype}, which does not say who acts: a session needs a text, a whole number "
                    "or a time; derive one, such as `cast(… as varchar)`",
                    ["by"],
                )

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Number the sessions."""
        time, previous = pl.col(TIME), pl.col(TIME).shift(1)
        same = pl.all_horizontal((pl.col(name) == pl.col(name).shift(1)) for name in self.by)
        pause = time - previous > self.gap
        midnight = time.dt.date() != previous.dt.date()
        begins = ~(same & ~pause & ~midnight & ACTIVE.shift(1)).fill_null(value=False)
        known = ACTIVE & pl.all_horizontal(pl.col(self.by).is_not_null())
        # Only the first event of a session is hashed: the others take its id.
        who = [pl.col(name).alias(f"who{index}") for index, name in enumerate(self.by)]
        first = pl.struct(*who, time.dt.epoch("us").alias("start"), (begins & known).alias("begins"))
        session = first.map_batches(_ids_of_first_events, return_dtype=pl.Int64(), is_elementwise=True).forward_fill()
        return frame.with_columns(pl.when(known).then(session).alias(SESSION))


def _ids_of_first_events(rows: pl.Series) -> pl.Series:
    """The id of each row's session where the row is the session's first, else null."""
    frame = rows.struct.unnest()
    begins = frame["begins"]
    firsts = frame.filter(begins).drop("begins").with_columns(pl.col(pl.Boolean).cast(pl.Int8))
    ids = np.zeros(frame.height, dtype=np.int64)
    ids[begins.to_numpy()] = combine(firsts.get_columns(), _SEED).view(np.int64)
    return pl.select(pl.when(begins).then(pl.Series(ids)).alias(rows.name)).to_series()
