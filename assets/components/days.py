"""Run a stage for every day of a run: one materialisation, one set of checks and one line in the log a day."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import dagster as dg
from dagster._core.errors import DagsterPipesExecutionError

from assets.components.day_checks import check_events
from assets.components.narrowing import record_only
from assets.lake import PublishConflictError
from assets.stages.day import DayResult, Status
from foundation.redacted import frames_of, without_values

LONGEST_LIST = 20

_Describe: TypeAlias = Callable[[dg.AssetKey, DayResult], dict[str, Any]]


@dataclass(frozen=True)
class Recorded:
    """One asset of a step, in which states a day counts as published for it, and what each materialisation shows."""

    key: dg.AssetKey
    when: frozenset[Status] = frozenset({"published", "unchanged"})
    shown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Days:
    """What a step does for the days of a run.

    Attributes:
        days: The days, in order.
        work: The stage for one day. An exception is that day's failure and does not stop the others.
        describe: Metadata of a day's materialisation.
        amend: Earlier days to bring up to date as well, because late records may have reached them. A day that turns
            out unchanged leaves no event; one that cannot be brought up to date is a bad day like those of the run.
        afterwards: What is done once the days are, such as a clean-up.
    """

    days: Sequence[date]
    work: Callable[[date], DayResult]
    describe: Callable[[DayResult], Mapping[str, Any]]
    amend: Sequence[date] = ()
    afterwards: Callable[[], None] = lambda: None


def run_days(
    context: dg.AssetExecutionContext,
    todo: Days,
    records: Sequence[Recorded],
    checks: Sequence[dg.AssetCheckSpec],
) -> Iterator[Any]:
    """Do the work of each day and yield its events.

    Args:
        context: The step's context.
        todo: The days and what to do.
        records: The assets of the step.
        checks: The check specs of the step; every check a day reports must be among them.

    Raises:
        dg.Failure: No day of the run has content after it; or a day failed for a reason that may pass, and the step
            may be tried again. Days that are done are recognised then.
    """
    results = [_attempt(context, day, todo.work) for day in todo.days]
    if any(result.transient for result in results) and _may_try_again(context):
        raise dg.Failure(description=_summary(results), allow_retries=True)
    good = {record.key: record.when for record in records}
    shown = {record.key: record.shown for record in records}

    def describe(key: dg.AssetKey, result: DayResult) -> dict[str, Any]:
        return {**todo.describe(result), **shown[key]}

    kept = {key: [result for result in results if result.status in when] for key, when in good.items()}
    if not kept[records[0].key]:
        # The quarantine of refused days, for instance, was published beside what was not.
        for record in records[1:]:
            yield from _materializations(record.key, kept[record.key], describe)
        yield from check_events(context, results, checks, good)
        raise dg.Failure(description=_summary(results), allow_retries=False)
    for spec in checks:
        if spec.key in context.selected_asset_check_keys:
            yield dg.Output(None, output_name=spec.get_python_identifier())
    yield from _outputs(context, kept, describe)
    yield from check_events(context, results, checks, good)
    for day in todo.amend:
        yield from _amend(context, _attempt(context, day, todo.work), records, checks, describe)
    todo.afterwards()


def _outputs(
    context: dg.AssetExecutionContext,
    kept: Mapping[dg.AssetKey, Sequence[DayResult]],
    describe: _Describe,
) -> Iterator[Any]:
    record_only(context, {key: [r.day.isoformat() for r in results] for key, results in kept.items()})
    for key, results in kept.items():
        if key not in context.selected_asset_keys:
            # A run that asks for one asset of a step makes the others as well, so it says so.
            yield from _materializations(key, results, describe)
            continue
        for result in results:
            context.add_asset_metadata(describe(key, result), asset_key=key, partition_key=result.day.isoformat())
        if results:
            yield dg.MaterializeResult(asset_key=key)


def _materializations(
    key: dg.AssetKey, results: Sequence[DayResult], describe: _Describe
) -> Iterator[dg.AssetMaterialization]:
    for result in results:
        yield dg.AssetMaterialization(key, partition=result.day.isoformat(), metadata=describe(key, result))


def _amend(
    context: dg.AssetExecutionContext,
    result: DayResult,
    records: Sequence[Recorded],
    checks: Sequence[dg.AssetCheckSpec],
    describe: _Describe,
) -> Iterator[Any]:
    if result.status == "unchanged":
        return
    if result.visible:
        for record in records:
            metadata = {**describe(record.key, result), "amended": True}
            yield dg.AssetMaterialization(record.key, partition=result.day.isoformat(), metadata=metadata)
    told = result if result.visible else _not_taken_in(result)
    yield from check_events(context, [told], checks, {record.key: record.when for record in records})


def _not_taken_in(result: DayResult) -> DayResult:
    message = f"Late records could not be taken in; what was published before stands. {result.message}"
    return DayResult(result.day, result.status, result.report, result.checks, message, result.transient)


def _attempt(context: dg.AssetExecutionContext, day: date, work: Callable[[date], DayResult]) -> DayResult:
    started = time.monotonic()
    try:
        result = work(day)
    except Exception as error:  # noqa: BLE001 - one day's failure must not stop the others; it is reported below
        context.log.debug(f"{day}: {frames_of(error)}")
        result = DayResult(day, "failed", message=without_values(error), transient=_passes(error))
    log = context.log.info if result.visible else context.log.error
    log(day_line(result, time.monotonic() - started))
    return result


def _passes(error: Exception) -> bool:
    """Whether what went wrong may be gone by itself a little later."""
    if isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError | IsADirectoryError):
        return False
    return isinstance(error, OSError | DagsterPipesExecutionError | PublishConflictError)


def _may_try_again(context: dg.AssetExecutionContext) -> bool:
    policy = context.op_execution_context.get_step_execution_context().op_retry_policy
    return policy is not None and context.retry_number < policy.max_retries


def day_line(result: DayResult, seconds: float) -> str:
    """One line about one day: its status, its rows and the time it took; or why there are none."""
    counts = _counts(result.report) if result.status != "unchanged" else ""
    line = f"{result.day}: {result.status}{counts} ({seconds:.1f} s)"
    return line if result.status in ("published", "unchanged") else f"{line}: {result.message}".rstrip(": ")


def _counts(report: Mapping[str, Any]) -> str:
    accounting = report.get("accounting")
    if not isinstance(accounting, Mapping):
        return f", {report['rows']} rows" if isinstance(report.get("rows"), int) else ""
    fates = {
        "kept": accounting["rows_out"],
        **{fate: sum(accounting[fate].values()) for fate in ("made", "quarantined", "removed") if accounting.get(fate)},
    }
    return f", {accounting['rows_in']} rows in: " + ", ".join(f"{rows} {fate}" for fate, rows in fates.items())


def _summary(results: Sequence[DayResult]) -> str:
    bad = [result for result in results if not result.visible]
    if len(results) == 1:
        return f"{results[0].day}: {results[0].status}. {results[0].message}".strip()
    lines = [f"{r.day}: {r.status}. {r.message}".strip() for r in bad]
    more = [f"… and {len(lines) - LONGEST_LIST} more days"] if len(lines) > LONGEST_LIST else []
    return "\n".join([f"{len(bad)} of {len(results)} days have no new content:", *lines[:LONGEST_LIST], *more])
