"""What a stage remembers of a partition, so that the same inputs are not worked on twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from assets.lake import Lake, Staged
from assets.stages.day import Check, DayResult
from crawlers.accounting import Accounting


def remembered(lake: Lake, tables: Sequence[str], day: date, digest: str) -> DayResult | None:
    """The earlier result of a day, when every table holds content of the very same inputs and declaration."""
    for table in tables:
        published = lake.published(table, day)
        if published is None or not published.digest or not digest.startswith(published.digest):
            return None
    entry = lake.ledger(tables[0], day)
    if entry is None:
        return None
    return DayResult(
        day,
        "unchanged",
        report=entry["report"],
        checks=tuple(Check(**check) for check in entry["checks"]),
        message="Inputs and declaration are those of what is published; nothing to do.",
    )


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
    """Rows in = rows out + rows quarantined + rows removed."""
    return Check(
        "conserved",
        accounting.balanced,
        description=(
            f"{accounting.rows_in} rows in = {accounting.rows_out} out + {accounting.rows_quarantined} quarantined "
            f"+ {accounting.rows_removed} removed"
        ),
        metadata=accounting.to_json(),
    )


def blocked(day: date, missing: str, materialize: str) -> DayResult:
    """The result of a day that lacks an input."""
    return DayResult(
        day, "blocked", message=f"{missing} has no content for {day}. Materialise {materialize} for {day} first."
    )


def schema_report(frame: pl.LazyFrame) -> dict[str, str]:
    """Column names and types, for the UI."""
    return {name: str(dtype) for name, dtype in frame.collect_schema().items()}
