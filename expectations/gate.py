"""Gates: the expectations that staged data must meet before it is published.

Importing this module imports no Great Expectations: declarations are checked against a catalogue of what it knows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from expectations.declaration import (
    IN_TABLE,
    ExpectationSpec,
    GateError,
    Severity,
    catalogue,
    check_gate,
    parse_gate,
    tables_of,
)

__all__ = [
    "ExpectationResult",
    "ExpectationSpec",
    "GateError",
    "GateReport",
    "Severity",
    "catalogue",
    "check_gate",
    "parse_gate",
    "run_gate",
    "tables_of",
]

MOST_EXAMPLES = 20


@dataclass(frozen=True)
class ExpectationResult:
    """What one expectation found.

    Attributes:
        check_name: That of its declaration.
        expectation: Great Expectations' name of it.
        column: The columns it speaks of, or None.
        success: Whether it was met.
        severity: That of its declaration.
        observed: The observed value as plain JSON, where the expectation has one.
        unexpected_count: Rows that do not meet it, where it speaks of rows.
        unexpected_percent: Their share of the rows with a value, in percent.
        examples: At most 20 unexpected values, as plain JSON.
        message: One sentence for people.
        value: What the bounds are about, as a number: the observed value, or the percentage of unexpected rows.
        low: The least good value, where there is one.
        high: The greatest good value, where there is one.
    """

    check_name: str
    expectation: str
    column: str | None
    success: bool
    severity: Severity
    observed: Any
    unexpected_count: int | None
    unexpected_percent: float | None
    examples: tuple[Any, ...]
    message: str
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class GateReport:
    """The verdict of a gate on one staged partition.

    Attributes:
        passed: Whether no critical expectation failed.
        results: One for each declared expectation, in order.
        docs_index: First page of the Data Docs, when they were built.
        seconds: Time taken.
    """

    passed: bool
    results: tuple[ExpectationResult, ...]
    docs_index: Path | None
    seconds: float


def run_gate(
    gate: Sequence[ExpectationSpec],
    frame: pl.LazyFrame,
    *,
    name: str,
    partition: str,
    docs_dir: Path | None = None,
    static_dir: Path | None = None,
    tables: Mapping[str, pl.LazyFrame] | None = None,
    hidden: Collection[str] = (),
) -> GateReport:
    """Let Great Expectations examine a frame.

    Args:
        gate: The expectations.
        frame: The staged rows.
        name: The table, for the Data Docs.
        partition: The day, for the Data Docs.
        docs_dir: Where Data Docs are built, or None for none.
        static_dir: Where several Data Docs share their fonts, styles and pictures (4 MB); None for a copy each.
        tables: The other tables that the gate looks into, by name: those of `tables_of(gate)`.
        hidden: Columns about persons, of which no single value is told.

    Raises:
        GateError: A table that the gate looks into is not given, or has not the column that is looked at.
    """
    started = time.perf_counter()
    if not gate:
        return GateReport(True, (), None, 0.0)
    _check_tables(gate, tables or {})
    from expectations.evaluate import evaluate

    raw, docs_index = evaluate(
        gate,
        frame,
        name=name,
        partition=partition,
        docs_dir=docs_dir,
        static_dir=static_dir,
        tables=tables or {},
        hidden=hidden,
    )
    results = tuple(_result(spec, found) for spec, found in zip(gate, raw, strict=True))
    passed = all(result.success for result in results if result.severity == "critical")
    return GateReport(passed, results, docs_index, time.perf_counter() - started)


def _check_tables(gate: Sequence[ExpectationSpec], tables: Mapping[str, pl.LazyFrame]) -> None:
    for spec in gate:
        if spec.type != IN_TABLE:
            continue
        table, key = spec.kwargs["other_table"], spec.kwargs["key"]
        if table not in tables:
            raise GateError(f"{spec.type}: the table '{table}' is not at hand; materialise it first.")
        if key not in tables[table].collect_schema():
            raise GateError(f"{spec.type}: the table '{table}' has no column '{key}'.")


def _result(spec: ExpectationSpec, found: Mapping[str, Any]) -> ExpectationResult:
    detail = found.get("result") or {}
    exception = _exception(found.get("exception_info") or {})
    observed = _plain(detail.get("observed_value"))
    count, percent = _plain(detail.get("unexpected_count")), _plain(detail.get("unexpected_percent"))
    examples = tuple(_plain((detail.get("partial_unexpected_list") or [])[:MOST_EXAMPLES]))
    return ExpectationResult(
        spec.check_name,
        spec.type,
        ", ".join(spec.columns) or None,
        bool(found["success"]),
        spec.severity,
        observed,
        count,
        percent,
        examples,
        _message(spec, bool(found["success"]), observed, count, percent, examples, exception),
        *_measured(spec, observed, percent),
    )


def _measured(
    spec: ExpectationSpec, observed: Any, percent: float | None
) -> tuple[float | None, float | None, float | None]:
    """The number that an expectation is about, and its bounds; None for what has none."""
    if percent is not None:
        return float(percent), None, (1 - float(spec.kwargs.get("mostly", 1))) * 100
    if not _is_number(observed):
        return None, None, None
    exact = spec.kwargs.get("value")
    low, high = (spec.kwargs.get(name, exact) for name in ("min_value", "max_value"))
    high = spec.kwargs.get("threshold", high)
    return float(observed), float(low) if _is_number(low) else None, float(high) if _is_number(high) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """A value as plain JSON; NumPy's scalars become Python's, and what JSON does not know becomes text."""
    return json.loads(json.dumps(value, default=lambda other: other.item() if hasattr(other, "item") else str(other)))


def _exception(info: Mapping[str, Any]) -> str:
    entries = [info] if "raised_exception" in info else [e for e in info.values() if isinstance(e, Mapping)]
    return "; ".join(str(e.get("exception_message")) for e in entries if e.get("raised_exception"))


def _message(
    spec: ExpectationSpec,
    success: bool,  # noqa: FBT001 - a result, not a switch
    observed: Any,
    count: int | None,
    percent: float | None,
    examples: tuple[Any, ...],
    exception: str,
) -> str:
    subject = f"{spec.type}({', '.join(f'{k}={v!r}' for k, v in spec.kwargs.items())})"[:300]
    if exception:
        return f"{subject} could not be evaluated: {exception[:500]}"
    if success:
        return f"{subject} is met" + (f"; observed {observed}." if observed is not None else ".")
    if count is not None:
        such = f", such as {list(examples[:3])}" if examples else ""
        return f"{subject}: {count} rows ({percent or 0:.2f} %) are not as expected{such}."
    return f"{subject}: observed {observed}." if observed is not None else f"{subject} is not met."
