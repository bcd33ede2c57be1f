"""Values far from the others: by z-score, by quartiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl
from great_expectations.expectations.metrics.column_aggregate_metrics.column_outlier_statistics import (
    IQR_METHOD,
    OutlierStatistics,
    validate_method,
)

from expectations.polars_engine.bundle import Aggregate, Work
from expectations.polars_engine.domain import Column
from expectations.polars_engine.metrics.quantiles import whole_column
from expectations.polars_engine.providers import column_aggregate_metric, column_map_metric


@column_map_metric(
    "column_values.z_score.under_threshold",
    keys=("threshold", "double_sided"),
    requires=("column.mean", "column.standard_deviation"),
)
def z_score(column: Column, metrics: Mapping[str, Any], threshold: float, *, double_sided: bool = True) -> pl.Expr:
    """Expected: fewer standard deviations from the mean than the threshold. Without a spread, anything."""
    column.need_number()
    mean: float | None = metrics["column.mean"]
    spread: float | None = metrics["column.standard_deviation"]
    # Infinite values have no finite spread.
    if mean is None or not spread or not math.isfinite(spread):
        return pl.lit(value=True)
    score = (column.expr.cast(pl.Float64) - mean) / spread
    return score.abs() < abs(threshold) if double_sided else score < threshold


@column_aggregate_metric("column.outlier_statistics", keys=("method",))
def outlier_statistics(column: Column, method: str = IQR_METHOD) -> Work:
    """The quartiles and their distance, or the mean and the standard deviation."""
    validate_method(method)
    column.need_number()
    values = column.values.cast(pl.Float64)
    if method != IQR_METHOD:
        return Aggregate(column.domain.frame, (values.mean(), values.std()), _symmetric)
    return whole_column(column, _quartiles)


def _symmetric(mean: float | None, spread: float | None) -> OutlierStatistics:
    return OutlierStatistics.symmetric(center=_known(mean), spread=_known(spread))


def _quartiles(values: Any) -> OutlierStatistics:
    if not len(values):
        return OutlierStatistics(None, None, None)
    low, high = (float(value) for value in values.quantile([0.25, 0.75]))
    return OutlierStatistics(_known(low), _known(high), _known(high - low))


def _known(number: float | None) -> float | None:
    return None if number is None or math.isnan(number) else number


@column_map_metric(
    "column_values.not_outliers",
    keys=("method", "multiplier"),
    requires=lambda values: {"column.outlier_statistics": {"method": values.get("method", IQR_METHOD)}},
)
def not_outliers(
    column: Column, metrics: Mapping[str, Any], method: str = IQR_METHOD, multiplier: float = 1.5
) -> pl.Expr:
    """Expected: within the quartiles, widened, or near the mean. Without a spread to go by, anything."""
    column.need_number()
    low: float | None
    high: float | None
    spread: float | None
    low, high, spread = metrics["column.outlier_statistics"]
    if low is None or high is None or spread is None:
        return pl.lit(value=True)
    values, reach = column.expr.cast(pl.Float64), multiplier * spread
    if method == IQR_METHOD:
        return (values >= low - reach) & (values <= high + reach)
    return values == low if reach <= 0 else (values - low).abs() < reach
