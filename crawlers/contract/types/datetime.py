"""Moments, to the microsecond, in UTC."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from crawlers.contract.names import TIMESTAMP
from crawlers.contract.times import PROBLEMS, Moments, check_format, check_zone, time_format
from crawlers.contract.types.registry import COLUMN_TYPES, ColumnType, Fault, Kind, Typed
from foundation.located import LocatedError

if TYPE_CHECKING:
    from crawlers.contract.column import Column


class DatetimeType(ColumnType):
    """Moments in UTC; a time that names no zone is in the column's `zone`, UTC by default."""

    describes = "A moment in UTC, to the microsecond, spelled as one of `formats`."
    example = "2026-03-01T10:00:00Z"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"string", "whole", "number"})
    options = frozenset({"formats", "zone", "minimum", "maximum"})
    noun = "a datetime"

    def dtype(self, column: Column) -> pl.DataType:
        """Microseconds in UTC."""
        del column
        return TIMESTAMP

    def read(self, texts: pl.Series, column: Column) -> Typed:
        """The moments that the first format reads that reads any."""
        moments, faults = read_moments(texts, column, self.noun)
        return Typed(moments.micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias(texts.name), faults)

    def bound(self, value: float | str) -> dt.datetime:
        """A time as ISO 8601 has it, in UTC without an offset."""
        moment = iso_bound(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)

    def check(self, column: Column) -> None:
        """Formats must be readable, and the zone must be one."""
        check_formats(column)
        if column.zone is not None:
            try:
                check_zone(column.zone)
            except LocatedError as error:
                raise error.within("zone") from None


def read_moments(texts: pl.Series, column: Column, noun: str) -> tuple[Moments, list[Fault]]:
    """Try the formats of a column in order, each only on the texts that the earlier ones could not read."""
    first, *others = (time_format(spelling) for spelling in column.spelled)
    moments = first.read(texts, column.zone)
    for form in others:
        left = texts.is_not_null() & moments.micros.is_null()
        if not left.any():
            break
        index = left.arg_true()
        found = form.read(texts.gather(index), column.zone)
        # What an earlier format found wrong stands unless a later one reads the text.
        kept = pl.when(found.micros.is_null()).then(pl.coalesce(moments.problem.gather(index), found.problem))
        problem = moments.problem.scatter(index, pl.select(kept).to_series())
        moments = Moments(moments.micros.scatter(index, found.micros), problem)
    return moments, _faults(texts, moments, f"not {noun} spelled {' or '.join(column.spelled)}")


def _faults(texts: pl.Series, moments: Moments, otherwise: str) -> list[Fault]:
    lost = texts.is_not_null() & moments.micros.is_null()
    if not lost.any():
        return []
    faults = []
    for problem, detail in PROBLEMS.items():
        rows = lost & (moments.problem == problem).fill_null(value=False)
        if rows.any():
            faults.append(Fault(rows, problem, detail))
    unread = lost & moments.problem.is_null()
    return [*faults, Fault(unread, "wrong_type", otherwise)] if unread.any() else faults


def iso_bound(value: float | str) -> dt.datetime:
    """A declared bound as a time.

    Raises:
        LocatedError: it is none.
    """
    try:
        return dt.datetime.fromisoformat(str(value))
    except ValueError:
        raise LocatedError(f"bound '{value}' is not a time as ISO 8601 spells it, such as 2017-11-01") from None


def check_formats(column: Column) -> None:
    """Refuse formats that cannot be read.

    Raises:
        LocatedError: with the place in `formats`.
    """
    for place, spelling in enumerate(column.formats):
        try:
            check_format(spelling)
        except LocatedError as error:
            raise error.within("formats", place) from None


COLUMN_TYPES.register("datetime", DatetimeType())
