"""Values that are in a set, or are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from expectations.polars_engine.domain import Column
from expectations.polars_engine.literals import members
from expectations.polars_engine.providers import column_map_metric


def in_set(column: Column, value_set: Sequence[Any]) -> pl.Expr:
    """Whether a value equals one of the set."""
    column.need_scalar()
    found = members(value_set, column.dtype)
    return column.comparable.is_in(found.implode())


@column_map_metric("column_values.in_set", keys=("value_set",))
def expected(column: Column, value_set: Sequence[Any] | None = None) -> pl.Expr:
    """Expected: one of the set; anything, when no set is given."""
    return pl.lit(value=True) if value_set is None else in_set(column, value_set)


@column_map_metric("column_values.not_in_set", keys=("value_set",))
def unexpected(column: Column, value_set: Sequence[Any] | None = None) -> pl.Expr:
    """Expected: none of the set; anything, when no set is given."""
    return pl.lit(value=True) if value_set is None else ~in_set(column, value_set)
