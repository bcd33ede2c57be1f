"""Results that can be stored: the quantile expectation answers with a NumPy boolean, which GX cannot write as JSON."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from great_expectations.expectations import core

from expectations.polars_engine.engine import PolarsExecutionEngine


def _with_python_scalars(expectation: Any) -> None:
    original: Callable[..., Any] = expectation._validate  # noqa: SLF001 - pinned by a characterisation test

    @functools.wraps(original)
    def validate(
        self: Any, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        answer = original(self, metrics, runtime_configuration, execution_engine)
        if isinstance(execution_engine, PolarsExecutionEngine):
            answer["success"] = bool(answer["success"])
            details = answer["result"]["details"]
            details["success_details"] = [bool(each) for each in details["success_details"]]
        return answer

    expectation._validate = validate  # noqa: SLF001 - likewise


_with_python_scalars(core.ExpectColumnQuantileValuesToBeBetween)
