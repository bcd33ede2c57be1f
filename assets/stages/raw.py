"""Raw: landing bytes become typed records and a quarantine."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from assets.lake import Lake, digest
from assets.stages.day import Check, DayResult
from assets.stages.history import day_of_history
from assets.stages.ledger import blocked, conserved, mostly_kept, remember, remembered
from assets.stages.override import Override, overridden, publish_kept
from crawlers.contract import KNOWN_ON
from crawlers.known import known_on
from crawlers.landing import fetched, landed
from crawlers.parse import parse_partition
from crawlers.spec import SourceSpec

VERSION = 4
"""Raise it when the meaning of parsing changes: every partition is then parsed anew."""

CHECKS = {
    "conserved": "Lines in = records out + quarantined + removed.",
    "mostly_readable": "No more of the lines were quarantined than the declared share.",
    "not_empty": "The partition holds at least one record.",
    "all_declared_occur": "Every declared column occurs in the day's files, by its name or path.",
}


def raw_table(source: str) -> str:
    """The lake's name for the records of a source."""
    return f"{source}__raw"


def quarantine_table(name: str) -> str:
    """The lake's name for what was rejected on the way into a source's raw or a table."""
    return f"{name}__quarantine"


def raw_schema(spec: SourceSpec) -> dict[str, pl.DataType]:
    """Columns of the raw table: those of the contract, those that parsing adds, and when a record became known."""
    return {**spec.contract.raw_schema(), KNOWN_ON: pl.Date()}


def code_version(spec: SourceSpec) -> str:
    """Changes when the declaration changes in a way that changes the records."""
    parts: list[Any] = [VERSION, spec.format.model_dump(mode="json"), spec.contract.model_dump(mode="json")]
    return digest("raw", *parts, spec.max_quarantined_share, spec.known_rule, spec.history)[:16]


def materialize(
    lake: Lake, spec: SourceSpec, day: date, *, secret: bytes | None, scratch: Path, run_id: str, force: bool = False
) -> DayResult:
    """Parse one day's landing and publish records and quarantine.

    Args:
        lake: Where landing is read and the tables are written.
        spec: The source.
        day: The partition.
        secret: The key for personal data.
        scratch: An empty folder for intermediate files.
        run_id: Recorded with the commits.
        force: Parse even when landing and declaration have not changed.
    """
    if spec.history:
        tables = (raw_table(spec.name), quarantine_table(spec.name))
        code = code_version(spec)
        return day_of_history(lake, spec, tables, day, code=code, run_id=run_id, force=force)
    manifest = landed(lake.store, spec.name, day)
    if manifest is None:
        return blocked(day, f"{spec.name}__landing", f"{spec.name}__landing")
    identity = _identity(spec, manifest.digest, secret)
    tables = (raw_table(spec.name), quarantine_table(spec.name))
    if not force and (earlier := remembered(lake, tables, day, identity)):
        return earlier
    folder = fetched(lake.store, spec.name, day, manifest)
    parsed = parse_partition(folder, spec, scratch=scratch, secret=secret)
    typed = parsed.records.with_columns(known_on(spec.known_rule, day, manifest.first_landed_at))
    writes = [
        lake.plan_stage(name, day, frame, digest=identity, run_id=run_id)
        for name, frame in zip(tables, (typed, parsed.quarantined), strict=True)
    ]
    (records, rejected), _ = lake.run_staging(writes)
    accounting = parsed.accounting
    accounting.check(f"{spec.name} {day}")
    if (records.rows, rejected.rows) != (accounting.rows_out, accounting.rows_quarantined):
        raise RuntimeError(
            f"{spec.name} {day}: {records.rows} records and {rejected.rows} quarantined rows were staged, but parsing "
            f"counted {accounting.rows_out} and {accounting.rows_quarantined}. Nothing was published; run it again."
        )
    mostly = mostly_kept("mostly_readable", accounting, at_most=spec.max_quarantined_share, quarantine=tables[1])
    checks = (
        conserved(accounting),
        mostly,
        Check(
            "not_empty",
            accounting.rows_out > 0,
            severity="warning",
            description="The site has no file for this day."
            if not manifest.files
            else f"{accounting.rows_out} records.",
        ),
        _all_occur(parsed.absent),
    )
    report = {
        "rows": records.rows,
        "accounting": accounting.to_json(),
        "files": len(manifest.files),
        "bytes": records.bytes,
        "digest": identity,
        "landing_digest": manifest.digest,
        "finish_reason": manifest.finish_reason,
    }
    decided = None if mostly.passed or force else overridden(lake, tables[0], day, identity)
    if decided:
        # What a person has published on purpose stays published, also when the record of it was lost.
        report |= {"gate": "overridden", "override_reason": decided.reason, "override_by": decided.by}
    remember(lake, tables[0], day, identity, report, checks)
    info = {"sluice.stage": "raw", "sluice.run_id": run_id}
    lake.publish(rejected, commit_info=info, replace=force)
    if not mostly.passed and decided is None:
        message = _refusal(spec, day, mostly)
        lake.keep(records, reason=message)
        return DayResult(day, "refused", report, checks, message)
    version = lake.publish(records, commit_info=info, replace=force)
    return DayResult(day, "published", {**report, "version": version}, checks)


def _all_occur(absent: tuple[str, ...]) -> Check:
    """A misspelt name or path would make a column of nulls, and nobody would know."""
    named = ", ".join(f"'{name}'" for name in absent)
    return Check(
        "all_declared_occur",
        not absent,
        severity="warning",
        description=f"Declared, but in no file of the day: {named}. Look into landing how the site names the field, "
        "and say it with `from` (`from: device.category` reaches into an object)."
        if absent
        else "Every declared column occurs.",
        metadata={"absent": list(absent)},
    )


def publish_refused(
    lake: Lake, spec: SourceSpec, day: date, override: Override, *, secret: bytes | None, scratch: Path, run_id: str
) -> DayResult:
    """Publish on purpose the records of a day of which too many lines were quarantined.

    Args:
        lake: Where they are kept.
        spec: The source.
        day: The partition.
        override: The decision.
        secret: The key for personal data.
        scratch: An empty folder for intermediate files.
        run_id: Recorded with the commits.
    """
    manifest = landed(lake.store, spec.name, day)
    if manifest is None:
        return blocked(day, f"{spec.name}__landing", f"{spec.name}__landing")
    identity = _identity(spec, manifest.digest, secret)

    def judge() -> DayResult:
        return materialize(lake, spec, day, secret=secret, scratch=scratch, run_id=run_id, force=True)

    return publish_kept(lake, raw_table(spec.name), day, identity, override, judge)


def _identity(spec: SourceSpec, landing: str, secret: bytes | None) -> str:
    key = hashlib.sha256(b"sluice pii key" + secret).hexdigest()[:16] if secret else None
    return digest("raw", code_version(spec), landing, key)


def _refusal(spec: SourceSpec, day: date, mostly: Check) -> str:
    return (
        f"Too little of {spec.name} can be read for {day}: {mostly.description} The last good partition stands; the "
        f"records are kept for inspection. Mend the source or its contract, then materialise {raw_table(spec.name)} "
        f"for {day} again; if so many are normal, declare max_quarantined_share."
    )
