"""A run over several days goes on with the good ones, and still ends red when one of them was not published."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import dagster as dg
from dagster import AssetCheckEvaluation
from dagster._core.storage.asset_check_execution_record import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
    AssetCheckExecutionRecord,
)

from assets.components.day_checks import PUBLISHED

EVERY_DAY = "every_day_published"
RANGE_START, RANGE_END, PARTITION = (
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
    "dagster/partition",
)
AT_ONCE = 500
LONGEST_LIST = 10


def every_day_check(key: dg.AssetKey) -> dg.AssetChecksDefinition:
    """A check that fails the run when a day of it could not be published for this asset, naming each and why.

    It is a step of its own and blocks nothing, so what depends on the good days has already been started. It reads
    the run's results of the check `published`, those of amended days included.
    """

    @dg.asset_check(  # type: ignore[arg-type] # Dagster takes generators; its annotations do not say so
        asset=key,
        name=EVERY_DAY,
        description="Every day of the run was published. Bad days are named, and can be materialised alone.",
        blocking=False,
    )
    def every_day_published(context: dg.AssetCheckExecutionContext) -> Iterable[dg.AssetCheckResult]:
        told = _told(context, key)
        bad = {day: why for day, (passed, why) in sorted(told.items()) if not passed}
        text = _named(key, bad, len(told)) if bad else f"All {len(told)} days were published."
        yield dg.AssetCheckResult(
            passed=not bad, description=text, metadata={"days": len(told), "bad_days": dg.MetadataValue.json(bad)}
        )
        if bad:
            raise dg.Failure(description=text, allow_retries=False)

    return every_day_published


def _named(key: dg.AssetKey, bad: dict[str, str], days: int) -> str:
    lines = [f"{day}: {why}" for day, why in bad.items()]
    more = [f"… and {len(lines) - LONGEST_LIST} more"] if len(lines) > LONGEST_LIST else []
    first = f"{len(bad)} of {days} days of {key.to_user_string()} have no new content. Mend the cause, and materialise"
    return "\n".join([f"{first} these days alone:", *lines[:LONGEST_LIST], *more])


def _told(context: dg.AssetCheckExecutionContext, key: dg.AssetKey) -> dict[str, tuple[bool, str]]:
    """What became of each day: whether it was published, and the word about it."""
    told: dict[str, tuple[bool, str]] = {}
    for record in _results(context, key):
        day = record.partition
        if record.run_id != context.run.run_id or day is None or day in told or record.event is None:
            continue
        evaluation = record.event.get_dagster_event().event_specific_data
        if isinstance(evaluation, AssetCheckEvaluation):
            told[day] = (evaluation.passed, evaluation.description or "")
    if told:
        return told
    # The check runs alone: any content will do.
    there = {day: _has_content(context, key, day) for day in _days_of_tags(context)}
    return {day: (found, "It was never published.") for day, found in there.items()}


def _results(context: dg.AssetCheckExecutionContext, key: dg.AssetKey) -> Iterator[AssetCheckExecutionRecord]:
    """The results of the check `published` since this run began, newest first; other runs may be among them."""
    run = context.instance.get_run_record_by_id(context.run.run_id)
    since = run.create_timestamp.timestamp() if run else 0.0
    cursor: int | None = None
    while True:
        found = context.instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(key, PUBLISHED),
            limit=AT_ONCE,
            cursor=cursor,
            status=set(COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES),
        )
        yield from found
        if len(found) < AT_ONCE or found[-1].create_timestamp < since:
            return
        cursor = found[-1].id


def _days_of_tags(context: dg.AssetCheckExecutionContext) -> list[str]:
    tags = context.run.tags
    if PARTITION in tags:
        return [tags[PARTITION]]
    if RANGE_START not in tags:
        return []
    start, end = (date.fromisoformat(tags[name]) for name in (RANGE_START, RANGE_END))
    return [(start + timedelta(days=offset)).isoformat() for offset in range((end - start).days + 1)]


def _has_content(context: dg.AssetCheckExecutionContext, key: dg.AssetKey, day: str) -> bool:
    found = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day]), limit=1
    )
    return bool(found.records)
