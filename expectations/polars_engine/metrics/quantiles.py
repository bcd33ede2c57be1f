"""Medians and quantiles: of a whole column at a time, computed as pandas does, so that they agree to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import polars as pl

from expectations.polars_engine import ranks
from expectations.polars_engine.bundle import Procedure, Work
from expectations.polars_engine.domain import Column
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.providers import column_aggregate_metric
from expectations.polars_engine.ranks import Ranks

INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def whole_column(column: Column, finish: Callable[[Any], Any]) -> Work:
    """Something of a column's values by rank; those who ask for the same column share it.

    Args:
        column: The column.
        finish: It is given a pandas series, or `Ranks` when that would be too long.
    """
    mask = column.domain.mask
    identity = ("values", id(column.domain.frame), column.name, None if mask is None else mask.meta.serialize())

    def fetch() -> pd.Series[Any] | Ranks:
        frame = column.domain.frame.filter(column.present()).select(_plain(column).alias(column.name))
        rows = int(frame.select(pl.len()).collect(engine="streaming").item())
        if rows > ranks.VALUES_AT_ONCE:
            return Ranks(frame, column.name, rows)
        return frame.collect(engine="streaming")[column.name].to_pandas()

    return Procedure(identity, fetch, finish)


def _plain(column: Column) -> pl.Expr:
    if column.dtype.is_decimal() or column.dtype in (pl.Int128, pl.UInt128, pl.Null):
        return column.expr.cast(pl.Float64)
    if column.dtype == pl.Date:
        return column.expr.cast(pl.Datetime("us"))
    return column.expr


def _scalar(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


@column_aggregate_metric("column.median")
def median(column: Column) -> Work:
    """The middle value, or the mean of the two middle ones."""
    column.need_number_or_time()
    return whole_column(column, lambda values: None if not len(values) else _scalar(values.median()))


@column_aggregate_metric("column.quantile_values", keys=("quantiles", "allow_relative_error"))
def quantile_values(
    column: Column, quantiles: Sequence[float], *, allow_relative_error: bool | str | None = None
) -> Work:
    """The quantiles; `allow_relative_error` is, as for pandas, how to interpolate (`nearest` when false)."""
    column.need_number_or_time()
    interpolation = allow_relative_error or "nearest"
    if interpolation not in INTERPOLATIONS:
        raise PolarsEngineError(
            f"{column.metric} on '{column.name}': allow_relative_error cannot be {interpolation!r}; "
            f"it is how to interpolate, one of {', '.join(INTERPOLATIONS)}."
        )

    def finish(values: pd.Series[Any]) -> list[Any]:
        found = values.quantile(list(quantiles), interpolation=interpolation).tolist()  # type: ignore[call-overload]
        return [_scalar(value) for value in found]

    return whole_column(column, finish)
