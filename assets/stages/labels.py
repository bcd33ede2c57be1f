"""Labels: a day's events become units, votes and weak labels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from assets.labeling import LabelsError, LabelsSpec, count_patterns, fit_days, label, units, votes
from assets.labeling import history_days as past_of
from assets.lake import Lake, digest
from assets.stages.day import Check, DayResult
from assets.stages.ledger import blocked, remember, remembered

VERSION = 2
"""Raise it when the meaning of labelling changes: every partition is then labelled anew."""

MIN_COVERAGE = 0.1

CHECKS = {
    "covered": f"At least {MIN_COVERAGE:.0%} of the units got a vote.",
    "label_model_fitted": "The votes were weighed by the declared method; the majority vote is the fallback.",
    "one_label_a_unit": "Units in = labels out.",
}


def days_read_before(spec: LabelsSpec) -> int:
    """How many earlier days of events the labels of a day read."""
    any_day = date(2026, 1, 1)
    fit = fit_days(spec, any_day)
    first = fit[0] if fit else any_day
    past = past_of(spec, first)
    return (any_day - (past[0] if past else first)).days


def code_version(spec: LabelsSpec) -> str:
    """Changes when the declaration, or the file of a Python function, changes."""
    declared = spec.model_dump(mode="json", by_alias=True)
    kept = {key: value for key, value in declared.items() if key not in ("description", "owners", "tags")}
    sources = sorted({function.module for function in spec.functions if function.module is not None})
    return digest("labels", VERSION, kept, {module: _source_digest(module) for module in sources})[:16]


def check_modules(spec: LabelsSpec) -> None:
    """Refuse functions in Python whose module is not there.

    Raises:
        LabelsError: One is not; with its place.
    """
    for number, function in enumerate(spec.functions):
        if function.module is not None and _source(function.module) is None:
            raise LabelsError(
                f"function '{function.name}': there is no Python module '{function.module}'.",
                ["functions", number, function.key],
            )


def _source(module: str) -> Path | None:
    try:
        found = find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(found.origin) if found and found.origin else None


def _source_digest(module: str) -> str:
    source = _source(module)
    return hashlib.sha256(source.read_bytes()).hexdigest() if source else "missing"


def materialize(lake: Lake, spec: LabelsSpec, table: str, day: date, *, run_id: str, force: bool = False) -> DayResult:
    """Label one day and publish.

    Args:
        lake: Where the events are read and the labels are written.
        spec: The labels.
        table: The lake's table of the events.
        day: The partition.
        run_id: Recorded with the commit.
        force: Label even when inputs and declaration have not changed.
    """
    published = lake.published_days(table) if lake.exists(table) else {}
    if day not in published:
        return blocked(day, table, table)
    first = day - timedelta(days=days_read_before(spec))
    inputs = {d.isoformat(): entry.fingerprint for d, entry in sorted(published.items()) if first <= d <= day}
    identity = digest("labels", code_version(spec), inputs)
    if not force and (earlier := remembered(lake, [spec.name], day, identity)):
        return earlier
    of_day = _units(lake, spec, table, day)
    fit = fit_days(spec, day)
    learn_from = [d for d in sorted(published) if fit and fit[0] <= d <= fit[1]]
    patterns = [count_patterns(votes(_units(lake, spec, table, d), spec), spec) for d in learn_from]
    labeled = label(of_day, spec, pattern_counts=pl.concat(patterns).collect() if patterns else None)
    staged = lake.stage(spec.name, day, labeled.frame.lazy(), digest=identity, run_id=run_id)
    report = {
        "rows": staged.rows,
        "bytes": staged.bytes,
        "method": labeled.method,
        "why": labeled.why or None,
        "class_balance": dict(labeled.class_balance),
        "analysis": labeled.analysis.to_dicts(),
        "labelling": dict(labeled.report),
        "inputs": inputs,
        "digest": identity,
    }
    checks = _checks(labeled.report, staged.rows, labeled.why)
    remember(lake, spec.name, day, identity, report, checks)
    version = lake.publish(staged, commit_info={"sluice.stage": "labels", "sluice.run_id": run_id}, replace=force)
    return DayResult(day, "published", {**report, "version": version}, checks)


def _units(lake: Lake, spec: LabelsSpec, table: str, day: date) -> pl.LazyFrame:
    events = lake.scan(table, start=day, end=day)
    past = past_of(spec, day)
    return units(events, spec, history=lake.scan(table, start=past[0], end=past[1]) if past else None)


def _checks(report: Mapping[str, Any], rows: int, why: str) -> tuple[Check, ...]:
    covered = report["covered"] / rows if rows else 1.0
    return (
        Check(
            "covered",
            covered >= MIN_COVERAGE,
            severity="warning",
            description=f"{covered:.1%} of {rows} units got at least one vote.",
            metadata={"coverage": covered},
        ),
        Check(
            "label_model_fitted",
            not why or not rows,
            severity="warning",
            description=why or f"By {report['method']}, as declared.",
        ),
        Check(
            "one_label_a_unit",
            report["rows"] == rows,
            description=f"{report['rows']} units, {rows} rows published.",
        ),
    )
