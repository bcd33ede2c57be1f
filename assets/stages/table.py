"""Table: raw records become a cleaned, gated table and a quarantine. Write, audit, publish."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal

from assets.cleaning import TableSpec, plan
from assets.lake import Lake, Staged, digest
from assets.lake.reports import SHARED
from assets.stages.day import Check, DayResult
from assets.stages.ledger import blocked, conserved, entry, mostly_kept, reasons, remember, remembered
from assets.stages.override import Override, overridden, publish_kept
from assets.stages.past import (
    Audit,
    good_profiles,
    judged_by,
    newest_reference,
    profile_staged,
    scan_reference,
    unjudged,
)
from assets.stages.raw import quarantine_table
from crawlers.accounting import Accounting
from expectations.gate import ExpectationResult, ExpectationSpec, GateReport, Severity, run_gate
from expectations.history import expectations_from_history, watched

VERSION = 2
"""Raise it when the meaning of a step changes: every partition is then cleaned anew."""

CHECKS = {
    "conserved": "Rows in + made = rows out + quarantined + removed.",
    "mostly_kept": "No more of the rows were quarantined than the declared share.",
}

MAX_PASSES = 4
"""How often a day is cleaned in one go because its inputs changed meanwhile."""


def code_version(spec: TableSpec, audit: Audit) -> str:
    """Changes when the declaration changes in a way that changes the rows, or what they must meet."""
    return digest("table", VERSION, _meaning(spec), [one.meaning for one in audit.gate])[:16]


def _meaning(spec: TableSpec) -> dict[str, Any]:
    declared = spec.model_dump(mode="json", by_alias=True)
    return {key: value for key, value in declared.items() if key not in ("description", "owners", "tags")}


def materialize(
    lake: Lake,
    spec: TableSpec,
    audit: Audit,
    sources: Mapping[str, str],
    day: date,
    *,
    first_day: date,
    run_id: str,
    force: bool = False,
) -> DayResult:
    """Clean one day, stage it, let the gate examine exactly the staged files, and publish on a pass.

    A neighbouring day may publish late records for this one while it is being cleaned. Whoever finishes last must have
    seen them, so the inputs are looked at once more after publication.

    Args:
        lake: Where the raw tables are read and the table is written.
        spec: The table.
        audit: What the rows must meet.
        sources: The lake's table of each declared source.
        day: The partition (event day).
        first_day: The table's first partition; rows of earlier days are quarantined on the day that they landed.
        run_id: Recorded with the commits.
        force: Clean even when inputs and declaration have not changed.
    """
    for _ in range(MAX_PASSES - 1):
        result = _materialize(lake, spec, audit, sources, day, first_day=first_day, run_id=run_id, force=force)
        inputs = _inputs(lake, spec, sources, day)
        if result.status != "published" or result.report["inputs"] == inputs:
            return result
        force = False
    return _materialize(lake, spec, audit, sources, day, first_day=first_day, run_id=run_id, force=force)


def _inputs(lake: Lake, spec: TableSpec, sources: Mapping[str, str], day: date) -> dict[str, dict[str, str]]:
    """Digests of the raw partitions that may hold records of a day, by source; empty for one without the day itself."""
    last = day + timedelta(days=spec.lateness_days)
    inputs: dict[str, dict[str, str]] = {}
    for source, table in sources.items():
        published = lake.published_days(table) if lake.exists(table) else {}
        present = {d.isoformat(): entry.fingerprint for d, entry in sorted(published.items()) if day <= d <= last}
        inputs[source] = present if day.isoformat() in present else {}
    return inputs


def _identity(
    spec: TableSpec, audit: Audit, inputs: Mapping[str, Mapping[str, str]], day: date, first_day: date
) -> str:
    """What decides about a day's rows. Its own first days depend on which is the first, later ones do not."""
    reaches_before = day - timedelta(days=spec.lateness_days) < first_day
    return digest("table", code_version(spec, audit), inputs, first_day if reaches_before else None)


