"""What the Polars engine takes for granted about Great Expectations, and Great Expectations promises nobody.

When a new version breaks one of these, the test's name says what to look at; expectations/README.md says how to go on.
"""

from __future__ import annotations

import datetime as dt
import inspect
import warnings
from importlib.metadata import version

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations
    from great_expectations.constants import MAX_RESULT_RECORDS
    from great_expectations.core import metric_function_types
    from great_expectations.core.validation_definition import ValidationDefinition
    from great_expectations.datasource.fluent import constants, interfaces
    from great_expectations.datasource.fluent.config_str import ConfigStr
    from great_expectations.execution_engine import ExecutionEngine, PandasExecutionEngine
    from great_expectations.expectations import core, metrics, registry
    from great_expectations.expectations.metrics.metric_provider import MetricProvider
    from great_expectations.validator import validation_graph

    import expectations.polars_engine  # noqa: F401
    from expectations.polars_engine import PolarsExecutionEngine
    from expectations.polars_engine.metrics import derived, values
    from expectations.polars_engine.samples import MOST_VALUES, sample_parts


def test_the_version_is_the_pinned_one():
    assert version("great-expectations") == great_expectations.__version__ == "1.24.1"


def test_the_registry_keeps_definitions_with_providers_by_the_engine_s_class_name():
    definition = registry._registered_metrics["column_values.between.condition"]
    assert set(definition) == {"metric_domain_keys", "metric_value_keys", "default_kwarg_values", "providers"}
    assert {"PandasExecutionEngine", "PolarsExecutionEngine"} <= set(definition["providers"])
    assert registry.get_metric_provider("column.mean", PolarsExecutionEngine())[1] is None


def test_a_class_asked_for_a_metric_is_asked_for_its_dependencies():
    assert "_get_evaluation_dependencies" in vars(MetricProvider)
    arguments = inspect.signature(MetricProvider.get_evaluation_dependencies).parameters
    assert list(arguments) == ["metric", "configuration", "execution_engine", "runtime_configuration"]


def test_deferred_work_is_a_metric_without_a_function_and_a_plan_beside_it():
    assert metric_function_types.MetricPartialFunctionTypes.AGGREGATE_FN.metric_suffix == "aggregate_fn"
    assert metric_function_types.MetricPartialFunctionTypes.MAP_CONDITION_FN.metric_suffix == "condition"
    source = inspect.getsource(ExecutionEngine._build_direct_and_bundled_metric_computation_configurations)
    assert 'resolved_metric_dependencies_by_metric_name.pop("metric_partial_fn")' in source


def test_samples_have_gx_s_names():
    known = {each.value for each in metric_function_types.SummarizationMetricNameSuffixes}
    assert known == {*sample_parts, "unexpected_count", "filtered_row_count"}


def test_lists_are_bounded_as_in_every_engine():
    assert MOST_VALUES == MAX_RESULT_RECORDS == 200
    from great_expectations.expectations.metrics.column_aggregate_metrics import column_distinct_values_not_in_set

    assert column_distinct_values_not_in_set.MAX_DISTINCT_VALUES == values.MOST_VALUES


@pytest.mark.parametrize(
    "name",
    [
        "_partition_domain_kwargs",
        "_build_direct_and_bundled_metric_computation_configurations",
        "_comparison_condition_to_filter_clause",
        "_nullity_condition_to_filter_clause",
        "_and_condition_to_filter_clause",
        "_or_condition_to_filter_clause",
    ],
)
def test_the_engine_s_base_class_has(name):
    assert callable(getattr(ExecutionEngine, name))


def test_the_engine_s_abstract_methods_are_all_there():
    assert not inspect.isabstract(PolarsExecutionEngine)
    assert isinstance(PolarsExecutionEngine()._metric_cache, dict)


def test_gx_asks_three_times_for_what_has_failed():
    assert validation_graph.MAX_METRIC_COMPUTATION_RETRIES == 3
    # What a round does not return is asked for again, which is how the data wait until the plans are made.
    assert "metrics.update(" in inspect.getsource(validation_graph.ValidationGraph._resolve)


@pytest.mark.parametrize(
    "kind",
    [
        core.ExpectColumnValuesToBeOfType,
        core.ExpectColumnValuesToBeInTypeList,
        core.ExpectColumnTypeToBe,
        core.ExpectColumnQuantileValuesToBeBetween,
        core.ExpectColumnMinToBeBetween,
        core.ExpectColumnMaxToBeBetween,
        core.ExpectColumnMeanToBeBetween,
        core.ExpectColumnMedianToBeBetween,
    ],
)
def test_an_expectation_judges_its_metrics_in_validate(kind):
    original = inspect.unwrap(kind._validate)
    assert original is not kind._validate
    arguments = ["self", "metrics", "runtime_configuration", "execution_engine"]
    assert list(inspect.signature(original).parameters) == arguments


def test_bounds_are_still_compared_with_observed_moments_as_they_are():
    # When days and zones are taken care of, expectations/polars_engine/bounds.py can go.
    expectation = core.ExpectColumnMinToBeBetween(column="day", min_value="2020-01-02")
    with pytest.raises(TypeError, match=r"can't compare datetime\.datetime to datetime\.date"):
        expectation._validate({"column.min": dt.datetime(2020, 1, 3)}, {}, None)  # noqa: DTZ001 - a column without a zone


def test_the_quantile_expectation_still_answers_with_a_numpy_boolean():
    # When it no longer does, expectations/polars_engine/stored.py can go.
    source = inspect.getsource(inspect.unwrap(core.ExpectColumnQuantileValuesToBeBetween._validate))
    assert '"success": np.all(success_details)' in source


def test_assets_and_data_sources_have():
    assert constants._DATA_CONNECTOR_NAME == "fluent"
    assert callable(interfaces.DataAsset._get_batch_metadata_from_batch_request)
    assert callable(interfaces.Datasource._add_asset)
    assert "execution_engine_type" in vars(interfaces.Datasource)
    # Where the variables come from that storage options may name.
    assert isinstance(interfaces.Datasource._config_provider, property)
    assert list(inspect.signature(ConfigStr.get_config_value).parameters) == ["self", "config_provider"]


def test_only_the_parameter_named_dataframe_is_left_out_of_what_is_written_down():
    assert '"dataframe" in batch_parameters_copy' in inspect.getsource(ValidationDefinition.run)
    assert '"dataframe"' in inspect.getsource(interfaces.Batch._create_id)


@pytest.mark.parametrize("name", derived.FROM_OTHER_METRICS)
def test_metrics_borrowed_from_pandas_look_at_no_data(name):
    _, function = registry.get_metric_provider(name, PandasExecutionEngine())
    source = inspect.getsource(inspect.unwrap(function))
    assert "get_compute_domain" not in source
    assert "get_domain_records" not in source


def test_every_metric_of_pandas_has_a_counterpart():
    ours = {name for name, each in registry._registered_metrics.items() if "PolarsExecutionEngine" in each["providers"]}
    theirs = {
        name for name, each in registry._registered_metrics.items() if "PandasExecutionEngine" in each["providers"]
    }
    assert metrics
    # Intermediate series, which expressions need not; and tests that no expectation of GX asks for.
    needless = {name for name in theirs if name.endswith(".map")} | {
        "column.bootstrapped_ks_test_p_value",
        "column.parameterized_distribution_ks_test_p_value",
        "column.distinct_values.count.under_threshold",
        "column_values.of_type",
        "column_values.in_type_list",
    }
    missing = {name for name in theirs - ours if not name.startswith(tuple(needless))}
    assert not missing
