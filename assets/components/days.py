"""Run a stage for every day of a run, and record one materialisation, one set of checks and one failure a day.

A backfill over a range is one run. Dagster would mark every day of the range as materialised when the step ends; a
day that was refused must not be. `record_only` narrows an output to the days that were published, which rests on
three private names of Dagster, pinned by tests/contract/test_dagster_private_names.py.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg
from dagster import AssetCheckEvaluation, AssetCheckSeverity
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.errors import DagsterPipesExecutionError

from assets.lake import Lake
from assets.stages.day import Check, DayResult, Status
from assets.stages.past import Override

FORCE_TAG = "sluice/force"
OVERRIDE_TAG = "sluice/publish_refused"
BY_TAG = "sluice/by"


@dataclass(frozen=True)
class Recorded:
    """One asset of a step, and in which states a day counts as materialised for it."""

    key: dg.AssetKey
    when: frozenset[Status] = frozenset({"published", "unchanged"})


def run_days(
    context: dg.AssetExecutionContext,
    *,
    days: Sequence[date],
    work: Callable[[date], DayResult],
    records: Sequence[Recorded],
    checks: Sequence[dg.AssetCheckSpec],
    describe: Callable[[DayResult], Mapping[str, Any]],
    amend: Sequence[date] = (),
) -> Iterator[Any]:
    """Do the work of each day and yield its events.

    Args:
        context: The step's context.
        days: The days of the run, in order.
        work: The stage for one day. An exception is that day's failure and does not stop the others.
        records: The assets of the step.
        checks: The check specs of the step; every check a day reports must be among them.
        describe: Metadata of a day's materialisation.
        amend: Earlier days to bring up to date as well, because late records may have reached them. A day that
            turns out unchanged leaves no event.

    Raises:
        dg.Failure: No day of the run has content after it.
    """
    results = [_attempt(context, day, work) for day in days]
    names = {spec.name: spec for spec in checks}
    kept = {record.key: [result for result in results if result.status in record.when] for record in records}
    if not kept[records[0].key]:
        yield from _check_events(context, results, checks)
        raise dg.Failure(description=_summary(results), allow_retries=any(r.transient for r in results))
    record_only(context, {key: [r.day.isoformat() for r in good] for key, good in kept.items()})
    for spec in names.values():
        if spec.key in context.selected_asset_check_keys:
            yield dg.Output(None, output_name=spec.get_python_identifier())
    for record in records:
        if record.key not in context.selected_asset_keys:
            # A run that asks for one asset of a step makes the others as well, so it says so.
            yield from _materializations(record.key, kept[record.key], describe)
            continue
        for result in kept[record.key]:
            context.add_asset_metadata(describe(result), asset_key=record.key, partition_key=result.day.isoformat())
        if kept[record.key]:
            yield dg.MaterializeResult(asset_key=record.key)
    yield from _check_events(context, results, checks)
    for day in amend:
        yield from _amend(context, _attempt(context, day, work), records, checks, describe)


def _materializations(
    key: dg.AssetKey, results: Sequence[DayResult], describe: Callable[[DayResult], Mapping[str, Any]]
) -> Iterator[dg.AssetMaterialization]:
    for result in results:
        yield dg.AssetMaterialization(key, partition=result.day.isoformat(), metadata=dict(describe(result)))


def _amend(
    context: dg.AssetExecutionContext,
    result: DayResult,
    records: Sequence[Recorded],
    checks: Sequence[dg.AssetCheckSpec],
    describe: Callable[[DayResult], Mapping[str, Any]],
) -> Iterator[Any]:
    if result.status == "unchanged":
        return
    if result.status == "published":
        for record in records:
            metadata = {**describe(result), "amended": True}
            yield dg.AssetMaterialization(record.key, partition=result.day.isoformat(), metadata=metadata)
    else:
        context.log.warning(f"{result.day}: late records could not be taken in: {result.status}. {result.message}")
    yield from _check_events(context, [result], checks)


def _attempt(context: dg.AssetExecutionContext, day: date, work: Callable[[date], DayResult]) -> DayResult:
    context.log.info(f"{day}: started")
    try:
        result = work(day)
    except Exception as error:  # noqa: BLE001 - one day's failure must not stop the others; it is reported below
        context.log.error(f"{day}: failed\n{traceback.format_exc()}")  # noqa: TRY400 - Dagster's log takes no exc_info
        transient = isinstance(error, (OSError, DagsterPipesExecutionError))
        return DayResult(day, "failed", message=f"{type(error).__name__}: {error}", transient=transient)
    line = f"{day}: {result.status}. {result.message}".strip()
    (context.log.info if result.visible else context.log.error)(line)
    return result


def _check_events(
    context: dg.AssetExecutionContext, results: Iterable[DayResult], checks: Iterable[dg.AssetCheckSpec]
) -> Iterator[AssetCheckEvaluation]:
    specs = {spec.name: spec for spec in checks}
    for result in results:
        targets = {key: _newest(context, key, result.day) for key in {specs[c.name].asset_key for c in result.checks}}
        for check in result.checks:
            spec = specs[check.name]
            yield AssetCheckEvaluation(
                asset_key=spec.asset_key,
                check_name=check.name,
                passed=check.passed,
                metadata={key: _metadata(value) for key, value in check.metadata.items() if value is not None},
                severity=AssetCheckSeverity.ERROR if check.severity == "error" else AssetCheckSeverity.WARN,
                description=check.description,
                blocking=False,
                partition=result.day.isoformat(),
                target_materialization_data=targets[spec.asset_key],
            )


def _newest(
    context: dg.AssetExecutionContext, key: dg.AssetKey, day: date
) -> AssetCheckEvaluationTargetMaterializationData | None:
    # The UI shows a check result of a partition only as long as it belongs to the newest materialisation.
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day.isoformat()]), limit=1
    ).records
    if not records:
        return None
    newest = records[0]
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=newest.storage_id, run_id=newest.run_id, timestamp=newest.timestamp
    )


def _metadata(value: Any) -> Any:
    if isinstance(value, str | int | float | bool):
        return value
    return dg.MetadataValue.json(value)


def _summary(results: Sequence[DayResult]) -> str:
    lines = [f"{r.day}: {r.status}. {r.message}".strip() for r in results]
    shown = "\n".join(lines[:20]) + (f"\n… and {len(lines) - 20} more days" if len(lines) > 20 else "")
    return f"No day of this run has content.\n{shown}"


def record_only(context: dg.AssetExecutionContext, days: Mapping[dg.AssetKey, Sequence[str]]) -> None:
    """Let the outputs of this step record materialisations for these days only."""
    step = context.op_execution_context.get_step_execution_context()
    original = step.get_output_context

    def narrowed(*args: Any, **kwargs: Any) -> Any:
        output = original(*args, **kwargs)
        subset = output._asset_partitions_subset  # noqa: SLF001 - pinned, see the module's docstring
        if subset is not None and output.asset_key in days:
            partitions: Any = step.job_def.asset_layer.get(output.asset_key).partitions_def
            narrow = partitions.subset_with_partition_keys(days[output.asset_key])
            output._asset_partitions_subset = narrow  # noqa: SLF001 - likewise
        return output

    step.get_output_context = narrowed  # type: ignore[method-assign]


def behind(days: Sequence[date], lateness: int, lake: Lake, table: str) -> list[date]:
    """The published days of a table just before a run's days, which late records of the run may belong to."""
    if not lateness or not lake.exists(table):
        return []
    reach = {day - timedelta(days=offset) for day in days for offset in range(1, lateness + 1)}
    return sorted((reach - set(days)) & set(lake.published_days(table)))


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days of the run, in order."""
    return sorted(date.fromisoformat(key) for key in context.partition_keys)


def forced(context: dg.AssetExecutionContext) -> bool:
    """Whether the run was told to do everything again, by the tag `sluice/force: "true"`."""
    return context.run.tags.get(FORCE_TAG, "").lower() == "true"


def overriding(context: dg.AssetExecutionContext) -> Override | None:
    """Whether the run was told to publish what a gate refused, by the tags `sluice/publish_refused` and `sluice/by`.

    Raises:
        dg.Failure: Only one of the two tags is there.
    """
    tags = context.run.tags
    reason, by = (tags.get(name, "").strip() for name in (OVERRIDE_TAG, BY_TAG))
    if OVERRIDE_TAG not in tags:
        return None
    if not reason or not by:
        raise dg.Failure(
            f"Publishing refused days needs the tag {OVERRIDE_TAG} with the reason, and {BY_TAG} with the name of who "
            "decides; they stay on the record. Add what is missing, and run it again.",
            allow_retries=False,
        )
    return Override(reason, by)


def check_spec(
    name: str, asset: dg.AssetKey, partitions: dg.PartitionsDefinition[Any], description: str
) -> dg.AssetCheckSpec:
    """A check with one result a partition."""
    with dg._utils.warnings.disable_dagster_warnings():  # noqa: SLF001 - partitioned checks are marked as a preview
        return dg.AssetCheckSpec(name, asset=asset, partitions_def=partitions, description=description, blocking=False)


__all__ = ["Check", "Recorded", "behind", "check_spec", "days_of", "forced", "overriding", "record_only", "run_days"]
