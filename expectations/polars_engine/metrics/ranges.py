"""Values between bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from expectations.polars_engine.bundle import Aggregate, Work
from expectations.polars_engine.domain import Column
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.literals import comparable
from expectations.polars_engine.providers import column_aggregate_metric, column_map_metric

BOUNDS = ("min_value", "max_value", "strict_min", "strict_max")


@column_map_metric("column_values.between", keys=BOUNDS)
def between(
    column: Column,
    min_value: Any = None,
    max_value: Any = None,
    *,
    strict_min: bool | None = None,
    strict_max: bool | None = None,
) -> pl.Expr:
    """Expected: within the bounds, either of which may be missing, but not both.

    Text has the order of its code points; text as a bound of moments is read as a moment.
    """
    if min_value is None and max_value is None:
        raise PolarsEngineError(f"{column.metric} on '{column.name}' needs a min_value or a max_value.")
    if min_value is not None and max_value is not None and _above(min_value, max_value):
        raise PolarsEngineError(
            f"{column.metric} on '{column.name}': min_value {min_value!r} is greater than max_value {max_value!r}."
        )
    parts = []
    if min_value is not None:
        left, right = comparable(column.name, column.expr, column.dtype, min_value)
        parts.append(left > right if strict_min else left >= right)
    if max_value is not None:
        left, right = comparable(column.name, column.expr, column.dtype, max_value)
        parts.append(left < right if strict_max else left <= right)
    return pl.all_horizontal(parts)


def _above(low: Any, high: Any) -> bool:
    try:
        return bool(low > high)
    except TypeError:
        raise PolarsEngineError(f"min_value {low!r} and max_value {high!r} must be of one type.") from None


@column_aggregate_metric("column_values.between.count", keys=BOUNDS)
def between_count(column: Column, **bounds: Any) -> Work:
    """How many values lie within the bounds."""
    met = column.present() & between(column, **bounds)
    # GX divides by it, and by nothing at all when there is no value: NumPy's division gives NaN then, Python's raises.
    return Aggregate(column.domain.frame, (met.sum(),), np.int64)
