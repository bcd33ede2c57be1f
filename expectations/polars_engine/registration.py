"""Telling Great Expectations' registry which function computes which metric on the Polars engine.

GX's own `MapMetricProvider` writes down the metrics that belong to a map metric for three engines that it names;
the same list is written down here for this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from great_expectations.core.metric_function_types import MetricFunctionTypes, MetricPartialFunctionTypes
from great_expectations.expectations import metrics as _core_metrics  # noqa: F401 - importing registers GX's own
from great_expectations.expectations import registry
from great_expectations.expectations.metrics.metric_provider import MetricProvider
from great_expectations.validator.metric_configuration import MetricConfiguration

from expectations.polars_engine.bundle import Aggregate, Work
from expectations.polars_engine.domain import Domain
from expectations.polars_engine.engine import PolarsExecutionEngine
from expectations.polars_engine.samples import Sample, sample_parts
from expectations.polars_engine.unexpected import Unexpected

COLUMN_KEYS = ("batch_id", "table", "column", "row_condition", "condition_parser")
PAIR_KEYS = ("batch_id", "table", "column_A", "column_B", "row_condition", "condition_parser", "ignore_row_if")
LIST_KEYS = ("batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if")
TABLE_KEYS = ("batch_id", "table", "row_condition", "condition_parser")

# Metrics of the same domain that must be known first: their names, or a function from a metric's own arguments to
# their names and arguments.
Requires = tuple[str, ...] | Callable[[Mapping[str, Any]], Mapping[str, Mapping[str, Any]]]
Condition = Callable[[Domain, Mapping[str, Any], dict[str, Any]], Unexpected]
# From a metric's own arguments to what it depends on: under which label, which metric, with which arguments.
_Dependencies = Callable[[Mapping[str, Any]], Mapping[str, tuple[str, Mapping[str, Any]]]]

_CONDITION = MetricPartialFunctionTypes.MAP_CONDITION_FN
_AGGREGATE = MetricPartialFunctionTypes.AGGREGATE_FN
_VALUE = MetricFunctionTypes.VALUE


class Call:
    """GX's arguments to a metric's function, with words for what is asked of them."""

    def __init__(self, **kwargs: Any) -> None:
        self.engine: PolarsExecutionEngine = kwargs["execution_engine"]
        self.domain_kwargs: dict[str, Any] = kwargs["metric_domain_kwargs"]
        self.value_kwargs: dict[str, Any] = kwargs["metric_value_kwargs"] or {}
        self.metrics: dict[str, Any] = kwargs["metrics"]

    @property
    def domain(self) -> Domain:
        """The rows meant."""
        return self.engine.domain(self.domain_kwargs)

    def unexpected(self) -> Unexpected:
        """The plan of the unexpected rows, computed before."""
        found: Unexpected = self.metrics["unexpected_condition"][0]
        return found

    def values(self, keys: tuple[str, ...], requires: Requires) -> dict[str, Any]:
        """The metric's own arguments, and what it requires as `metrics`."""
        values = {key: self.value_kwargs[key] for key in keys if key in self.value_kwargs}
        return values | {"metrics": self.metrics} if requires else values


def register_map(
    name: str,
    domain_keys: tuple[str, ...],
    keys: tuple[str, ...],
    requires: Requires,
    condition: Condition,
    *,
    filtered: bool = False,
) -> None:
    """Register a map metric: its condition, its count and its samples.

    Args:
        name: GX's name of it.
        domain_keys: Arguments that say which rows are meant.
        keys: The metric's own arguments.
        requires: What must be known first.
        condition: Plans the unexpected rows.
        filtered: Whether GX asks how many rows the domain has, as it does for pairs and records.
    """
    sampled = (*keys, "result_format")

    def plan_condition(call: Call) -> Unexpected:
        return condition(call.domain, call.domain_kwargs, call.values(keys, requires))

    def of_condition(values: Mapping[str, Any]) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
        return {"unexpected_condition": (f"{name}.condition", _own(values))}

    def of_count(values: Mapping[str, Any]) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
        return {**of_condition(values), "unexpected_count": (f"{name}.unexpected_count", _own(values))}

    _partial(f"{name}.condition", domain_keys, keys, _required(requires), plan_condition, _CONDITION)
    _planned(f"{name}.unexpected_count", domain_keys, keys, of_condition, lambda call: call.unexpected().count())
    if filtered:
        _planned(f"{name}.filtered_row_count", domain_keys, sampled, of_condition, _row_count)
    # The samples wait for the count, so that an expectation that is met costs nothing more; and they share one query.
    sample = f"{name}.unexpected_sample"
    _planned(sample, domain_keys, sampled, of_count, lambda call: Sample.of(call).work())
    for suffix, part in sample_parts.items():
        _direct(f"{name}.{suffix}", domain_keys, sampled, lambda values: {"sample": (sample, values)}, part)


