"""A run over several days goes on with the good ones, and still ends red when one was refused."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import dagster as dg

RANGE_START, RANGE_END, PARTITION = (
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
    "dagster/partition",
)
RUNS_AT_ONCE = 20


def every_day_check(key: dg.AssetKey) -> dg.AssetChecksDefinition:
    """A check that fails the run when a day of it has no new content of this asset.

    It is a step of its own and blocks nothing, so what depends on the good days has already been started.
    """

    @dg.asset_check(  # type: ignore[arg-type] # Dagster takes generators; its annotations do not say so
        asset=key,
        name="every_day_published",
        description="Every day of the run was published. Refused days are named, and can be materialised alone.",
        blocking=False,
    )
    def every_day_published(context: dg.AssetCheckExecutionContext) -> Iterable[dg.AssetCheckResult]:
        days = _days(context.run.tags)
        refused = [day for day in days if not _materialized(context, key, day)]
        shown = ", ".join(refused[:10]) + (f" and {len(refused) - 10} more" if len(refused) > 10 else "")
        text = (
            f"{len(refused)} of {len(days)} days of {key.to_user_string()} have no new content: {shown}. "
            "Read the failed checks of these days, mend the cause, and materialise these days alone."
            if refused
            else f"All {len(days)} days were published."
        )
        yield dg.AssetCheckResult(
            passed=not refused, description=text, metadata={"days": len(days), "refused": refused}
        )
        if refused:
            raise dg.Failure(description=text, allow_retries=False)

    return every_day_published


def _days(tags: Mapping[str, str]) -> list[str]:
    if PARTITION in tags:
        return [tags[PARTITION]]
    start, end = (date.fromisoformat(tags[name]) for name in (RANGE_START, RANGE_END))
    return [(start + timedelta(days=offset)).isoformat() for offset in range((end - start).days + 1)]


def _materialized(context: dg.AssetCheckExecutionContext, key: dg.AssetKey, day: str) -> bool:
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day]), limit=RUNS_AT_ONCE
    ).records
    selection = context.run.asset_selection
    if selection is not None and key not in selection:
        return bool(records)  # the check runs alone: any content will do
    # Another run of the same day may have come in after this one: the newest record need not be this run's.
    return any(record.run_id == context.run.run_id for record in records)
