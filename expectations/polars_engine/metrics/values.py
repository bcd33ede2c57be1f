"""The distinct values of a column: which they are, which are missing from a set, which are most common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import polars as pl

from expectations.polars_engine.bundle import Query, Work
from expectations.polars_engine.domain import Column
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.literals import member, members
from expectations.polars_engine.metrics.membership import in_set
from expectations.polars_engine.providers import column_aggregate_metric
from expectations.polars_engine.text import as_text

# GX's own bound on lists of distinct values.
MOST_VALUES = 20


def _present(column: Column) -> pl.LazyFrame:
    column.need_scalar()
    return column.domain.frame.filter(column.present()).select(column.comparable.alias("value"))


@column_aggregate_metric("column.distinct_values")
def distinct_values(column: Column) -> Work:
    """The set of values."""
    return Query(_present(column).unique(), lambda found: set(found["value"].to_list()))


def _not_in_set(column: Column, value_set: Sequence[Any]) -> pl.LazyFrame:
    others = column.domain.frame.filter(column.present() & ~in_set(column, value_set))
    return others.select(column.comparable.alias("value")).unique()


@column_aggregate_metric("column.distinct_values.not_in_set.count", keys=("value_set",))
def not_in_set_count(column: Column, value_set: Sequence[Any]) -> Work:
    """How many different values are not in the set."""
    return Query(_not_in_set(column, value_set).select(pl.len()), lambda found: int(found.item()))


@column_aggregate_metric("column.distinct_values.not_in_set", keys=("value_set", "limit"))
def not_in_set(column: Column, value_set: Sequence[Any], limit: int | None = None) -> Work:
    """The first values, in order, that are not in the set."""
    frame = _not_in_set(column, value_set).sort("value").head(limit or MOST_VALUES)
    return Query(frame, _listed)


def _listed(found: pl.DataFrame) -> list[Any]:
    """Values as a result shows them; GX cannot write a duration down."""
    dtype = found.schema["value"]
    shown = found.select(as_text(pl.col("value"), dtype)) if dtype == pl.Duration else found
    return shown["value"].to_list()


def _absent(column: Column, value_set: Sequence[Any]) -> tuple[pl.LazyFrame, list[Any]]:
    """The values of the set that the column has, and those that it cannot have."""
    wanted = members(value_set, column.dtype).unique()
    impossible = [value for value in dict.fromkeys(value_set) if member(value, column.dtype) is None]
    return _present(column).filter(pl.col("value").is_in(wanted.implode())).unique(), impossible


@column_aggregate_metric("column.distinct_values.missing_from_column", keys=("value_set", "limit"))
def missing_from_column(column: Column, value_set: Sequence[Any], limit: int | None = None) -> Work:
    """Values of the set that the column does not have."""
    frame, impossible = _absent(column, value_set)
    wanted = members(value_set, column.dtype).unique(maintain_order=True)

    def finish(found: pl.DataFrame) -> list[Any]:
        absent = wanted.filter(~wanted.is_in(found["value"].implode())).to_list()
        return [*absent, *impossible][: limit or MOST_VALUES]

    return Query(frame, finish)


@column_aggregate_metric("column.distinct_values.missing_from_column.count", keys=("value_set",))
def missing_from_column_count(column: Column, value_set: Sequence[Any]) -> Work:
    """How many values of the set the column does not have."""
    frame, impossible = _absent(column, value_set)
    wanted = members(value_set, column.dtype).n_unique()
    return Query(frame.select(pl.len()), lambda found: wanted - int(found.item()) + len(impossible))


@column_aggregate_metric("column.most_common_value")
def most_common_value(column: Column) -> Work:
    """The most frequent value; all of them, in order, when several are as frequent."""
    counts = _present(column).group_by("value").len("n")
    frame = counts.filter(pl.col("n") == pl.col("n").max()).sort("value")
    return Query(frame, _listed)


@column_aggregate_metric("column.value_counts", keys=("sort", "collate"))
def value_counts(column: Column, sort: str = "value", collate: str | None = None) -> Work:
    """How often each value occurs, as the pandas series that GX's expectations take apart."""
    if collate is not None:
        raise PolarsEngineError(f"{column.metric} on '{column.name}': collate is not supported.")
    if sort not in ("value", "count", "none"):
        raise PolarsEngineError(f"{column.metric} on '{column.name}': sort cannot be {sort!r}; use value, count, none.")
    counts = _present(column).group_by("value").len("count")
    frame = counts.sort("value" if sort == "value" else "count", descending=sort == "count")

    def finish(found: pl.DataFrame) -> pd.Series[int]:
        index = pd.Index(found["value"].to_list(), name="value")
        return pd.Series(found["count"].to_list(), index=index, name="count", dtype="int64")

    return Query(frame, finish)
