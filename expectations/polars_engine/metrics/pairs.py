"""Pairs of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from expectations.polars_engine.domain import Column
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.literals import is_number, is_text, member, member_type
from expectations.polars_engine.providers import column_pair_map_metric


def alike(a: Column, b: Column) -> tuple[pl.Expr, pl.Expr]:
    """Two columns in a type in which their values compare.

    Raises:
        PolarsEngineError: No value of one compares with a value of the other.
    """
    if pl.Null in (a.dtype, b.dtype):
        # Nothing compares with the column of nulls.
        left, right = (pl.when(column.expr.is_not_null()).then(statement=True) for column in (a, b))
        return left, right
    if is_text(a.dtype) and is_text(b.dtype):
        return a.expr.cast(pl.String), b.expr.cast(pl.String)
    if a.dtype == b.dtype and (is_number(a.dtype) or a.dtype.is_temporal()):
        return a.expr, b.expr
    if is_number(a.dtype) and is_number(b.dtype):
        whole = all(not (dtype.is_float() or dtype.is_decimal()) for dtype in (a.dtype, b.dtype))
        # Wide enough for every integer type, signed and unsigned.
        common: pl.DataType = pl.Int128() if whole else pl.Float64()
        return a.expr.cast(common), b.expr.cast(common)
    if isinstance(a.dtype, pl.Datetime | pl.Date) and isinstance(b.dtype, pl.Datetime | pl.Date):
        zones = [getattr(column.dtype, "time_zone", None) for column in (a, b)]
        if (zones[0] is None) == (zones[1] is None):
            return a.expr.cast(pl.Datetime("us", zones[0])), b.expr.cast(pl.Datetime("us", zones[1] and zones[0]))
    elif type(a.dtype) is type(b.dtype):
        return a.expr, b.expr
    raise PolarsEngineError(
        f"{a.metric}: '{a.name}' of type {a.dtype} cannot be compared with '{b.name}' of type {b.dtype}; cast one."
    )


@column_pair_map_metric("column_pair_values.equal")
def equal(a: Column, b: Column) -> pl.Expr:
    """Expected: two equal values."""
    left, right = alike(a, b)
    return left == right


@column_pair_map_metric("column_pair_values.a_greater_than_b", keys=("or_equal",))
def greater(a: Column, b: Column, *, or_equal: bool | None = None) -> pl.Expr:
    """Expected: a first value that is greater, or as great if so declared."""
    a.need_scalar()
    b.need_scalar()
    left, right = alike(a, b)
    return left >= right if or_equal else left > right


@column_pair_map_metric("column_pair_values.in_set", keys=("value_pairs_set",))
def pairs_in_set(a: Column, b: Column, value_pairs_set: Sequence[Sequence[Any]] | None = None) -> pl.Expr:
    """Expected: one of the pairs; None stands for a missing value."""
    if value_pairs_set is None:
        return pl.lit(value=True)
    a.need_scalar()
    b.need_scalar()
    sides = {"a": a, "b": b}
    possible = [pair for pair in value_pairs_set if all(map(_can_be, sides.values(), pair))]
    wanted = pl.DataFrame(
        {side: _held([pair[place] for pair in possible], column) for place, (side, column) in enumerate(sides.items())}
    )
    pairs = pl.struct(column.comparable.alias(side) for side, column in sides.items())
    return pairs.is_in(wanted.to_struct("pairs").implode())


def _can_be(column: Column, value: Any) -> bool:
    return value is None or member(value, column.dtype) is not None


def _held(values: Sequence[Any], column: Column) -> pl.Series:
    return pl.Series([member(value, column.dtype) for value in values], dtype=member_type(column.dtype))
