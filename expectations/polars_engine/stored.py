"""Results that can be stored: the quantile expectation answers with a NumPy boolean, which GX cannot write as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from great_expectations.expectations import core

from expectations.polars_engine.verdict import Verdict, judge_with


def _with_python_scalars(expectation: Any, _: dict[str, Any], as_usual: Callable[[Any], Verdict]) -> Verdict:
    verdict = as_usual(expectation)
    verdict["success"] = bool(verdict["success"])
    details = verdict["result"]["details"]
    details["success_details"] = [bool(each) for each in details["success_details"]]
    return verdict


judge_with(core.ExpectColumnQuantileValuesToBeBetween, _with_python_scalars)