def register_planned(
    name: str,
    domain_keys: tuple[str, ...],
    keys: tuple[str, ...],
    requires: Requires,
    plan: Callable[[Domain, Mapping[str, Any], dict[str, Any]], Work],
) -> None:
    """Register a metric that plans some work."""

    def function(call: Call) -> Work:
        return plan(call.domain, call.domain_kwargs, call.values(keys, requires))

    _planned(name, domain_keys, keys, _required(requires), function)


def register_direct(
    name: str, function: Callable[..., Any], *, domain_keys: tuple[str, ...], keys: tuple[str, ...] = ()
) -> None:
    """Register a metric that needs no data: `function(**GX's arguments)` is called at once."""
    _register(name, domain_keys, keys, lambda _: {}, function, _VALUE)


def _row_count(call: Call) -> Work:
    domain = call.unexpected().domain
    return Aggregate(domain.frame, (domain.row_count(),), int)


def _own(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in values.items() if key != "result_format"}


def _required(requires: Requires) -> _Dependencies:
    def dependencies(values: Mapping[str, Any]) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
        asked = requires(values) if callable(requires) else {name: {} for name in requires}
        return {name: (name, arguments) for name, arguments in asked.items()}

    return dependencies


def _partial(
    name: str,
    domain_keys: tuple[str, ...],
    keys: tuple[str, ...],
    dependencies: _Dependencies,
    function: Callable[[Call], Any],
    kind: MetricPartialFunctionTypes,
) -> None:
    def provide(**kwargs: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        call = Call(**kwargs)
        return function(call), dict(call.domain_kwargs), {}

    _register(name, domain_keys, keys, dependencies, provide, kind)


def _planned(
    name: str,
    domain_keys: tuple[str, ...],
    keys: tuple[str, ...],
    dependencies: _Dependencies,
    function: Callable[[Call], Work],
) -> None:
    # GX's protocol for deferred work: the plan is a metric of its own, and the result a metric without a function.
    plan = f"{name}.{_AGGREGATE.metric_suffix}"
    _partial(plan, domain_keys, keys, dependencies, function, _AGGREGATE)
    _register(name, domain_keys, keys, lambda values: {"metric_partial_fn": (plan, values)}, None, _AGGREGATE)


def _direct(
    name: str,
    domain_keys: tuple[str, ...],
    keys: tuple[str, ...],
    dependencies: _Dependencies,
    part: Callable[..., Any],
) -> None:
    def provide(**kwargs: Any) -> Any:
        call = Call(**kwargs)
        return part(call.metrics["sample"], call.value_kwargs["result_format"])

    _register(name, domain_keys, keys, dependencies, provide, _VALUE)


def _register(
    name: str,
    domain_keys: tuple[str, ...],
    keys: tuple[str, ...],
    dependencies: _Dependencies,
    function: Callable[..., Any] | None,
    kind: MetricFunctionTypes | MetricPartialFunctionTypes,
) -> None:
    # Another engine may have declared the arguments first; GX warns when the second declaration differs.
    known = registry._registered_metrics.get(name, {})  # noqa: SLF001 - pinned by a characterisation test
    registry.register_metric(
        metric_name=name,
        metric_domain_keys=known.get("metric_domain_keys", domain_keys),
        metric_value_keys=known.get("metric_value_keys", keys),
        execution_engine=PolarsExecutionEngine,
        metric_class=_provider(name, dependencies, known.get("default_kwarg_values", {})),
        metric_provider=function,
        metric_fn_type=kind,
    )


def _provider(name: str, dependencies: _Dependencies, defaults: Mapping[str, Any]) -> Any:
    """A provider class: GX asks it which metrics must be known first."""

    def evaluation_dependencies(_: Any, /, metric: MetricConfiguration, **__: Any) -> dict[str, MetricConfiguration]:
        asked = dependencies(dict(metric.metric_value_kwargs or {}))
        return {
            label: MetricConfiguration(
                metric_name=other, metric_domain_kwargs=metric.metric_domain_kwargs, metric_value_kwargs=dict(arguments)
            )
            for label, (other, arguments) in asked.items()
        }

    title = "".join(part.title() for part in name.replace(".", "_").split("_"))
    members = {
        "_get_evaluation_dependencies": classmethod(evaluation_dependencies),
        "default_kwarg_values": dict(defaults),
    }
    return type(f"Polars{title}", (MetricProvider,), members)
