"""Several values of one record."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import polars as pl

from expectations.polars_engine.domain import Column
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.literals import wide
from expectations.polars_engine.metrics.pairs import alike
from expectations.polars_engine.providers import multicolumn_map_metric


@multicolumn_map_metric("select_column_values.unique.within_record")
def unique_within_record(columns: Sequence[Column]) -> pl.Expr:
    """Expected: values that all differ; missing values equal each other, and nothing else."""
    return pl.all_horizontal([~_same(a, b) for a, b in combinations(columns, 2)])


@multicolumn_map_metric("multicolumn_values.equal")
def equal(columns: Sequence[Column]) -> pl.Expr:
    """Expected: values that are all equal, or all missing."""
    first, *others = columns
    return pl.all_horizontal([_same(first, other) for other in others])


def _same(a: Column, b: Column) -> pl.Expr:
    both_missing = a.expr.is_null() & b.expr.is_null()
    try:
        left, right = alike(a, b)
    except PolarsEngineError:
        # Values of types that do not compare are never equal.
        return both_missing
    return both_missing | (left == right).fill_null(value=False)


@multicolumn_map_metric("multicolumn_sum.equal", keys=("sum_total",))
def sum_equal(columns: Sequence[Column], sum_total: float) -> pl.Expr:
    """Expected: values that add up; with a missing one they do not."""
    for column in columns:
        column.need_number()
    total = wide(columns[0].expr, columns[0].dtype)
    for column in columns[1:]:
        total = total + wide(column.expr, column.dtype)
    return total.cast(pl.Float64) == float(sum_total)