def _materialize(
    lake: Lake,
    spec: TableSpec,
    audit: Audit,
    sources: Mapping[str, str],
    day: date,
    *,
    first_day: date,
    run_id: str,
    force: bool,
) -> DayResult:
    inputs = _inputs(lake, spec, sources, day)
    for source, present in inputs.items():
        if not present:
            return blocked(day, f"{source}__raw", f"{source}__raw")
    looked_into = {name: newest_reference(lake, reference, day) for name, reference in audit.references.items()}
    for name, newest in looked_into.items():
        if newest is None:
            asset = audit.references[name].asset
            return blocked(day, f"{asset}, which the gate looks into,", asset)
    last = day + timedelta(days=spec.lateness_days)
    identity = _identity(spec, audit, inputs, day, first_day)
    tables = (spec.name, quarantine_table(spec.name))
    judged = judged_by(lake, audit, spec.name, day)
    if not force and (earlier := remembered(lake, tables, day, identity)) and earlier.report.get("judged_by") == judged:
        return earlier
    frames = {source: lake.scan(table, start=day, end=last) for source, table in sources.items()}
    cleaned = plan(spec, frames, day=day, first_day=first_day)
    writes = [
        lake.plan_stage(name, day, frame, digest=identity, run_id=run_id)
        for name, frame in zip(tables, (cleaned.kept, cleaned.quarantined), strict=True)
    ]
    # One pass over the input: both sinks and all counts are one query.
    (kept, rejected), (rows_in, removed, made) = lake.run_staging(
        writes, also=[cleaned.rows_in, cleaned.removed, cleaned.made]
    )
    accounting = Accounting(
        rows_in=int(rows_in.item()),
        rows_out=kept.rows,
        quarantined=reasons(lake, rejected),
        removed={str(reason): int(rows) for reason, rows in sorted(removed.iter_rows())},
        made={str(reason): int(rows) for reason, rows in sorted(made.iter_rows())},
    )
    accounting.check(f"{spec.name} {day}")
    provenance: dict[str, Any] = {"inputs": inputs, "digest": identity, "judged_by": judged}
    if looked_into:
        provenance["references"] = {name: str(newest) for name, newest in looked_into.items()}
    return _audit(lake, spec, audit, day, (kept, rejected), accounting, provenance, force=force)


def _audit(
    lake: Lake,
    spec: TableSpec,
    audit: Audit,
    day: date,
    staged: tuple[Staged, Staged],
    accounting: Accounting,
    provenance: Mapping[str, Any],
    *,
    force: bool,
) -> DayResult:
    kept, rejected = staged
    rows = lake.scan_staged(kept)
    learned, untold = _learned(lake, spec, audit, day)
    if audit.history:
        profile_staged(lake, audit, spec.name, day, kept.digest, rows)
    gate = (*audit.gate, *learned)
    with lake.reports.built(spec.name, day) as folder:
        verdict = run_gate(
            gate,
            rows,
            name=spec.name,
            partition=day.isoformat(),
            docs_dir=folder / "docs" if gate else None,
            static_dir=folder.parent / SHARED,
            tables={
                name: scan_reference(lake, audit.references[name], date.fromisoformat(newest))
                for name, newest in provenance.get("references", {}).items()
            },
            hidden=audit.hidden,
        )
    mostly = mostly_kept(
        "mostly_kept", accounting, at_most=spec.max_quarantined_share, quarantine=quarantine_table(spec.name)
    )
    checks = (conserved(accounting), mostly, *(_check(result) for result in verdict.results), *untold)
    passed = verdict.passed and mostly.passed
    # What a person has published on purpose stays published, also when the record of it was lost.
    decided = None if passed or force else overridden(lake, spec.name, day, kept.digest)
    report = {
        "rows": kept.rows,
        "bytes": kept.bytes,
        "accounting": accounting.to_json(),
        "gate": "passed" if passed else "overridden" if decided else "refused",
        **({"override_reason": decided.reason, "override_by": decided.by} if decided else {}),
        "gate_seconds": round(verdict.seconds, 3),
        "expectations": [_row(result) for result in verdict.results],
        "data_docs_url": lake.reports.uri(spec.name, day, "docs/index.html") if verdict.docs_index else None,
        **provenance,
    }
    info = {"sluice.stage": "table", "sluice.run_id": kept.run_id, "sluice.gate": str(report["gate"])}
    remember(lake, kept.table, day, kept.digest, report, checks)
    lake.publish(rejected, commit_info=info, replace=force)
    if not passed and decided is None:
        message = _refusal(spec, day, verdict, mostly)
        lake.keep(kept, reason=message)
        return DayResult(day, "refused", report, checks, message)
    version = lake.publish(kept, commit_info=info, replace=force)
    return DayResult(day, "published", {**report, "version": version}, checks)


