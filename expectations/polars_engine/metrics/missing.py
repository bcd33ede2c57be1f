"""Values that are missing: null, and NaN as well."""

from __future__ import annotations

import polars as pl

from expectations.polars_engine.domain import Column
from expectations.polars_engine.providers import column_map_metric


@column_map_metric("column_values.nonnull", ignore_missing=False)
def present(column: Column) -> pl.Expr:
    """Expected: a value."""
    return column.expr.is_not_null()


@column_map_metric("column_values.null", ignore_missing=False)
def missing(column: Column) -> pl.Expr:
    """Expected: no value."""
    return column.expr.is_null()
