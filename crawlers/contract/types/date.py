"""Days of the calendar."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from crawlers.contract.types.datetime import check_formats, iso_bound, read_moments
from crawlers.contract.types.registry import COLUMN_TYPES, ColumnType, Kind, Typed

if TYPE_CHECKING:
    from crawlers.contract.column import Column


class DateType(ColumnType):
    """Days; of a time with an offset the day in UTC."""

    describes = "A day, spelled as one of `formats`; of a time with an offset, the day in UTC."
    example = "2026-03-01"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"string", "whole", "number"})
    options = frozenset({"formats", "minimum", "maximum"})
    noun = "a date"

    def dtype(self, column: Column) -> pl.DataType:
        """Date."""
        del column
        return pl.Date()

    def read(self, texts: pl.Series, column: Column) -> Typed:
        """The days of the moments that the formats read."""
        moments, faults = read_moments(texts, column, self.noun)
        return Typed(moments.micros.cast(pl.Datetime("us")).dt.date().alias(texts.name), faults)

    def bound(self, value: float | str) -> dt.date:
        """A day as ISO 8601 has it."""
        return iso_bound(value).date()

    def check(self, column: Column) -> None:
        """Formats must be readable."""
        check_formats(column)


COLUMN_TYPES.register("date", DateType())
