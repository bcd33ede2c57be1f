"""Gates as declared: what is understood, and what is said about the rest."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import polars as pl
import pytest

from expectations.gate import GateError, check_gate, parse_gate, tables_of

SCHEMA = {"item_id": pl.String(), "price": pl.Float64(), "ts": pl.Datetime("us", "UTC")}


def one(kind: str, **arguments: Any) -> list[dict[str, Any]]:
    return [{kind: arguments}]


def test_check_names_are_unique_slugs():
    gate = parse_gate(
        [
            {"expect_column_values_to_not_be_null": {"column": "item id"}},
            {"expect_column_values_to_not_be_null": {"column": "item id", "severity": "warning"}},
            {"expect_compound_columns_to_be_unique": {"column_list": ["a", "b"]}},
            {"expect_table_row_count_to_be_between": {"min_value": 1}},
        ]
    )
    assert [each.check_name for each in gate] == [
        "expect_column_values_to_not_be_null__item_id",
        "expect_column_values_to_not_be_null__item_id__2",
        "expect_compound_columns_to_be_unique__a__b",
        "expect_table_row_count_to_be_between",
    ]
    assert [each.severity for each in gate] == ["critical", "warning", "critical", "critical"]
    assert "severity" not in gate[1].kwargs


def test_a_suite_file_holds_the_same_expectations_as_the_short_form(tmp_path):
    (tmp_path / "suite.yaml").write_text(
        "name: events\n"
        "expectations:\n"
        "  - type: expect_column_values_to_be_between\n"
        "    kwargs: {column: price, min_value: 0}\n"
        "    severity: warning\n"
    )
    short = one("expect_column_values_to_be_between", column="price", min_value=0, severity="warning")
    assert parse_gate([{"suite": "suite.yaml"}], folder=tmp_path) == parse_gate(short)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (["nonsense"], "gate entry 1 is not an expectation"),
        ([{"a": {}, "b": {}}], "gate entry 1 is not an expectation"),
        (one("expect_column_values_to_be_nul", column="a"), "did you mean 'expect_column_values_to_be_null'?"),
        (one("expect_column_values_to_be_null", colum="a"), "unknown argument 'colum'; did you mean 'column'?"),
        (one("expect_column_values_to_be_null"), "the argument 'column' is required"),
        (one("expect_column_values_to_be_null", column=None), "the argument 'column' has no value"),
        (one("expect_column_values_to_be_null", column="a", severity="warn"), "did you mean 'warning'?"),
        (one("expect_column_values_to_be_null", column="a", mostly=1.5), "'mostly' is a share between 0 and 1"),
        (one("expect_column_values_to_be_null", column="a", mostly="all"), "'mostly' must be a number, not 'all'"),
        (one("expect_column_values_to_be_in_set", column="a", value_set="x"), "'value_set' must be a list, not 'x'"),
        (one("expect_column_mean_to_be_between", column="a"), "give a min_value, a max_value, or both"),
        (
            one("expect_column_mean_to_be_between", column="a", min_value=2, max_value=1),
            "2 is greater than max_value 1",
        ),
        (
            one("expect_compound_columns_to_be_unique", column_list=["a", "b"], ignore_row_if="nevr"),
            "cannot be 'nevr'; did you mean 'never'?",
        ),
        (
            one("expect_query_results_to_match_comparison", column="a"),
            "cannot be used in a gate: it compares the answers of two SQL data sources",
        ),
        (one("expect_multicolumn_values_to_be_unique", column="a"), "use expect_select_column_values_to_be_unique"),
        ([{"suite": "nowhere.yaml"}], "nowhere.yaml cannot be read: No such file"),
    ],
)
def test_a_mistake_is_named_with_its_cure(raw, message):
    with pytest.raises(GateError) as caught:
        parse_gate(raw)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (one("expect_column_values_to_not_be_null", column="item"), "no column 'item'; did you mean 'item_id'?"),
        (one("expect_compound_columns_to_be_unique", column_list=["price", "prize"]), "did you mean 'price'?"),
        (one("expect_column_mean_to_be_between", column="item_id", min_value=1), "of type String, but"),
        (one("expect_column_values_to_match_strftime_format", column="ts", strftime_format="%Y"), "is about text"),
        (
            one("expect_column_values_to_be_null", column="price", row_condition="item_ID = 'x'"),
            "row_condition: there is no column 'item_ID'; did you mean 'item_id'?",
        ),
    ],
)
def test_a_gate_that_does_not_fit_its_table_is_refused_before_it_runs(raw, message):
    with pytest.raises(GateError) as caught:
        check_gate(parse_gate(raw), SCHEMA)
    assert message in str(caught.value)


def test_a_gate_that_fits_passes_even_when_the_schema_holds_classes_of_types():
    gate = parse_gate(
        [
            *one("expect_column_mean_to_be_between", column="price", min_value=1),
            *one("expect_column_to_exist", column="not_there"),
            *one("expect_column_values_to_be_in_table", column="item_id", other_table="catalogue", key="item_id"),
        ]
    )
    check_gate(gate, {"item_id": pl.String, "price": pl.Int64})
    assert tables_of(gate) == ("catalogue",)


def test_declaring_a_gate_imports_no_great_expectations():
    program = (
        "import sys; from expectations.gate import parse_gate\n"
        "parse_gate([{'expect_column_values_to_not_be_null': {'column': 'a'}}])\n"
        "assert not [m for m in sys.modules if m.startswith(('great_expectations', 'pandas'))], 'imported'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_catalogue_is_what_the_library_says():
    from expectations.declaration import _catalogue_file
    from expectations.generate_catalogue import read_from_library

    # Made anew by `python -m expectations.generate_catalogue` when Great Expectations changes.
    assert _catalogue_file() == read_from_library()


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"expect_column_values_to_be_uniqe": {"column": "a"}}, (1, "expect_column_values_to_be_uniqe")),
        ({"expect_column_values_to_be_unique": {"colum": "a"}}, (1, "expect_column_values_to_be_unique", "colum")),
        (
            {"expect_column_values_to_be_unique": {"column": "a", "severity": "bad"}},
            (1, "expect_column_values_to_be_unique", "severity"),
        ),
        ({"expect_column_values_to_be_unique": {"column": "z"}}, (1, "expect_column_values_to_be_unique", "column")),
        (
            {"expect_column_mean_to_be_between": {"column": "s", "min_value": 1}},
            (1, "expect_column_mean_to_be_between", "column"),
        ),
        (
            {"expect_compound_columns_to_be_unique": {"column_list": ["a", "z"]}},
            (1, "expect_compound_columns_to_be_unique", "column_list", 1),
        ),
        ({"type": "expect_column_values_to_be_unique", "kwargs": {"column": "z"}}, (1, "kwargs", "column")),
        ({"suite": "nowhere.yaml"}, (1, "suite")),
        ("unique", (1,)),
    ],
)
def test_an_error_says_where_in_the_gate_it_is(entry, place):
    first = {"expect_column_values_to_not_be_null": {"column": "a"}}
    with pytest.raises(GateError) as caught:
        check_gate(parse_gate([first, entry]), {"a": pl.Int64(), "s": pl.String()})
    assert caught.value.location == place


def test_where_an_entry_stands_is_no_part_of_what_it_means():
    null, unique = ({f"expect_column_values_to_{what}": {"column": "a"}} for what in ("not_be_null", "be_unique"))
    assert [one.meaning for one in parse_gate([null, unique])] == [one.meaning for one in parse_gate([unique, null])][
        ::-1
    ]
