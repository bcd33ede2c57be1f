"""Order statistics of a column too long to be held: from two passes over it, exactly.

A random sample of a million values brackets each rank wanted; the second pass counts what lies below the bracket and
holds what lies within, about one value in two hundred. Floyd and Rivest, Expected time bounds for selection, 1975.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import polars as pl

from expectations.polars_engine.unexpected import ROW

# Longer columns are not held as a whole: 256 MB of numbers, and as much again while they are sorted.
VALUES_AT_ONCE = 32_000_000
SAMPLE = 1_000_000
# So far from where a rank is expected in the sample its bracket ends; the first attempt is nearly always enough.
DEVIATIONS = 5
VALUE = "__value"


@dataclass(frozen=True)
class Ranks:
    """The values of a long column by rank; as much of a pandas series as medians and quantiles need.

    Attributes:
        frame: One column, without missing values.
        name: Its name.
        rows: How many values there are.
    """

    frame: pl.LazyFrame
    name: str
    rows: int

    def __len__(self) -> int:
        """How many values there are."""
        return self.rows

    def median(self) -> Any:
        """The middle value, or the mean of the two middle ones."""
        return self.quantile([0.5]).iloc[0]

    def quantile(self, quantiles: Sequence[float], *, interpolation: str = "linear") -> pd.Series[Any]:
        """Quantiles, interpolated as pandas does."""
        places = [(self.rows - 1) * share for share in quantiles]
        wanted = sorted({rank for place in places for rank in (math.floor(place), math.ceil(place))})
        found = dict(zip(wanted, self.at(wanted), strict=True))
        values = []
        for place in places:
            if interpolation == "nearest":
                # Half-way places go to the even rank, as they do in NumPy.
                values.append(found[round(place)])
                continue
            pair = pd.Series([found[math.floor(place)], found[math.ceil(place)]])
            values.append(pair.quantile(place - math.floor(place), interpolation=interpolation))  # type: ignore[call-overload]
        return pd.Series(values, index=list(quantiles))

    def at(self, ranks: Sequence[int]) -> list[Any]:
        """The values at ranks, counted from 0 in ascending order.

        Args:
            ranks: Ascending.
        """
        dtype = self.frame.collect_schema()[self.name]
        frame = self.frame.select(pl.col(self.name).to_physical().alias(VALUE))
        step = max(1, self.rows // SAMPLE)
        # By a hash of the row's number: every so many rows would beat in time with what repeats in the data.
        sampled = frame.with_row_index(ROW).filter(pl.col(ROW).hash(seed=0) % step == 0).select(VALUE)
        sample = sampled.collect(engine="streaming")[VALUE].sort()
        found: dict[int, Any] = {}
        # The rank of a value within a sample has a standard deviation of at most half the root of the sample's length.
        reach = 2 + int(DEVIATIONS * math.sqrt(len(sample)) / 2)
        while missing := [rank for rank in ranks if rank not in found]:
            brackets = [_bracket(sample, round(rank / self.rows * len(sample)), reach) for rank in missing]
            found |= _within(frame, dict(zip(missing, brackets, strict=True)))
            reach *= 4
        return pl.Series([found[rank] for rank in ranks], dtype=sample.dtype).cast(dtype).to_pandas().tolist()


Bracket = tuple[Any | None, Any | None]


def _bracket(sample: pl.Series, place: int, reach: int) -> Bracket:
    low, high = place - reach, place + reach
    return (sample[low] if low >= 0 else None, sample[high] if high < len(sample) else None)


def _within(frame: pl.LazyFrame, brackets: dict[int, Bracket]) -> dict[int, Any]:
    """The values at ranks that lie in their brackets: one pass over the frame for all of them."""
    value = pl.col(VALUE)
    queries = []
    for low, high in brackets.values():
        above = pl.lit(value=True) if low is None else value > low
        under = pl.lit(value=True) if high is None else value < high
        counts = [
            (pl.lit(0) if low is None else (value < low).sum()).alias("below"),
            (pl.lit(0) if low is None else (value == low).sum()).alias("low"),
            (pl.lit(0) if high is None or high == low else (value == high).sum()).alias("high"),
        ]
        queries += [frame.select(counts), frame.filter(above & under)]
    collected = pl.collect_all(queries, engine="streaming")
    found = {}
    for number, (rank, (low, high)) in enumerate(brackets.items()):
        below, at_low, at_high = collected[2 * number].row(0)
        inside = collected[2 * number + 1][VALUE].sort()
        place = rank - below
        if 0 <= place < at_low:
            found[rank] = low
        elif 0 <= place - at_low < len(inside):
            found[rank] = inside[place - at_low]
        elif 0 <= place - at_low - len(inside) < at_high:
            found[rank] = high
    return found
