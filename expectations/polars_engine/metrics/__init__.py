"""The metrics that the engine knows: importing this package registers them with Great Expectations."""

from expectations.polars_engine.metrics import (
    derived,
    histogram,
    membership,
    missing,
    moments,
    order,
    outliers,
    pairs,
    parsing,
    quantiles,
    ranges,
    records,
    strings,
    table,
    uniqueness,
    values,
)

__all__ = [
    "derived",
    "histogram",
    "membership",
    "missing",
    "moments",
    "order",
    "outliers",
    "pairs",
    "parsing",
    "quantiles",
    "ranges",
    "records",
    "strings",
    "table",
    "uniqueness",
    "values",
]
