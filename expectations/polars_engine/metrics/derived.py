"""Metrics that GX itself computes from other metrics, whatever the engine: its own functions serve."""

from __future__ import annotations

from great_expectations.expectations import registry

from expectations.polars_engine.engine import PolarsExecutionEngine

# Each of these looks at the results of other metrics only, and at no data.
FROM_OTHER_METRICS = (
    "column.partition",
    "column.non_null_proportion",
    "column.unique_proportion",
    "column.descriptive_stats",
    "column_values.null.count",
    "column_values.nonnull.count",
    "column_values.match_regex.count",
    "column_values.not_match_regex.count",
)

for _name in FROM_OTHER_METRICS:
    _definition = registry._registered_metrics[_name]  # noqa: SLF001 - pinned by a characterisation test
    _definition["providers"][PolarsExecutionEngine.__name__] = _definition["providers"]["PandasExecutionEngine"]
