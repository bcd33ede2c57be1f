"""Checks with one result a day: how they are declared, and how a day's results become Dagster's events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster import AssetCheckEvaluation, AssetCheckSeverity
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from assets.stages.day import Check, DayResult, Status

PUBLISHED = "published"
"""The check that every asset of days has: whether a day has up-to-date content here, and if not, why."""


def check_spec(
    name: str, asset: dg.AssetKey, partitions: dg.PartitionsDefinition[Any], description: str
) -> dg.AssetCheckSpec:
    """A check with one result a partition."""
    with dg._utils.warnings.disable_dagster_warnings():  # noqa: SLF001 - partitioned checks are marked as a preview
        return dg.AssetCheckSpec(name, asset=asset, partitions_def=partitions, description=description, blocking=False)


def published_check(asset: dg.AssetKey, partitions: dg.PartitionsDefinition[Any]) -> dg.AssetCheckSpec:
    """The check whose result says of each day whether it has up-to-date content, and if not, why."""
    text = "The day has up-to-date content. A day that failed, was blocked or was refused says why."
    return check_spec(PUBLISHED, asset, partitions, text)


def check_events(
    context: dg.AssetExecutionContext,
    results: Iterable[DayResult],
    checks: Sequence[dg.AssetCheckSpec],
    good: Mapping[dg.AssetKey, frozenset[Status]],
) -> Iterator[AssetCheckEvaluation]:
    """The check results of days: whether each was published, for every asset of the step, and what it reports itself.

    Args:
        context: The step's context.
        results: The days.
        checks: The check specs of the step.
        good: In which states a day counts as published, by asset.
    """
    specs = {spec.name: spec for spec in checks if spec.name != PUBLISHED}
    for result in results:
        targets = {key: _newest(context, key, result.day) for key in good}
        for key, when in good.items():
            yield _evaluation(key, _published(result, when), result, targets[key])
        for check in result.checks:
            key = specs[check.name].asset_key
            yield _evaluation(key, check, result, targets[key])


def _published(result: DayResult, when: frozenset[Status]) -> Check:
    passed = result.status in when
    text = f"{result.status}. {result.message}".strip() if not passed or result.message else f"{result.status}."
    return Check(PUBLISHED, passed, description=text, metadata={"status": result.status})


def _evaluation(
    key: dg.AssetKey,
    check: Check,
    result: DayResult,
    target: AssetCheckEvaluationTargetMaterializationData | None,
) -> AssetCheckEvaluation:
    return AssetCheckEvaluation(
        asset_key=key,
        check_name=check.name,
        passed=check.passed,
        metadata={name: _metadata(value) for name, value in check.metadata.items() if value is not None},
        severity=AssetCheckSeverity.ERROR if check.severity == "error" else AssetCheckSeverity.WARN,
        description=check.description,
        blocking=False,
        partition=result.day.isoformat(),
        target_materialization_data=target,
    )


def _newest(
    context: dg.AssetExecutionContext, key: dg.AssetKey, day: Any
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
