"""Sums, means, spreads and extremes of a column."""

from __future__ import annotations

from typing import Any

import polars as pl

from expectations.polars_engine.bundle import Aggregate, Work
from expectations.polars_engine.domain import Column
from expectations.polars_engine.literals import is_text, wide
from expectations.polars_engine.providers import column_aggregate_metric


def _floats(column: Column) -> pl.Expr:
    column.need_number()
    return column.values.cast(pl.Float64)


@column_aggregate_metric("column.mean")
def mean(column: Column) -> Work:
    """The mean of numbers, or of moments."""
    if column.dtype.is_temporal():
        values = column.values.cast(pl.Datetime("us")) if column.dtype == pl.Date else column.values
        return Aggregate(column.domain.frame, (values.mean(),))
    return Aggregate(column.domain.frame, (_floats(column).mean(),))


@column_aggregate_metric("column.standard_deviation")
def standard_deviation(column: Column) -> Work:
    """The sample standard deviation; None below two values."""
    return Aggregate(column.domain.frame, (_floats(column).std(),))


@column_aggregate_metric("column.sum")
def total(column: Column) -> Work:
    """The sum; of no values it is 0."""
    column.need_number()
    return Aggregate(column.domain.frame, (wide(column.values, column.dtype).sum(),), lambda found: found or 0)


def _extreme(column: Column, function: str) -> Work:
    column.need_scalar()
    values = column.values.cast(pl.String) if is_text(column.dtype) else column.values
    if column.dtype == pl.Date:
        # A moment, as pandas gives it: GX then reads the text of a bound as a moment too.
        values = values.cast(pl.Datetime("us"))
    found: pl.Expr = getattr(values, function)()
    return Aggregate(column.domain.frame, (found,))


@column_aggregate_metric("column.min")
def smallest(column: Column) -> Any:
    """The smallest value; of text, the first in the order of code points."""
    return _extreme(column, "min")


@column_aggregate_metric("column.max")
def greatest(column: Column) -> Any:
    """The greatest value; of text, the last in the order of code points."""
    return _extreme(column, "max")


@column_aggregate_metric("column.non_null_count")
def present(column: Column) -> Work:
    """How many values there are."""
    return Aggregate(column.domain.frame, (column.present().sum(),), int)
