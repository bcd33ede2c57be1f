"""What an expectation makes of its metrics on this engine, where Great Expectations' own judgement does not do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from expectations.polars_engine.engine import PolarsExecutionEngine

Verdict = dict[str, Any]
# From an expectation, its metrics, and Great Expectations' own judgement (of that expectation or of a changed one).
Judge = Callable[[Any, dict[str, Any], Callable[[Any], Verdict]], Verdict]


def judge_with(expectation: Any, judge: Judge) -> None:
    """Let a function judge an expectation's metrics on the Polars engine; other engines keep what they have."""
    original: Callable[..., Verdict] = expectation._validate  # noqa: SLF001 - pinned by a characterisation test

    @functools.wraps(original)
    def validate(
        self: Any, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Verdict:
        def as_usual(changed: Any) -> Verdict:
            return original(changed, metrics, runtime_configuration, execution_engine)

        if not isinstance(execution_engine, PolarsExecutionEngine):
            return as_usual(self)
        return judge(self, metrics, as_usual)

    expectation._validate = validate  # noqa: SLF001 - likewise
