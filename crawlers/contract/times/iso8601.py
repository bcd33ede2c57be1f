"""Times as ISO 8601 and RFC 3339 spell them: `2026-03-01T10:00:00.5+01:00`, and less of it."""

from __future__ import annotations

import polars as pl

from crawlers.contract.times.moments import Moments, in_utc, none_of, on_the_wall
from crawlers.contract.times.registry import TIME_FORMATS

_WITH_ZONE = "%Y-%m-%dT%H:%M:%S%.f%#z"
_MINUTES_WITH_ZONE = "%Y-%m-%dT%H:%M%#z"
_WITHOUT_ZONE = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
# The parser skips spaces before numbers, takes years of any length and lets second 60 pass: none of it is a time here.
_FORM = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-5][0-9](?:\.[0-9]+)?)?(?:[Zz]|[+-][0-9:]+)?)?$"
_ZONE = r"T.*(?:[Zz]|[+-][0-9:]+)$"


class Iso8601:
    """ISO 8601: a date, or a date and a time with or without a zone, with any number of decimals."""

    describes = "ISO 8601: a date, or a date and a time, with or without an offset from UTC."
    example = "2026-03-01T10:00:00Z"

    def read(self, texts: pl.Series, zone: str | None) -> Moments:
        """The moments of texts; RFC 3339 allows a space for the T."""
        normal = texts.str.strip_chars().str.replace(" ", "T", literal=True)
        formed = normal.str.contains(_FORM)
        if not formed.all():
            normal = pl.select(pl.when(formed).then(normal)).to_series()
        zoned = self._zoned(normal, _WITH_ZONE)
        left = normal.is_not_null() & zoned.is_null()
        if not left.any():
            return in_utc(zoned)
        index = left.arg_true()
        return self._without(normal, zoned, index, zone)

    def _without(self, normal: pl.Series, zoned: pl.Series, index: pl.Series, zone: str | None) -> Moments:
        rest = normal.gather(index)
        with_zone = self._zoned(rest, _MINUTES_WITH_ZONE)
        wall = pl.select(pl.coalesce(*(self._naive(rest, pattern) for pattern in _WITHOUT_ZONE))).to_series()
        local = on_the_wall(wall, zone)
        first = in_utc(zoned)
        found = in_utc(pl.select(pl.coalesce(with_zone, local.micros)).to_series(), local.problem)
        return Moments(
            first.micros.scatter(index, found.micros), _spread(first.problem, index, found.problem, len(normal))
        )

    def _zoned(self, texts: pl.Series, pattern: str) -> pl.Series:
        held = pl.select(pl.when(texts.str.contains(_ZONE)).then(texts)).to_series()
        return held.str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False).dt.timestamp("us")

    def _naive(self, texts: pl.Series, pattern: str) -> pl.Series:
        if "%H" in pattern:
            return texts.str.to_datetime(pattern, time_unit="us", strict=False).dt.timestamp("us")
        return texts.str.to_date(pattern, strict=False).cast(pl.Datetime("us")).dt.timestamp("us")


def _spread(problem: pl.Series, index: pl.Series, found: pl.Series, count: int) -> pl.Series:
    if found.null_count() == len(found):
        return problem
    return (none_of(count) if problem.null_count() == count else problem).scatter(index, found)


TIME_FORMATS.register("iso8601", Iso8601())