def publish_refused(
    lake: Lake,
    spec: TableSpec,
    audit: Audit,
    sources: Mapping[str, str],
    day: date,
    override: Override,
    *,
    first_day: date,
) -> DayResult:
    """Publish what the gate refused, on purpose; the reason and the name stay in the table's history and the report.

    Only what would be made today as well is published: when the inputs or the declaration have changed since the
    refusal, the gate is to judge anew.
    """
    identity = _identity(spec, audit, _inputs(lake, spec, sources, day), day, first_day)

    def judge() -> DayResult:
        return _materialize(lake, spec, audit, sources, day, first_day=first_day, run_id="override", force=True)

    return publish_kept(lake, spec.name, day, identity, override, judge)


def observed(lake: Lake, table: str, *, before: date, most: int = 27) -> list[tuple[date, list[dict[str, Any]]]]:
    """What the expectations observed on the published days before one, oldest first."""
    published = lake.published_days(table) if lake.exists(table) else {}
    found = []
    for day in sorted(one for one in published if one < before)[-most:]:
        if not published[day].digest:
            continue  # written by another program
        remembered_day = entry(lake, table, day, published[day].digest)
        if remembered_day is not None and "expectations" in remembered_day[0]:
            found.append((day, remembered_day[0]["expectations"]))
    return found


def _learned(
    lake: Lake, spec: TableSpec, audit: Audit, day: date
) -> tuple[tuple[ExpectationSpec, ...], tuple[Check, ...]]:
    """The expectations that earlier days give reason for, and a word about what they do not judge yet."""
    if not audit.history:
        return (), ()
    profiles = good_profiles(lake, audit, spec.name, day)
    learned: list[ExpectationSpec] = []
    untold: list[Check] = []
    for one in audit.history:
        expectations = expectations_from_history(one, profiles, day=day)
        learned += expectations
        judged = {expectation.check_name for expectation in expectations}
        past = one.past([each.day for each in profiles], day)
        for thing in watched(one, audit.schema):
            if thing.check_name not in judged:
                text = f"Not judged yet: {unjudged(one, past, thing)}"
                untold.append(
                    Check(thing.check_name, passed=True, severity=_severity(thing.severity), description=text)
                )
    return tuple(learned), tuple(untold)


def _check(result: ExpectationResult) -> Check:
    return Check(
        result.check_name,
        result.success,
        severity=_severity(result.severity),
        description=result.message,
        metadata={
            "expectation": result.expectation,
            "severity": result.severity,
            "observed": result.observed,
            "lowest_good": result.low,
            "highest_good": result.high,
            "unexpected_count": result.unexpected_count,
            "unexpected_percent": result.unexpected_percent,
            "examples": list(result.examples),
        },
    )


def _severity(declared: Severity) -> Literal["error", "warning"]:
    return "error" if declared == "critical" else "warning"


def _row(result: ExpectationResult) -> dict[str, Any]:
    return {
        "expectation": result.check_name,
        "passed": result.success,
        "severity": result.severity,
        "observed": "" if result.observed is None else str(result.observed),
        "unexpected": result.unexpected_count,
        "value": result.value,
        "low": result.low,
        "high": result.high,
    }


def _refusal(spec: TableSpec, day: date, verdict: GateReport, mostly: Check) -> str:
    failed = [] if mostly.passed else [f"{mostly.name}: {mostly.description.rstrip('.')}"]
    failed += [f"{r.check_name}: {r.message}" for r in verdict.results if not r.success and r.severity == "critical"]
    shown = "; ".join(failed[:5])
    normal = "" if mostly.passed else "; if so many are normal, declare max_quarantined_share"
    return (
        f"The gate of {spec.name} refused {day}: {shown}. The last good partition stands; the refused rows are kept "
        f"for inspection, the rejected ones are in {spec.name}__quarantine. Mend the source or the gate, then "
        f"materialise {spec.name} for {day} again{normal}."
    )
