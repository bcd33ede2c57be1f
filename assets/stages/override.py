"""Publishing on purpose what was refused: by whom and why stays in the table's history and in the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from assets.lake import Lake
from assets.stages.day import DayResult
from assets.stages.ledger import entry, remember


@dataclass(frozen=True)
class Override:
    """The decision to publish what was refused.

    Attributes:
        reason: Why it is right all the same.
        by: Who decided.
    """

    reason: str
    by: str


def publish_kept(
    lake: Lake, table: str, day: date, digest: str, override: Override, judge: Callable[[], DayResult]
) -> DayResult:
    """Publish the refused content of a digest.

    Only what would be made today as well is published: when the inputs or the declaration have changed since the
    refusal, the day is to be judged anew.

    Args:
        lake: Where it is kept.
        table: The table.
        day: The partition.
        digest: Of what the content would derive from today.
        override: The decision.
        judge: Makes the day again, for when the record of the refusal was lost.
    """
    refused = lake.refused(table, day)
    if not any(one.digest == digest for one in refused):
        older = ", though it holds one of other inputs or of another declaration" if refused else ""
        return DayResult(
            day,
            "failed",
            message=f"No refusal of {table} for {day} is kept{older}. Materialise {table} for {day} without the "
            "override first; if it is refused, that can be overridden.",
        )
    found = entry(lake, table, day, digest)
    if found is None:
        judged = judge()
        if judged.status != "refused":
            return judged
        found = judged.report, judged.checks
    report, checks = found
    report = {**report, "gate": "overridden", "override_reason": override.reason, "override_by": override.by}
    remember(lake, table, day, digest, report, checks)
    version = lake.publish_refused(table, day, reason=override.reason, by=override.by, digest=digest)
    message = f"Published on purpose, by {override.by}: {override.reason}"
    return DayResult(day, "published", {**report, "version": version}, checks, message)


def overridden(lake: Lake, table: str, day: date, digest: str) -> Override | None:
    """The decision by which the content of a digest stands published, from the table's history; None without one."""
    published = lake.published(table, day) if lake.exists(table) else None
    if published is None or published.digest != digest:
        return None
    for commit in lake.versions(table):
        days, digests = (commit.info.get(name, "").split() for name in ("days", "digests"))
        if (day.isoformat(), digest) in zip(days, digests, strict=False):
            reason = commit.info.get("override")
            return Override(reason, commit.info.get("override_by", "")) if reason else None
    return None
