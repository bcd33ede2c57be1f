"""Features: a day's events become daily partial aggregates, its labels become examples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from assets.features import SHAPES, FeaturesSpec, daily
from assets.features.spec import KNOWN_ON
from assets.lake import Lake, digest
from assets.stages.day import Check, DayResult
from assets.stages.ledger import blocked, remember, remembered

VERSION = 2
"""Raise it when the meaning of a feature changes: every partition is then made anew."""


@dataclass(frozen=True)
class Inputs:
    """The lake's tables that features are made of.

    Attributes:
        events: The events to count.
        labels: The weak labels.
        catalogue: The snapshots of the items, or None.
        catalogue_asset: What to materialise when there is no snapshot yet.
    """

    events: str
    labels: str
    catalogue: str | None = None
    catalogue_asset: str = ""


def daily_table(name: str) -> str:
    """The lake's name for the daily partial aggregates of a features declaration."""
    return f"{name}__daily"


def code_version(spec: FeaturesSpec) -> str:
    """Changes when the declaration changes in a way that changes the examples."""
    return digest("features", VERSION, meaning(spec))[:16]


def meaning(spec: FeaturesSpec) -> dict[str, Any]:
    """The part of a declaration that decides about content: not its description, nor how a model splits it."""
    declared = spec.model_dump(mode="json", by_alias=True)
    return {key: value for key, value in declared.items() if key not in ("description", "owners", "tags", "split")}


def materialize_daily(
    lake: Lake, spec: FeaturesSpec, inputs: Inputs, day: date, *, run_id: str, force: bool = False
) -> DayResult:
    """Aggregate one day's events, so that a night costs a night and not a history."""
    events = lake.published(inputs.events, day) if lake.exists(inputs.events) else None
    if events is None:
        return blocked(day, inputs.events, inputs.events)
    if inputs.catalogue and _never_crawled(lake, inputs.catalogue, day):
        return blocked(day, inputs.catalogue, inputs.catalogue_asset)
    # Whoever reads the aggregates does so on a later day, which knows what was known when this one was over.
    snapshot = known_snapshot(lake, inputs.catalogue, day + timedelta(days=1))
    identity = digest(
        "daily", code_version(spec), events.fingerprint, _snapshot_digest(lake, inputs.catalogue, snapshot)
    )
    table = daily_table(spec.name)
    if not force and (earlier := remembered(lake, [table], day, identity)):
        return earlier
    frame = daily(
        lake.scan(inputs.events, start=day, end=day), spec, catalogue=_snapshot(lake, inputs.catalogue, snapshot)
    )
    staged = lake.stage(table, day, frame, digest=identity, run_id=run_id)
    report = {"rows": staged.rows, "bytes": staged.bytes, "events": events.rows, "digest": identity}
    remember(lake, table, day, identity, report, ())
    version = lake.publish(staged, commit_info={"sluice.stage": "daily", "sluice.run_id": run_id}, replace=force)
    return DayResult(day, "published", {**report, "version": version})


