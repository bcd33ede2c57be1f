"""Gates: the expectations that staged data must meet before it is published.

Importing this module imports no Great Expectations: declarations are checked against a catalogue of what it knows.
"""

from __future__ import annotations

import difflib
import functools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
COLUMN_ARGUMENTS = ("column", "column_A", "column_B")
MOST_EXAMPLES = 20
CATALOGUE = Path(__file__).with_name("catalogue.json")


class GateError(ValueError):
    """A gate's declaration cannot be used; the message names the expectation, the culprit and the fix."""


@dataclass(frozen=True)
class ExpectationSpec:
    """One declared expectation.

    Attributes:
        check_name: A slug, unique within the gate: the expectation and the columns it speaks of.
        type: Great Expectations' name of it.
        kwargs: Its arguments.
        severity: `critical` refuses the partition, `warning` and `info` only report.
    """

    check_name: str
    type: str
    kwargs: Mapping[str, Any]
    severity: Severity = "critical"


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


@functools.cache
def catalogue() -> Mapping[str, Mapping[str, bool]]:
    """Every expectation by name, with its arguments and whether each is required."""
    loaded: dict[str, dict[str, bool]] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return loaded


def parse_gate(raw: Sequence[Any]) -> tuple[ExpectationSpec, ...]:
    """Read the short form: a list of `{expectation: {argument: value, severity: …}}`.

    Raises:
        GateError: An entry is not of that form, or names an expectation, argument or severity that does not exist.
    """
    taken: dict[str, int] = {}
    return tuple(_parse(number, entry, taken) for number, entry in enumerate(raw, 1))


def _parse(number: int, entry: Any, taken: dict[str, int]) -> ExpectationSpec:
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise GateError(
            f"gate entry {number} is not an expectation with its arguments; write, for example, "
            "expect_column_values_to_not_be_null: {column: item_id}"
        )
    ((kind, arguments),) = entry.items()
    if kind not in catalogue():
        raise GateError(f"gate entry {number}: unknown expectation '{kind}'{_nearest(str(kind), catalogue())}")
    arguments = dict(arguments or {})
    severity = arguments.pop("severity", "critical")
    if severity not in SEVERITIES:
        raise GateError(f"{kind}: unknown severity '{severity}'; choose one of {', '.join(SEVERITIES)}.")
    known = catalogue()[kind]
    for argument in arguments:
        if argument not in known:
            raise GateError(f"{kind}: unknown argument '{argument}'{_nearest(str(argument), known)}")
    for argument, required in known.items():
        if required and argument not in arguments:
            raise GateError(f"{kind}: the argument '{argument}' is required; add it.")
    columns = _columns(arguments)
    slug = "__".join([kind, *columns])[:180]
    taken[slug] = taken.get(slug, 0) + 1
    name = slug if taken[slug] == 1 else f"{slug}__{taken[slug]}"
    return ExpectationSpec("".join(c if c.isalnum() or c == "_" else "_" for c in name), kind, arguments, severity)


def _columns(arguments: Mapping[str, Any]) -> list[str]:
    single = [str(arguments[name]) for name in COLUMN_ARGUMENTS if name in arguments]
    return [*single, *(str(name) for name in arguments.get("column_list") or ())]


def _nearest(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; known are: {', '.join(sorted(known))}."


def check_gate(gate: Sequence[ExpectationSpec], schema: Mapping[str, pl.DataType]) -> None:
    """Check the columns that a gate speaks of, when definitions load.

    Raises:
        GateError: A column does not exist; the nearest one is proposed.
    """
    for expectation in gate:
        if expectation.type in ("expect_column_to_exist", "expect_table_columns_to_match_ordered_list"):
            continue
        for column in _columns(expectation.kwargs):
            if column not in schema:
                raise GateError(f"{expectation.type}: there is no column '{column}'{_nearest(column, schema)}")


def run_gate(
    gate: Sequence[ExpectationSpec],
    frame: pl.LazyFrame,
    *,
    name: str,
    partition: str,
    docs_dir: Path | None = None,
    static_dir: Path | None = None,
) -> GateReport:
    """Let Great Expectations examine a frame.

    Args:
        gate: The expectations.
        frame: The staged rows.
        name: The table, for the Data Docs.
        partition: The day, for the Data Docs.
        docs_dir: Where Data Docs are built, or None for none.
        static_dir: Where several Data Docs share their fonts, styles and pictures (4 MB); None for a copy each.
    """
    started = time.perf_counter()
    if not gate:
        return GateReport(True, (), None, 0.0)
    from expectations.evaluate import evaluate

    raw, docs_index = evaluate(gate, frame, name=name, partition=partition, docs_dir=docs_dir, static_dir=static_dir)
    results = tuple(_result(spec, found) for spec, found in zip(gate, raw, strict=True))
    passed = all(result.success for result in results if result.severity == "critical")
    return GateReport(passed, results, docs_index, time.perf_counter() - started)


def _result(spec: ExpectationSpec, found: Mapping[str, Any]) -> ExpectationResult:
    detail = found.get("result") or {}
    exception = _exception(found.get("exception_info") or {})
    observed = _plain(detail.get("observed_value"))
    count, percent = _plain(detail.get("unexpected_count")), _plain(detail.get("unexpected_percent"))
    examples = tuple(_plain((detail.get("partial_unexpected_list") or [])[:MOST_EXAMPLES]))
    return ExpectationResult(
        spec.check_name,
        spec.type,
        ", ".join(_columns(spec.kwargs)) or None,
        bool(found["success"]),
        spec.severity,
        observed,
        count,
        percent,
        examples,
        _message(spec, bool(found["success"]), observed, count, percent, examples, exception),
    )


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
        return f"{subject}: {count} rows ({percent or 0:.2f} %) are not as expected, such as {list(examples[:3])}."
    return f"{subject}: observed {observed}."
