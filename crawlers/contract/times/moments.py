"""Moments: what a time format reads, and why a text that looks like a time is none that can be kept."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

# The years 1 to 9999, in microseconds: what other readers of the tables can represent.
FIRST_MICROSECOND, LAST_MICROSECOND = -62_135_596_800_000_000, 253_402_300_799_999_999

#: Why a text that has the form of a time is none, by the reason under which its record is quarantined.
PROBLEMS = {
    "out_of_range": "a time outside the years 1 to 9999",
    "ambiguous_time": "a local time that the end of summer time repeats",
    "nonexistent_time": "a local time that the begin of summer time leaves out",
    "unknown_zone": "a time zone whose abbreviation stands for no one offset; declare `zone`, or write offsets",
}


@dataclass(frozen=True)
class Moments:
    """What a format reads from texts.

    Attributes:
        micros: microseconds since 1970 in UTC (Int64); null where the text is no such time.
        problem: a key of `PROBLEMS` where the text has the form, but is no time that can be kept (String).
    """

    micros: pl.Series
    problem: pl.Series


def in_utc(micros: pl.Series, problem: pl.Series | None = None) -> Moments:
    """Moments of microseconds that are UTC; those outside the years 1 to 9999 are a problem, `out_of_range`."""
    problem = none_of(len(micros)) if problem is None else problem
    within = micros.is_between(FIRST_MICROSECOND, LAST_MICROSECOND)
    if within.all():
        return Moments(micros, problem)
    problem = pl.select(pl.when(~within).then(pl.lit("out_of_range")).otherwise(problem)).to_series()
    return Moments(pl.select(pl.when(within).then(micros)).to_series(), problem)


def on_the_wall(micros: pl.Series, zone: str | None) -> Moments:
    """Moments of local times, given as microseconds since 1970 by the clock on the wall.

    Args:
        micros: Int64.
        zone: an IANA name; UTC without one.
    """
    moments = in_utc(micros)
    if zone is None:
        return moments
    local = moments.micros.cast(pl.Datetime("us"))
    exact = local.dt.replace_time_zone(zone, ambiguous="null", non_existent="null").dt.timestamp("us")
    problem = moments.problem
    if exact.null_count() > local.null_count():
        either = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").is_null()
        why = pl.when(either).then(pl.lit("nonexistent_time")).otherwise(pl.lit("ambiguous_time"))
        lost = local.is_not_null() & exact.is_null()
        problem = pl.select(pl.when(lost).then(why).otherwise(problem)).to_series()
    return in_utc(exact, problem)


def none_of(count: int) -> pl.Series:
    """As many texts that are null."""
    return pl.repeat(None, count, dtype=pl.String, eager=True)


def nothing(count: int) -> Moments:
    """As many texts that are no times."""
    return Moments(pl.repeat(None, count, dtype=pl.Int64, eager=True), none_of(count))
