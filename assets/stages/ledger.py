"""What a stage remembers of a partition, so that the same inputs are not worked on twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from assets.lake import Lake, LakeError, Staged
from assets.stages.day import Check, DayResult
from crawlers.accounting import Accounting


def remembered(lake: Lake, tables: Sequence[str], day: date, digest: str) -> DayResult | None:
    """The earlier result of a day, when every table holds content of the very same inputs and declaration.

    None as well when the ledger's entry is lost or damaged: the day is made anew then, and the entry with it.
    """
    for table in tables:
        published = lake.published(table, day)
        if published is None or not published.digest or not digest.startswith(published.digest):
            return None
    found = entry(lake, tables[0], day, digest)
    if found is None:
        return None
    report, checks = found
    return DayResult(
        day,
        "unchanged",
        report=report,
        checks=checks,
        message="Inputs and declaration are those of what is published; nothing to do.",
    )


def entry(lake: Lake, table: str, day: date, digest: str) -> tuple[Mapping[str, Any], tuple[Check, ...]] | None:
    """The report and the check results of a digest; None when the ledger's entry is lost or cannot be read.

    The ledger tells about data and is none itself, so losing it costs a recomputation, never a day.
    """
    try:
        found = lake.ledger(table, day, digest=digest)
        if found is None:
            return None
        return dict(found["report"]), tuple(Check(**check) for check in found["checks"])
    except (LakeError, OSError, ValueError, TypeError, KeyError):
        return None


def remember(
    lake: Lake, table: str, day: date, digest: str, report: Mapping[str, Any], checks: Sequence[Check]
) -> None:
    """Write the ledger entry of a digest; it counts once the partition is published under that digest."""
    lake.write_ledger(table, day, digest, {"report": dict(report), "checks": [check.to_json() for check in checks]})


def reasons(lake: Lake, staged: Staged) -> dict[str, int]:
    """Rows of a staged quarantine by reason."""
    counts = lake.scan_staged(staged).group_by("reason").len().collect(engine="streaming")
    return {str(reason): int(rows) for reason, rows in sorted(counts.iter_rows(), key=lambda pair: str(pair[0]))}


def conserved(accounting: Accounting) -> Check:
    """Rows in + made = rows out + quarantined + removed."""
    return Check(
        "conserved",
        accounting.balanced,
        description=accounting.in_words(),
        metadata=accounting.to_json(),
    )


def mostly_kept(name: str, accounting: Accounting, *, at_most: float, quarantine: str) -> Check:
    """Whether no more than a share of the rows was quarantined.

    Args:
        name: The check's.
        accounting: The day's rows.
        at_most: The largest share that is still published, from 0 to 1.
        quarantine: Where to look.
    """
    share = accounting.rows_quarantined / max(accounting.rows_in, 1)
    return Check(
        name,
        share <= at_most,
        description=(
            f"{share:.1%} of {accounting.rows_in} rows were quarantined, and {at_most:.0%} may be at most; see "
            f"{quarantine}."
        ),
        metadata={"share": share, "at_most": at_most, **accounting.quarantined},
    )


def blocked(day: date, missing: str, materialize: str) -> DayResult:
    """The result of a day that lacks an input."""
    return DayResult(
        day, "blocked", message=f"{missing} has no content for {day}. Materialise {materialize} for {day} first."
    )


def schema_report(frame: pl.LazyFrame) -> dict[str, str]:
    """Column names and types, for the UI."""
    return {name: str(dtype) for name, dtype in frame.collect_schema().items()}
