"""What is missing: null, and NaN as well, as pandas and so GX have it."""

from __future__ import annotations

import polars as pl


def without_nan(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column in which NaN has become null."""
    return column.fill_nan(None) if dtype.is_float() else column
