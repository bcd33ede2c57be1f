"""An execution engine of Great Expectations that evaluates a suite as one streaming Polars query."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl
from great_expectations.core.batch import BatchMarkers
from great_expectations.core.batch_spec import RuntimeDataBatchSpec
from great_expectations.exceptions import MetricResolutionError
from great_expectations.execution_engine import ExecutionEngine

from expectations.polars_engine.batch import PolarsBatchData
from expectations.polars_engine.bundle import Work, run
from expectations.polars_engine.conditions import row_condition
from expectations.polars_engine.domain import Domain, domain_of
from expectations.polars_engine.errors import PolarsEngineError, plain

logger = logging.getLogger(__name__)


class PolarsExecutionEngine(ExecutionEngine):  # type: ignore[misc]
    """Evaluates expectations on Polars frames.

    Metrics are planned one by one and run together: while GX still has metrics that can be computed at once (the
    plans), everything that needs the data waits; then all of it is collected as one streaming query.

    Attributes:
        longest_index_list: An `unexpected_index_list` holds at most so many rows, whatever the result format asks for:
            with pandas it grows with the data.
    """

    longest_index_list = 10_000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # GX asks three times for what has failed; the answer will not change. Needed before batches are loaded.
        self._failed: dict[Any, MetricResolutionError] = {}
        super().__init__(*args, **kwargs)

    def load_batch_data(self, batch_id: str, batch_data: PolarsBatchData | pl.DataFrame | pl.LazyFrame) -> None:
        """Take a batch in."""
        if not isinstance(batch_data, PolarsBatchData):
            batch_data = PolarsBatchData(self, batch_data)
        # The next batch may bear the same id, as every frame of one asset does.
        self._failed.clear()
        if self._caching:
            self._metric_cache.clear()
        super().load_batch_data(batch_id=batch_id, batch_data=batch_data)

    def get_batch_data_and_markers(self, batch_spec: Any) -> tuple[PolarsBatchData, BatchMarkers]:
        """The batch that a specification describes."""
        if not isinstance(batch_spec, RuntimeDataBatchSpec):
            raise PolarsEngineError(
                f"The Polars engine reads frames, Parquet and Delta assets, not a {type(batch_spec).__name__}; "
                "use an asset of context.data_sources.add_polars(…)."
            )
        data = batch_spec.batch_data
        if not isinstance(data, PolarsBatchData):
            data = PolarsBatchData(self, data)
        # The specification is kept with every result: it must not hold the data.
        batch_spec.batch_data = "PolarsFrame"
        loaded = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        return data, BatchMarkers({"ge_load_time": loaded})

    def batch(self, domain_kwargs: Mapping[str, Any]) -> PolarsBatchData:
        """The batch that domain arguments name, else the active one."""
        batch_id = domain_kwargs.get("batch_id")
        data = (
            self.batch_manager.active_batch_data
            if batch_id is None
            else self.batch_manager.batch_data_cache.get(batch_id)
        )
        if not isinstance(data, PolarsBatchData):
            raise PolarsEngineError(f"No batch {batch_id or ''} is loaded; call load_batch_data first.")
        return data

    def domain(self, domain_kwargs: Mapping[str, Any]) -> Domain:
        """The rows that domain arguments describe."""
        batch = self.batch(domain_kwargs)
        return domain_of(batch.frame, batch.schema, domain_kwargs)

    def get_domain_records(self, domain_kwargs: dict[str, Any]) -> pl.LazyFrame:
        """The rows that domain arguments describe, as a frame."""
        return self.domain(domain_kwargs).rows()

    def get_compute_domain(
        self, domain_kwargs: dict[str, Any], domain_type: Any, accessor_keys: Iterable[str] | None = None
    ) -> tuple[pl.LazyFrame, dict[str, Any], dict[str, Any]]:
        """The rows as a frame, and the domain arguments split as GX wants them."""
        split = self._partition_domain_kwargs(domain_kwargs, domain_type, accessor_keys)
        return self.get_domain_records(domain_kwargs), split.compute, split.accessor

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[Any],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Compute what can be computed without data, or else everything that waits for it, together."""
        wanted = list(metrics_to_resolve)
        if not wanted:
            return metrics or {}
        direct, bundled = self._build_direct_and_bundled_metric_computation_configurations(
            metrics_to_resolve=wanted, metrics=metrics, runtime_configuration=runtime_configuration
        )
        # Whatever waits for data waits until nothing else can be done, so that it is one query.
        if direct:
            return self._attempt(
                {each.metric_configuration: _call(each.metric_fn, each.metric_provider_kwargs) for each in direct}
            )
        plans = {each.metric_configuration: each.metric_fn for each in bundled}
        return self._run_plans(plans)

    def resolve_metric_bundle(self, metric_fn_bundle: Iterable[Any]) -> dict[Any, Any]:
        """Run planned metrics as one query."""
        return self._run_plans({each.metric_configuration: each.metric_fn for each in metric_fn_bundle})

    def _run_plans(self, plans: Mapping[Any, Any]) -> dict[Any, Any]:
        ready = {metric.id: plan for metric, plan in plans.items() if metric.id not in self._failed}
        if ready:
            try:
                return run(ready)
            except Exception:
                logger.debug("The suite's query failed; its metrics are computed one by one.", exc_info=True)
        return self._attempt({metric: _call(_run_one, {"plan": plan}) for metric, plan in plans.items()})

    def _attempt(self, calls: Mapping[Any, Callable[[], Any]]) -> dict[Any, Any]:
        """Make each call; those that succeed count, and a failure is told only when nothing else is left to tell."""
        found: dict[Any, Any] = {}
        for metric, call in calls.items():
            if metric.id in self._failed:
                continue
            try:
                found[metric.id] = call()
            except Exception as error:  # noqa: BLE001 - told under the metric's name below
                self._failed[metric.id] = MetricResolutionError(message=plain(error), failed_metrics=(metric,))
        if not found:
            raise next(self._failed[metric.id] for metric in calls if metric.id in self._failed)
        return found

    def condition_to_filter_clause(self, condition: Any) -> pl.Expr:
        """A row condition as an expression, for the active batch."""
        return row_condition(condition, self.batch({}).schema)

    _comparison_condition_to_filter_clause = condition_to_filter_clause
    _nullity_condition_to_filter_clause = condition_to_filter_clause
    _and_condition_to_filter_clause = condition_to_filter_clause
    _or_condition_to_filter_clause = condition_to_filter_clause


def _run_one(plan: Work) -> Any:
    return run({0: plan})[0]


def _call(function: Callable[..., Any], kwargs: Mapping[str, Any]) -> Callable[[], Any]:
    return lambda: function(**kwargs)
