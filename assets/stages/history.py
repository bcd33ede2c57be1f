"""History: files that hold many days are parsed once, and each of their records goes to its own day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from assets.lake import Lake, digest
from assets.lake.staging import Staging
from assets.stages.day import Check, DayResult
from assets.stages.ledger import blocked, conserved, mostly_kept, remember, remembered
from crawlers.accounting import Accounting
from crawlers.contract import CRAWLED_AT, FILE, LINE
from crawlers.known import known_on
from crawlers.landing import fetched, landed
from crawlers.parse import parse_partition
from crawlers.quarantine import QUARANTINE_SCHEMA
from crawlers.spec import ALL_DAYS, SourceSpec

VERSION = 1
"""Raise it when the meaning of the split changes."""

_REASON, _DAY = "__reason", "__day"
_AT_ONCE = 50
"""Days that are staged in one query: each keeps a file open."""


@dataclass(frozen=True)
class Span:
    """The days of a product: records of others have no partition to go to.

    Attributes:
        first: Its first day.
        last: Its newest complete day.
    """

    first: date
    last: date


def history_table(name: str) -> str:
    """The lake's name of the records of a history, by the day on which they happened."""
    return f"{name}__history"


def rejected_table(name: str) -> str:
    """The lake's name of what a history holds that cannot be used; all of it stands on the product's first day."""
    return f"{name}__history_quarantine"


def split(
    lake: Lake,
    spec: SourceSpec,
    span: Span,
    *,
    code: str,
    secret: bytes | None,
    scratch: Path,
    run_id: str,
    force: bool = False,
) -> DayResult:
    """Parse what landed of a history, once, and put each record into its day.

    One streaming pass over the files; the days come from what it wrote. Days whose records are those that they had are
    left as they are, so that a longer archive costs those downstream its new days only. A day that the files hold no
    longer is published without rows.

    Args:
        lake: Where everything lies.
        spec: A source with `history: true`.
        span: The product's days.
        code: What changes when the declaration changes in a way that changes the records.
        secret: The key for personal data.
        scratch: An empty folder.
        run_id: Recorded with the commits.
        force: Do it again even when neither files nor declaration have changed.
    """
    manifest = landed(lake.store, spec.name, ALL_DAYS)
    if manifest is None:
        return blocked(span.first, f"{spec.name}__landing", f"{spec.name}__landing")
    kept, rejected = history_table(spec.name), rejected_table(spec.name)
    key = hashlib.sha256(b"sluice pii key" + secret).hexdigest()[:16] if secret else None
    identity = digest("history", VERSION, code, manifest.digest, key, span.first)
    if not force and (earlier := remembered(lake, [rejected], span.first, identity)):
        return earlier
    folder = fetched(lake.store, spec.name, ALL_DAYS, manifest)
    for name in ("parsed", "days"):
        (scratch / name).mkdir()
    parsed = parse_partition(folder, spec, scratch=scratch / "parsed", secret=secret)
    outside = _write_days(parsed.records, str(spec.contract.event_time), span, scratch / "days")
    faults = pl.concat([parsed.quarantined, outside], how="vertical")
    (bad,), (reasons,) = lake.run_staging(
        [lake.plan_stage(rejected, span.first, faults, digest=identity, run_id=run_id)],
        also=[faults.group_by("reason").len()],
    )
    found = dict(_days(scratch / "days"))
    rows = sum(one.rows for one in found.values())
    accounting = Accounting(
        rows_in=parsed.accounting.rows_in,
        rows_out=rows,
        quarantined={str(reason): int(count) for reason, count in sorted(reasons.iter_rows())},
        removed=parsed.accounting.removed,
    )
    accounting.check(f"the history of {spec.name}")
    mostly = mostly_kept("mostly_readable", accounting, at_most=spec.max_quarantined_share, quarantine=rejected)
    checks = (conserved(accounting), mostly)
    published = lake.published_days(kept) if lake.exists(kept) else {}
    changed = {day: one for day, one in found.items() if day not in published or published[day].digest != one.digest}
    gone = [day for day, entry in published.items() if day not in found and entry.rows]
    report = {
        "rows": rows,
        "accounting": accounting.to_json(),
        "days": len(found),
        "changed_days": len(changed) + len(gone),
        "first_day": min(found).isoformat() if found else None,
        "last_day": max(found).isoformat() if found else None,
        "landing_digest": manifest.digest,
        "digest": identity,
    }
    info = {"sluice.stage": "history", "sluice.run_id": run_id}
    if not mostly.passed:
        lake.publish(bad, commit_info=info, replace=force)
        message = (
            f"Too little of the history of {spec.name} can be read: {mostly.description} What was read of it before "
            "stands. Mend the files or the contract, then materialise it again; if so many are normal, declare "
            "max_quarantined_share."
        )
        return DayResult(span.first, "refused", report, checks, message)
    for writes in _batches(lake, kept, changed, gone, spec, run_id):
        staged, _ = lake.run_staging(writes)
        lake.publish_many(staged, commit_info=info, replace=force)
    # Last, so that a pass that was interrupted is not taken for one that is done.
    remember(lake, rejected, span.first, identity, report, checks)
    version = lake.publish(bad, commit_info=info, replace=force)
    return DayResult(span.first, "published", {**report, "version": version}, checks)


