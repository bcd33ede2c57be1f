"""Values as text, and tests on text that only Python can make: both on the distinct values of a chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from expectations.polars_engine.literals import is_text


def as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column as text. Everything but text and integers goes by Python's `str`, as in pandas."""
    if dtype == pl.String:
        return column
    if is_text(dtype) or dtype.is_integer() or isinstance(dtype, pl.Decimal):
        return column.cast(pl.String)
    return by_distinct_value(column, str, pl.String())


def by_distinct_value(column: pl.Expr, function: Callable[[Any], Any], dtype: pl.DataType) -> pl.Expr:
    """Apply a Python function to each distinct value of a chunk, and null to null.

    For what has no expression: the function runs once for each distinct value of a chunk and not for each row.
    """

    def apply(chunk: pl.Series) -> pl.Series:
        distinct = chunk.drop_nulls().unique()
        if distinct.is_empty():
            return pl.Series(chunk.name, [None], dtype=dtype).new_from_index(0, len(chunk))
        results = pl.Series("results", [function(value) for value in distinct.to_list()], dtype=dtype)
        table = pl.DataFrame({"value": distinct, "result": results})
        found = chunk.to_frame("value").join(table, on="value", how="left", maintain_order="left")
        return found["result"].alias(chunk.name)

    return column.map_batches(apply, return_dtype=dtype, is_elementwise=True)
