"""`python -m expectations.generate_catalogue`: write down what Great Expectations knows: loading needs no GX then."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).with_name("catalogue.json")
# These need a SQL database, not a frame.
UNSUPPORTED = {
    "expect_query_results_to_match_comparison",
    "expect_table_row_count_to_equal_other_table",
    "unexpected_rows_expectation",
}


def read_from_library() -> dict[str, dict[str, bool]]:
    """Every core expectation with its arguments, and whether each is required."""
    from great_expectations.expectations import core
    from great_expectations.expectations.expectation import Expectation

    common = set(Expectation.__fields__) | {"batch_id", "library_metadata"}
    found: dict[str, Any] = {}
    for _, kind in inspect.getmembers(core, inspect.isclass):
        name = getattr(kind, "expectation_type", "")
        if issubclass(kind, Expectation) and name and name not in UNSUPPORTED:
            found[name] = {
                key: bool(field.required)
                for key, field in sorted(vars(kind)["__fields__"].items())
                if key not in common
            }
    return dict(sorted(found.items()))


if __name__ == "__main__":
    CATALOGUE.write_text(json.dumps(read_from_library(), indent=1) + "\n", encoding="utf-8")
