"""Every core expectation of Great Expectations: met and not met on a frame, or refused by name with the reason."""

from __future__ import annotations

import datetime as dt
import inspect
import warnings

import polars as pl
import pytest

from expectations.declaration import GateError, parse_gate
from expectations.generate_catalogue import UNSUPPORTED

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from great_expectations.exceptions import ExpectationNotFoundError
    from great_expectations.expectations import core
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    import expectations.polars_engine  # noqa: F401


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

FRAME = pl.DataFrame(
    {
        "id": [1, 2, 3, 4, 5],
        "n": [2, 2, 3, 4, 50],
        "same": [2, 2, 3, 4, 50],
        "gap": [1, None, 3, None, 5],
        "void": pl.Series([None] * 5, dtype=pl.Int64),
        "s": ["a", "b", "ab", "b", "abc"],
        "day": ["2020-01-31", "2020-02-01", "2020-02-02", "2020-02-03", "2020-02-04"],
        "json": ['{"a": 1}', '{"a": 2}', '{"a": 3}', '{"a": 4}', '{"a": 5}'],
        "t": [dt.datetime(2020, 1, day, tzinfo=dt.UTC) for day in range(1, 6)],
    }
)
QUANTILES = {"quantiles": [0.0, 0.5, 1.0], "value_ranges": [[1, 2], [3, 3], [50, 50]]}
OFF = {"quantiles": [0.5], "value_ranges": [[40, 50]]}
PARTITION = {"values": ["a", "b", "ab", "abc"], "weights": [0.2, 0.4, 0.2, 0.2]}
COLUMNS = FRAME.columns
# What is met, and what is not: the difference is in the arguments.
EXAMPLES = {
    "expect_column_to_exist": ({"column": "n"}, {"column": "none"}),
    "expect_column_type_to_be": ({"column": "n", "type_": "Int64"}, {"column": "n", "type_": "String"}),
    "expect_column_values_to_be_of_type": ({"column": "n", "type_": "int"}, {"column": "n", "type_": "str"}),
    "expect_column_values_to_be_in_type_list": (
        {"column": "s", "type_list": ["Int64", "String"]},
        {"column": "s", "type_list": ["Int64"]},
    ),
    "expect_table_columns_to_match_ordered_list": ({"column_list": COLUMNS}, {"column_list": COLUMNS[::-1]}),
    "expect_table_columns_to_match_set": ({"column_set": COLUMNS[::-1]}, {"column_set": COLUMNS[1:]}),
    "expect_table_column_count_to_be_between": ({"min_value": 9, "max_value": 9}, {"max_value": 8}),
    "expect_table_column_count_to_equal": ({"value": 9}, {"value": 8}),
    "expect_table_row_count_to_be_between": ({"min_value": 5}, {"min_value": 6}),
    "expect_table_row_count_to_equal": ({"value": 5}, {"value": 4}),
    "expect_column_values_to_not_be_null": ({"column": "n"}, {"column": "gap"}),
    "expect_column_values_to_be_null": ({"column": "void"}, {"column": "gap"}),
    "expect_column_proportion_of_non_null_values_to_be_between": (
        {"column": "gap", "min_value": 0.6, "max_value": 0.6},
        {"column": "gap", "min_value": 0.7},
    ),
    "expect_column_values_to_be_unique": ({"column": "id"}, {"column": "n"}),
    "expect_column_unique_value_count_to_be_between": (
        {"column": "n", "min_value": 4, "max_value": 4},
        {"column": "n", "max_value": 3},
    ),
    "expect_column_proportion_of_unique_values_to_be_between": (
        {"column": "n", "min_value": 0.8, "max_value": 0.8},
        {"column": "n", "min_value": 0.9},
    ),
    "expect_compound_columns_to_be_unique": ({"column_list": ["id", "n"]}, {"column_list": ["n", "same"]}),
    "expect_select_column_values_to_be_unique_within_record": (
        {"column_list": ["id", "day"]},
        {"column_list": ["n", "same"]},
    ),
    "expect_column_values_to_be_in_set": (
        {"column": "s", "value_set": ["a", "b", "ab", "abc"]},
        {"column": "s", "value_set": ["a", "b"]},
    ),
    "expect_column_values_to_not_be_in_set": (
        {"column": "s", "value_set": ["z"]},
        {"column": "s", "value_set": ["b"]},
    ),
    "expect_column_distinct_values_to_be_in_set": (
        {"column": "n", "value_set": [2, 3, 4, 50, 60]},
        {"column": "n", "value_set": [2, 3, 4]},
    ),
    "expect_column_distinct_values_to_contain_set": (
        {"column": "n", "value_set": [2, 50]},
        {"column": "n", "value_set": [2, 60]},
    ),
    "expect_column_distinct_values_to_equal_set": (
        {"column": "n", "value_set": [2, 3, 4, 50]},
        {"column": "n", "value_set": [2, 3, 4, 50, 60]},
    ),
    "expect_column_most_common_value_to_be_in_set": (
        {"column": "s", "value_set": ["b"]},
        {"column": "s", "value_set": ["a"]},
    ),
    "expect_column_values_to_be_between": (
        {"column": "n", "min_value": 2, "max_value": 50},
        {"column": "n", "min_value": 2, "strict_min": True},
    ),
    "expect_column_min_to_be_between": (
        {"column": "t", "min_value": "2020-01-01", "max_value": "2020-01-01"},
        {"column": "t", "min_value": "2020-01-02"},
    ),
    "expect_column_max_to_be_between": ({"column": "n", "min_value": 50}, {"column": "n", "max_value": 49}),
    "expect_column_mean_to_be_between": (
        {"column": "n", "min_value": 12.2, "max_value": 12.2},
        {"column": "n", "min_value": 13},
    ),
    "expect_column_median_to_be_between": (
        {"column": "n", "min_value": 3, "max_value": 3},
        {"column": "n", "min_value": 4},
    ),
    "expect_column_stdev_to_be_between": (
        {"column": "id", "min_value": 1.58, "max_value": 1.59},
        {"column": "id", "min_value": 2},
    ),
    "expect_column_sum_to_be_between": (
        {"column": "n", "min_value": 61, "max_value": 61},
        {"column": "n", "min_value": 62},
    ),
    "expect_column_quantile_values_to_be_between": (
        {"column": "n", "quantile_ranges": QUANTILES},
        {"column": "n", "quantile_ranges": OFF},
    ),
    "expect_column_kl_divergence_to_be_less_than": (
        {"column": "s", "partition_object": PARTITION, "threshold": 0.01},
        {
            "column": "s",
            "partition_object": {**PARTITION, "weights": [0.7, 0.1, 0.1, 0.1]},
            "threshold": 0.01,
        },
    ),
    "expect_column_value_z_scores_to_be_less_than": (
        {"column": "n", "threshold": 2, "double_sided": True},
        {"column": "n", "threshold": 1.5, "double_sided": True},
    ),
    "expect_column_values_to_not_be_outliers": (
        {"column": "id", "method": "iqr", "multiplier": 1.5},
        {"column": "n", "method": "iqr", "multiplier": 1.5},
    ),
    "expect_column_values_to_be_increasing": (
        {"column": "n"},
        {"column": "n", "strictly": True},
    ),
    "expect_column_values_to_be_decreasing": ({"column": "void"}, {"column": "id"}),
    "expect_column_value_lengths_to_equal": ({"column": "day", "value": 10}, {"column": "s", "value": 1}),
    "expect_column_value_lengths_to_be_between": (
        {"column": "s", "min_value": 1, "max_value": 3},
        {"column": "s", "max_value": 2},
    ),
    "expect_column_values_to_match_regex": ({"column": "s", "regex": "^[abc]+$"}, {"column": "s", "regex": "^a"}),
    "expect_column_values_to_not_match_regex": ({"column": "s", "regex": "z"}, {"column": "s", "regex": "c"}),
    "expect_column_values_to_match_regex_list": (
        {"column": "s", "regex_list": ["^a", "^b"]},
        {"column": "s", "regex_list": ["^a", "b"], "match_on": "all"},
    ),
    "expect_column_values_to_not_match_regex_list": (
        {"column": "s", "regex_list": ["z", "y"]},
        {"column": "s", "regex_list": ["z", "c"]},
    ),
    "expect_column_values_to_match_like_pattern": (
        {"column": "day", "like_pattern": "2020-__-%"},
        {"column": "s", "like_pattern": "a%"},
    ),
    "expect_column_values_to_not_match_like_pattern": (
        {"column": "s", "like_pattern": "z%"},
        {"column": "s", "like_pattern": "a%"},
    ),
    "expect_column_values_to_match_like_pattern_list": (
        {"column": "s", "like_pattern_list": ["a%", "b%"]},
        {"column": "s", "like_pattern_list": ["a%", "b%"], "match_on": "all"},
    ),
    "expect_column_values_to_not_match_like_pattern_list": (
        {"column": "s", "like_pattern_list": ["z%", "y%"]},
        {"column": "s", "like_pattern_list": ["z%", "a%"]},
    ),
    "expect_column_values_to_match_strftime_format": (
        {"column": "day", "strftime_format": "%Y-%m-%d"},
        {"column": "day", "strftime_format": "%Y-%d-%m"},
    ),
    "expect_column_values_to_be_dateutil_parseable": ({"column": "day"}, {"column": "json"}),
    "expect_column_values_to_be_json_parseable": ({"column": "json"}, {"column": "s"}),
    "expect_column_values_to_match_json_schema": (
        {"column": "json", "json_schema": {"properties": {"a": {"maximum": 5}}}},
        {"column": "json", "json_schema": {"properties": {"a": {"maximum": 4}}}},
    ),
    "expect_column_pair_values_to_be_equal": (
        {"column_A": "n", "column_B": "same"},
        {"column_A": "n", "column_B": "id"},
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": (
        {"column_A": "n", "column_B": "same", "or_equal": True},
        {"column_A": "n", "column_B": "same"},
    ),
    "expect_column_pair_values_to_be_in_set": (
        {"column_A": "id", "column_B": "gap", "value_pairs_set": [(1, 1), (3, 3), (5, 5), (2, None), (4, None)]},
        {"column_A": "id", "column_B": "gap", "value_pairs_set": [(1, 1), (3, 3), (5, 5), (2, None)]},
    ),
    "expect_multicolumn_sum_to_equal": (
        {"column_list": ["n", "same"], "sum_total": 4, "row_condition": "id <= 2"},
        {"column_list": ["n", "same"], "sum_total": 4},
    ),
    "expect_multicolumn_values_to_be_equal": ({"column_list": ["n", "same"]}, {"column_list": ["n", "id"]}),
    "unexpected_rows_expectation": (
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE n > 50"},
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE n >= 50"},
    ),
}  # fmt: skip
REFUSED = {
    "expect_query_results_to_match_comparison": {
        "base_query": "SELECT 1",
        "comparison_query": "SELECT 1",
        "comparison_data_source_name": "other",
    },
    "expect_table_row_count_to_equal_other_table": {"other_table_name": "other"},
}


