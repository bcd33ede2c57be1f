"""`python -m expectations.generate_catalogue`: write down what Great Expectations knows: loading needs no GX then."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).with_name("catalogue.json")
# What a gate cannot use, and why.
UNSUPPORTED = {
    "expect_query_results_to_match_comparison": "it compares the answers of two SQL data sources",
    "expect_table_row_count_to_equal_other_table": "a gate examines one table; it has no other one to count",
    "expect_multicolumn_values_to_be_unique": "use expect_select_column_values_to_be_unique_within_record",
    **dict.fromkeys(
        (
            "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than",
            "expect_column_chisquare_test_p_value_to_be_greater_than",
            "expect_column_pair_cramers_phi_value_to_be_less_than",
            "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than",
        ),
        "Great Expectations names it, but does not implement it",
    ),
}
# Fields that every expectation has and that a gate sets itself, or has no use for.
COMMON = {
    "id", "meta", "notes", "result_format", "description", "catch_exceptions", "rendered_content", "severity",
    "windows", "batch_id", "library_metadata", "condition_parser",
}  # fmt: skip


def read_from_library() -> dict[str, Any]:
    """Every core expectation with its arguments: whether each is required, and the kinds of value that it takes."""
    from great_expectations.expectations import core
    from great_expectations.expectations.expectation import Expectation

    expectations = {}
    for _, kind in inspect.getmembers(core, inspect.isclass):
        name = getattr(kind, "expectation_type", "")
        if not issubclass(kind, Expectation) or not name or name in UNSUPPORTED:
            continue
        fields = sorted(vars(kind)["__fields__"].items())
        expectations[name] = {key: _argument(field) for key, field in fields if key not in COMMON}
    return {"expectations": dict(sorted(expectations.items())), "unsupported": dict(sorted(UNSUPPORTED.items()))}


def _argument(field: Any) -> dict[str, Any]:
    # GX leaves it to each engine what a set may be written as; in YAML it is a list.
    kinds = ["list"] if field.name == "value_set" else sorted(set(_kinds(field.outer_type_)))
    argument: dict[str, Any] = {"required": bool(field.required), "kinds": kinds}
    choices = typing.get_args(field.outer_type_) if typing.get_origin(field.outer_type_) is typing.Literal else ()
    return {**argument, "choices": list(choices)} if choices else argument


def _kinds(annotation: Any) -> Iterable[str]:
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return ["text"]
    if origin is typing.Union:
        # A mapping among the alternatives stands for a suite parameter, which a gate has none of.
        parts = [part for part in typing.get_args(annotation) if part not in (type(None), dict)]
        return [kind for part in parts for kind in _kinds(part)]
    base = origin or annotation
    if not isinstance(base, type):
        return ["anything"]
    for types, kind in _BY_TYPE:
        if issubclass(base, types):
            return [kind]
    return ["text"] if base.__name__.endswith("Condition") else ["anything"]


_BY_TYPE: Sequence[tuple[tuple[type, ...], str]] = (
    ((bool,), "boolean"),
    ((int, float), "number"),
    ((str,), "text"),
    ((dt.date,), "moment"),
    ((list, tuple, set, frozenset, Sequence), "list"),
    ((dict, Mapping), "mapping"),
)


if __name__ == "__main__":
    CATALOGUE.write_text(json.dumps(read_from_library(), indent=1) + "\n", encoding="utf-8")