def materialize_examples(
    lake: Lake, spec: FeaturesSpec, inputs: Inputs, day: date, *, run_id: str, force: bool = False
) -> DayResult:
    """Make one day's examples from its labels and what was known before the day."""
    labels = lake.published(inputs.labels, day) if lake.exists(inputs.labels) else None
    if labels is None:
        return blocked(day, inputs.labels, inputs.labels)
    if inputs.catalogue and _never_crawled(lake, inputs.catalogue, day):
        return blocked(day, inputs.catalogue, inputs.catalogue_asset)
    snapshot = known_snapshot(lake, inputs.catalogue, day)
    table = daily_table(spec.name)
    before = {
        d.isoformat(): entry.fingerprint
        for d, entry in sorted((lake.published_days(table) if lake.exists(table) else {}).items())
        if day - timedelta(days=spec.longest_window) <= d < day
    }
    identity = digest(
        "examples", code_version(spec), labels.fingerprint, before, _snapshot_digest(lake, inputs.catalogue, snapshot)
    )
    if not force and (earlier := remembered(lake, [spec.name], day, identity)):
        return earlier
    frame = SHAPES[spec.shape].make(
        lake.scan(inputs.labels, start=day, end=day),
        window(lake, spec, day),
        _snapshot(lake, inputs.catalogue, snapshot),
        spec,
        day=day,
    )
    staged = lake.stage(spec.name, day, frame, digest=identity, run_id=run_id)
    counts = _counts(lake.scan_staged(staged))
    report = {
        "rows": staged.rows,
        "bytes": staged.bytes,
        **counts,
        "days_of_history": len(before),
        "catalogue_snapshot": snapshot.isoformat() if snapshot else None,
        "digest": identity,
    }
    checks = (
        Check(
            "has_positives",
            counts["positives"] > 0 or staged.rows == 0,
            severity="warning",
            description="{positives} positive, {labelled} labelled, {negatives} sampled.".format(**counts),
        ),
    )
    remember(lake, spec.name, day, identity, report, checks)
    version = lake.publish(staged, commit_info={"sluice.stage": "examples", "sluice.run_id": run_id}, replace=force)
    return DayResult(day, "published", {**report, "version": version}, checks)


def window(lake: Lake, spec: FeaturesSpec, day: date) -> pl.LazyFrame | None:
    """The daily partial aggregates of the days before a day, as far back as the longest window; None without any.

    What became known on the day or later is still among them: `assets.features.history.known_before` leaves it out, for
    training and serving alike.
    """
    table = daily_table(spec.name)
    if not lake.exists(table):
        return None
    return lake.scan(table, start=day - timedelta(days=spec.longest_window), end=day - timedelta(days=1))


def known_snapshot(lake: Lake, catalogue: str | None, before: date) -> date | None:
    """The day of the newest snapshot with rows that was known before a day began, if there is one.

    A snapshot is known on the last of the days on which its rows became known (`known_on`), and is a fact for every
    day after it. Partitions that another program wrote hold no such column: they count as known at their own end.
    """
    if catalogue is None or not lake.exists(catalogue):
        return None
    for day, entry in sorted(lake.published_days(catalogue).items(), reverse=True):
        if day < before and entry.rows and _known_on(lake, catalogue, day) < before:
            return day
    return None


def _known_on(lake: Lake, table: str, day: date) -> date:
    rows = lake.scan(table, start=day, end=day)
    if KNOWN_ON not in rows.collect_schema():
        return day
    known: date | None = rows.select(pl.col(KNOWN_ON).max()).collect().item()
    return day if known is None else known


def snapshot_frame(lake: Lake, catalogue: str | None, before: date) -> pl.LazyFrame | None:
    """The newest snapshot that was known before a day began; without rows when none was; None without a catalogue."""
    return _snapshot(lake, catalogue, known_snapshot(lake, catalogue, before))


def _snapshot(lake: Lake, catalogue: str | None, day: date | None) -> pl.LazyFrame | None:
    if catalogue is None or not lake.exists(catalogue):
        return None
    return lake.scan(catalogue).head(0) if day is None else lake.scan(catalogue, start=day, end=day)


def _never_crawled(lake: Lake, catalogue: str | None, day: date) -> bool:
    """Whether there is no snapshot of a day or an earlier one: somebody has forgotten it, and it can be had."""
    if catalogue is None:
        return False
    published = lake.published_days(catalogue) if lake.exists(catalogue) else {}
    return not any(one <= day and entry.rows for one, entry in published.items())


def _snapshot_digest(lake: Lake, catalogue: str | None, day: date | None) -> str | None:
    published = lake.published(catalogue, day) if catalogue and day else None
    return published.fingerprint if published else None


def _counts(frame: pl.LazyFrame) -> dict[str, int]:
    labelled = pl.col("origin") == "labelled"
    row = frame.select(
        labelled=labelled.sum(),
        positives=(labelled & (pl.col("label") >= 0.5)).sum(),
        negatives=(~labelled).sum(),
    ).collect(engine="streaming")
    return {name: int(value) for name, value in row.row(0, named=True).items()}
