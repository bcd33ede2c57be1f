"""Train: the float model, on the window of examples that ends with a day."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

from assets.features.prepare import TrainingSet, prepare
from assets.lake import Lake
from assets.stages import features
from assets.stages.day import DayResult
from assets.stages.ledger import blocked
from assets.stages.model.inputs import Launch, ModelInputs, Request, TrainingRun, training_run
from assets.stages.model.record import PhaseRecord, read, recorded, write_record
from training.publish import fetch_version


def train(lake: Lake, inputs: ModelInputs, day: date, launch: Launch, request: Request) -> DayResult:
    """Prepare the training set of the window that ends with a day, and train the float model on it.

    A training that was interrupted goes on: its checkpoint lies in the scratch of the task, and the trainer takes it up
    when task and data are the very same.
    """
    run = training_run(lake, inputs, day)
    if day.isoformat() not in run.days:
        return blocked(day, inputs.features.name, inputs.features.name)
    done = recorded(run.folder, "train", run.identity)
    if done and not request.force:
        return DayResult(day, "unchanged", done.report, message="Trained before on the very same examples.")
    if request.force and not begun_by(run, request):
        shutil.rmtree(run.folder, ignore_errors=True)
    data = prepared(lake, inputs, day, run, request)
    models = lake.models(inputs.model.name)
    launch(
        {
            "task": "train",
            "model": inputs.model.model_dump(mode="json"),
            "data": str(run.data),
            "out": str(run.out),
            "warm_start_from": str(fetch_version(models, run.warm_start) / "float") if run.warm_start else None,
        }
    )
    report = {
        **{name: value for name, value in data.report.items() if name != "run"},
        "digest": run.identity,
        "examples": dict(run.days),
        "metrics": read(run.out / "metrics.json"),
        "history": read(run.out / "history.json"),
        "tensorboard": str(run.out / "tensorboard"),
        "folder": str(run.folder),
    }
    return DayResult(day, "published", write_record(run.folder, "train", run.identity, report).report)


def prepared(lake: Lake, inputs: ModelInputs, day: date, run: TrainingRun, request: Request) -> PhaseRecord:
    """The training set of a run, prepared now when it has not been, or is not there any more."""
    # Beside what it vouches for: who clears old training sets away takes it along.
    done = recorded(run.data, "prepared", run.identity)
    if done:
        return done
    version = lake.version(inputs.features.name)
    made = prepare_set(lake, inputs, day, run.data, version=version)
    report = {**made.to_json(), "examples_version": version, "run": request.first_run}
    return write_record(run.data, "prepared", run.identity, report)


def begun_by(run: TrainingRun, request: Request) -> bool:
    """Whether this very run, or one that it tries again, has begun the training: then it goes on with it."""
    done = recorded(run.data, "prepared", run.identity)
    return (
        done is not None
        and done.report.get("run") == request.first_run
        and recorded(run.folder, "train", run.identity) is None
    )


def prepare_set(
    lake: Lake,
    inputs: ModelInputs,
    day: date,
    out: Path,
    *,
    version: int,
    encoding: Path | None = None,
    ranked_from: date | None = None,
) -> TrainingSet:
    """Write a training set of the window that ends with a day.

    Args:
        lake: The lake.
        inputs: What the model is made of.
        day: The last day of the window.
        out: Where to write.
        version: Of the table of examples.
        encoding: The vocabularies to encode with; without them they are fitted.
        ranked_from: The first test day, to write the pairs for ranking as well.
    """
    known: dict[str, Any] = {}
    if ranked_from is not None:
        known = {
            "daily_window": features.window(lake, inputs.features, ranked_from),
            "catalogue": features.snapshot_frame(lake, inputs.tables.catalogue, ranked_from),
            "ranking_users": inputs.model.evaluate.users,
        }
    return prepare(
        lake.scan(inputs.features.name, start=inputs.first_day(day), end=day, version=version),
        inputs.features,
        as_of=day,
        window_days=inputs.window_days,
        out=out,
        seed=inputs.model.seed,
        encoding_dir=encoding,
        **known,
    )