@dataclass(frozen=True)
class _Day:
    path: Path
    rows: int
    digest: str


def _write_days(records: pl.LazyFrame, time: str, span: Span, folder: Path) -> pl.LazyFrame:
    """One file of records a day, in the order of the files and lines; returns the records that have no day here."""
    day = pl.col(time).dt.date()
    reason = (
        pl.when(day.is_null())
        .then(pl.lit("no_event_time"))
        .when(day < span.first)
        .then(pl.lit("before_first_day"))
        .when(day > span.last)
        .then(pl.lit("after_last_day"))
    )
    marked = records.with_columns(reason.alias(_REASON), day.alias(_DAY))
    within = marked.filter(pl.col(_REASON).is_null()).drop(_REASON)
    by_day = pl.PartitionBy(folder, key=_DAY, include_key=False, approximate_bytes_per_file=None)
    aside = marked.filter(pl.col(_REASON).is_not_null()).select(
        pl.lit("parse").alias("stage"),
        pl.col(_REASON).alias("reason"),
        pl.lit(time).alias("column"),
        pl.format("the product has days from {} to {}", pl.lit(str(span.first)), pl.lit(str(span.last))).alias(
            "detail"
        ),
        pl.struct(records.collect_schema().names()).struct.json_encode().alias("record"),
        FILE,
        LINE,
    )
    within.sink_parquet(by_day, maintain_order=True)
    return aside.select(pl.col(name).cast(dtype) for name, dtype in QUARANTINE_SCHEMA.items())


def _days(folder: Path) -> Iterator[tuple[date, _Day]]:
    for part in sorted(folder.glob(f"{_DAY}=*")):
        files = sorted(part.rglob("*.parquet"))
        frame = pl.scan_parquet(files)
        # When it was fetched says nothing of a record: the same lines of a newer archive are the same day.
        content = frame.drop(CRAWLED_AT, FILE)
        hasher = hashlib.sha256(str(content.collect_schema()).encode())
        for batch in content.collect_batches(chunk_size=100_000):
            hasher.update(batch.write_ipc(None, compression="uncompressed").getvalue())
        rows = frame.select(pl.len()).collect().item()
        yield date.fromisoformat(part.name.removeprefix(f"{_DAY}=")), _Day(part, rows, hasher.hexdigest())


def _batches(
    lake: Lake, table: str, changed: Mapping[date, _Day], gone: list[date], spec: SourceSpec, run_id: str
) -> Iterator[list[Staging]]:
    empty = pl.LazyFrame(schema=spec.contract.raw_schema())
    todo: list[tuple[date, pl.LazyFrame, str]] = [
        *((day, pl.scan_parquet(sorted(one.path.rglob("*.parquet"))), one.digest) for day, one in changed.items()),
        *((day, empty, digest("no rows", day)) for day in gone),
    ]
    for start in range(0, len(todo), _AT_ONCE):
        yield [
            lake.plan_stage(table, day, frame, digest=content, run_id=run_id)
            for day, frame, content in todo[start : start + _AT_ONCE]
        ]


def day_of_history(
    lake: Lake, spec: SourceSpec, tables: tuple[str, str], day: date, *, code: str, run_id: str, force: bool
) -> DayResult:
    """The raw records of one day, from the history that has been split already; no file is read again.

    Args:
        lake: Where everything lies.
        spec: A source with `history: true`.
        tables: The lake's tables of records and of quarantine.
        day: The partition.
        code: What changes when the declaration changes in a way that changes the records.
        run_id: Recorded with the commits.
        force: Do it again even when nothing has changed.
    """
    name = history_table(spec.name)
    if not lake.exists(name):
        return blocked(day, name, name)
    entry = lake.published(name, day)
    identity = digest("raw of history", code, entry.fingerprint if entry else None)
    if not force and (earlier := remembered(lake, tables, day, identity)):
        return earlier
    records = (
        lake.scan(name, start=day, end=day).drop("date")
        if entry
        else pl.LazyFrame(schema=spec.contract.raw_schema())
    )  # fmt: skip
    nothing = pl.LazyFrame(schema=dict(QUARANTINE_SCHEMA))
    known = records.with_columns(known_on(spec.known_rule, day))
    writes = [
        lake.plan_stage(table, day, frame, digest=identity, run_id=run_id)
        for table, frame in zip(tables, (known, nothing), strict=True)
    ]
    (kept, rejected), _ = lake.run_staging(writes)
    accounting = Accounting(rows_in=entry.rows if entry else 0, rows_out=kept.rows)
    accounting.check(f"{spec.name} {day}")
    checks = (
        conserved(accounting),
        Check("not_empty", kept.rows > 0, severity="warning", description=f"{kept.rows} records."),
    )
    report: dict[str, Any] = {
        "rows": kept.rows,
        "accounting": accounting.to_json(),
        "files": int(kept.rows > 0),
        "bytes": kept.bytes,
        "digest": identity,
    }
    remember(lake, tables[0], day, identity, report, checks)
    info = {"sluice.stage": "raw", "sluice.run_id": run_id}
    lake.publish(rejected, commit_info=info, replace=force)
    version = lake.publish(kept, commit_info=info, replace=force)
    return DayResult(day, "published", {**report, "version": version}, checks)
