"""What a model is made of, and what decides about each phase of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from assets.features import FeaturesSpec
from assets.features.split import split_days
from assets.lake import Lake, digest
from assets.stages import features
from assets.stages.features import Inputs
from training.publish import read_record
from training.spec import ModelSpec

VERSION = 2
"""Raise it when the meaning of training changes: every model is then trained anew."""

Launch = Callable[[Mapping[str, Any]], None]

Phase = Literal["train", "compress", "evaluate", "decide", "recommend"]

OWN: Mapping[Phase, tuple[str, ...]] = {
    "compress": ("compress",),
    "evaluate": ("evaluate",),
    "decide": ("bless",),
    "recommend": ("recommend",),
}
"""The fields of a declaration that a phase after training reads; training reads all others but those of no phase."""

OF_NO_PHASE = ("description", "owners", "tags", "start_deadline", "freeze_deadline", "max_restarts", "launcher")
"""Fields that change nothing of what is made."""


@dataclass(frozen=True)
class ModelInputs:
    """What a model is made of.

    Attributes:
        model: The model's declaration.
        features: The declaration of its examples.
        tables: The lake's tables behind the examples.
    """

    model: ModelSpec
    features: FeaturesSpec
    tables: Inputs

    @property
    def window_days(self) -> int:
        """Length of the trailing window of examples."""
        return self.model.window.days

    def first_day(self, day: date) -> date:
        """The first day of the window that ends with a day."""
        return day - timedelta(days=self.window_days - 1)


@dataclass(frozen=True)
class Request:
    """How a run asks for a phase.

    Attributes:
        run_id: The run.
        origin: The first of the runs that this one tries again; itself when it is the first.
        by: Who decides, for the record.
        force: Whether what is done is done again.
    """

    run_id: str
    origin: str = ""
    by: str = ""
    force: bool = False

    @property
    def first_run(self) -> str:
        """The run with which it began."""
        return self.origin or self.run_id

    @property
    def who(self) -> str:
        """The person who decides, or the run."""
        return self.by or f"run {self.run_id}"


@dataclass(frozen=True)
class TrainingRun:
    """The training on the window that ends with a day.

    Attributes:
        identity: Changes with everything that the training reads.
        folder: Holds the records of its phases, the prepared data and what was made.
        days: Digests of the examples, by day.
        present: The days that have any example.
        warm_start: The version that training starts from, if it is declared and there is one.
    """

    identity: str
    folder: Path
    days: Mapping[str, str]
    present: tuple[date, ...]
    warm_start: str | None = None

    @property
    def data(self) -> Path:
        """The prepared training set."""
        return self.folder / "data"

    @property
    def out(self) -> Path:
        """What the tasks of the training make."""
        return self.folder / "model"


def declared(spec: ModelSpec, phase: Phase) -> dict[str, Any]:
    """The part of a declaration that decides about a phase."""
    fields = spec.model_dump(mode="json")
    if phase in OWN:
        return {name: fields[name] for name in OWN[phase]}
    others = {name for names in OWN.values() for name in names}.union(OF_NO_PHASE)
    return {name: value for name, value in fields.items() if name not in others}


def code_version(inputs: ModelInputs, *phases: Phase) -> str:
    """Changes when the declaration changes in a way that changes what these phases make, by themselves."""
    parts: list[object] = [declared(inputs.model, phase) for phase in phases]
    if "train" in phases:
        parts += [features.code_version(inputs.features), inputs.features.split.model_dump(mode="json")]
    return digest("model", VERSION, *phases, *parts)[:16]


def training_run(lake: Lake, inputs: ModelInputs, day: date) -> TrainingRun:
    """The training run of a day, as declaration and examples are now."""
    name, first = inputs.features.name, inputs.first_day(day)
    published = lake.published_days(name) if lake.exists(name) else {}
    entries = {d: entry for d, entry in sorted(published.items()) if first <= d <= day}
    days = {d.isoformat(): entry.fingerprint for d, entry in entries.items()}
    record = read_record(lake.models(inputs.model.name)) if inputs.model.warm_start else None
    warm_start = record.opponent(day - timedelta(days=1)) if record else None
    identity = digest("run", code_version(inputs, "train"), day.isoformat(), days, warm_start)
    return TrainingRun(
        identity,
        lake.scratch_dir(inputs.model.name) / day.isoformat() / identity[:16],
        days,
        tuple(d for d, entry in entries.items() if entry.rows),
        warm_start,
    )


def first_test_day(run: TrainingRun, inputs: ModelInputs) -> date:
    """The first test day: ranking knows only what was known before it.

    Raises:
        TooFewDaysError: The split needs more days with examples.
    """
    return split_days(run.present, inputs.features).test[0]


def known_digest(lake: Lake, inputs: ModelInputs, day: date) -> str:
    """Changes with what is known before a day and ranks or recommends: daily aggregates, the catalogue's snapshot."""
    daily, catalogue = features.daily_table(inputs.features.name), inputs.tables.catalogue
    published = lake.published_days(daily) if lake.exists(daily) else {}
    first = day - timedelta(days=inputs.features.longest_window)
    window = {d.isoformat(): entry.fingerprint for d, entry in sorted(published.items()) if first <= d < day}
    snapshot = features.known_snapshot(lake, catalogue, day)
    entry = lake.published(catalogue, snapshot) if catalogue and snapshot else None
    return digest("known", window, snapshot.isoformat() if snapshot else None, entry.fingerprint if entry else None)
