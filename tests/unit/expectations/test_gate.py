"""A gate at work on frames."""

from __future__ import annotations

import json

import polars as pl
import pytest

from expectations.gate import GateError, parse_gate, run_gate

ROWS = pl.LazyFrame(
    {
        "item": ["a", "b", None, "d"],
        "price": [1.0, 2.5, float("nan"), -4.0],
        "kind": ["view", "view", "click", "purchase"],
    }
)


def test_a_gate_tells_what_it_found():
    gate = parse_gate(
        [
            {"expect_column_values_to_not_be_null": {"column": "item", "severity": "warning"}},
            {"expect_column_values_to_be_between": {"column": "price", "min_value": 0}},
            {"expect_column_mean_to_be_between": {"column": "price", "max_value": 9, "severity": "info"}},
            {"expect_table_row_count_to_equal": {"value": 4}},
        ]
    )
    report = run_gate(gate, ROWS, name="events", partition="2026-01-01")
    missing, between, mean, count = report.results
    assert not report.passed
    assert (missing.success, missing.severity, missing.unexpected_count, missing.unexpected_percent) == (
        False, "warning", 1, 25.0,
    )  # fmt: skip
    assert (between.success, between.examples, between.unexpected_count) == (False, (-4.0,), 1)
    assert "1 rows (33.33 %) are not as expected, such as [-4.0]" in between.message
    assert (mean.success, mean.observed) == (True, pytest.approx(-0.5 / 3))
    assert count.success
    assert count.column is None
    json.dumps([vars(result) for result in report.results])


def test_only_what_is_critical_refuses_a_partition():
    failing = {"expect_column_values_to_not_be_null": {"column": "item", "severity": "warning"}}
    assert run_gate(parse_gate([failing]), ROWS, name="events", partition="2026-01-01").passed
    failing["expect_column_values_to_not_be_null"]["severity"] = "critical"
    assert not run_gate(parse_gate([failing]), ROWS, name="events", partition="2026-01-01").passed


def test_an_expectation_that_cannot_be_evaluated_fails_and_leaves_the_others_alone():
    gate = parse_gate(
        [
            {"expect_column_values_to_match_regex": {"column": "item", "regex": "("}},
            {"expect_column_values_to_be_in_set": {"column": "kind", "value_set": ["view", "click", "purchase"]}},
            {"expect_column_values_to_be_null": {"column": "item", "row_condition": "kid == 'view'"}},
        ]
    )
    broken, fine, lost = run_gate(gate, ROWS, name="events", partition="2026-01-01").results
    assert fine.success
    assert not broken.success
    assert "could not be evaluated" in broken.message
    assert "'(' is no regular expression" in broken.message
    assert "There is no column 'kid' in the frame; did you mean 'kind'?" in lost.message


@pytest.mark.parametrize("condition", ["kind == 'view'", "kind = 'view'", "kind in ('view',)", "kind IN ('view')"])
def test_row_conditions_are_pandas_queries_or_sql(condition):
    gate = parse_gate([{"expect_column_values_to_be_in_set": {
        "column": "item", "value_set": ["a"], "row_condition": condition,
    }}])  # fmt: skip
    (result,) = run_gate(gate, ROWS, name="events", partition="2026-01-01").results
    assert (result.success, result.examples) == (False, ("b",))


def test_a_gate_looks_into_another_table():
    gate = parse_gate(
        [{"expect_column_values_to_be_in_table": {"column": "item", "other_table": "catalogue", "key": "id"}}]
    )
    with pytest.raises(GateError, match="the table 'catalogue' is not at hand"):
        run_gate(gate, ROWS, name="events", partition="2026-01-01")
    catalogue = pl.LazyFrame({"id": ["a", "b", "c"]})
    with pytest.raises(GateError, match="has no column 'id'"):
        run_gate(gate, ROWS, name="events", partition="x", tables={"catalogue": catalogue.rename({"id": "key"})})
    report = run_gate(gate, ROWS, name="events", partition="2026-01-01", tables={"catalogue": catalogue})
    (result,) = report.results
    assert (report.passed, result.unexpected_count, result.examples) == (False, 1, ("d",))


def test_an_empty_gate_passes_without_looking():
    assert run_gate((), pl.LazyFrame({"a": [1]}).map_batches(_fail), name="events", partition="2026-01-01").passed


def _fail(_: pl.DataFrame) -> pl.DataFrame:
    raise AssertionError("the frame was collected")


def test_an_empty_partition_is_examined_like_any_other():
    gate = parse_gate(
        [
            {"expect_column_values_to_not_be_null": {"column": "item"}},
            {"expect_column_values_to_be_unique": {"column": "item"}},
            {"expect_column_mean_to_be_between": {"column": "price", "min_value": 0, "severity": "warning"}},
            {"expect_table_row_count_to_be_between": {"max_value": 0}},
        ]
    )
    report = run_gate(gate, ROWS.filter(pl.lit(value=False)), name="events", partition="2026-01-01")
    assert [result.success for result in report.results] == [True, True, False, True]
    assert report.passed


def test_sql_finds_unexpected_rows():
    query = "SELECT * FROM {batch} WHERE kind = 'view' AND price > 2"
    (result,) = run_gate(
        parse_gate([{"unexpected_rows_expectation": {"unexpected_rows_query": query}}]),
        ROWS,
        name="events",
        partition="2026-01-01",
    ).results
    assert (result.success, result.observed) == (False, 1)


def test_several_expectations_of_one_kind_on_one_column_are_all_examined():
    pattern = "expect_column_values_to_match_regex"
    gate = parse_gate(
        [
            {pattern: {"column": "item", "regex": "^i"}},
            {pattern: {"column": "item", "regex": "x$"}},
            {pattern: {"column": "item", "regex": "^i"}},
            {"expect_table_row_count_to_be_between": {"min_value": 1}},
            {"expect_table_row_count_to_be_between": {"max_value": 1, "severity": "warning"}},
        ]
    )
    report = run_gate(gate, pl.LazyFrame({"item": ["i1", "i2"]}), name="t", partition="p")
    assert [result.success for result in report.results] == [True, False, True, True, False]
    assert len({result.check_name for result in report.results}) == 5