def known_to_gx() -> set[str]:
    kinds = (kind for _, kind in inspect.getmembers(core, inspect.isclass) if issubclass(kind, Expectation))
    return {kind.expectation_type for kind in kinds if getattr(kind, "expectation_type", "")}


def test_every_core_expectation_has_an_example_or_a_reason():
    assert set(EXAMPLES) & set(UNSUPPORTED) == set()
    # Some of the unsupported ones are names only, which GX does not even export.
    assert known_to_gx() - set(UNSUPPORTED) == set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_expectation_is_met_or_not(judged, error_of, name):
    for arguments, met in zip(EXAMPLES[name], (True, False), strict=True):
        given = ExpectationConfiguration(type=name, kwargs=dict(arguments))
        result = judged(given.to_domain_obj(), FRAME)
        assert (error_of(result), result.success) == ("", met), arguments
        result.to_json_dict()


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
def test_an_unsupported_one_is_refused_by_name_with_the_reason(judged, error_of, name):
    with pytest.raises(GateError, match=f"'{name}' cannot be used in a gate: {UNSUPPORTED[name]}"):
        parse_gate([{name: REFUSED.get(name, {"column": "n"})}])
    given = ExpectationConfiguration(type=name, kwargs=REFUSED.get(name, {"column": "n"}))
    if name in REFUSED:
        error = error_of(judged(given.to_domain_obj(), FRAME))
        assert name in error
        assert "a Polars batch is one" in error
    else:
        # What has no implementation, Great Expectations refuses itself before it asks an engine.
        with pytest.raises(ExpectationNotFoundError, match=name):
            given.to_domain_obj()
