"""Compare: compressed candidates of the float model, each measured beside it, popularity and the champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from assets.features import FeaturesError
from assets.lake import Lake, digest
from assets.stages.day import Check, DayResult
from assets.stages.ledger import blocked
from assets.stages.model.inputs import (
    Launch,
    ModelInputs,
    Request,
    TrainingRun,
    declared,
    first_test_day,
    known_digest,
    training_run,
)
from assets.stages.model.record import read, recorded, write_record
from assets.stages.model.train import prepare_set, prepared
from training.publish import fetch_version, read_record


@dataclass(frozen=True)
class Comparison:
    """What the comparison of a training run reads.

    Attributes:
        compressed: Identity of the candidates.
        evaluated: Identity of their measurement.
        opponent: The version of the champion that they are measured beside, or None.
        ranked_from: The first test day.
    """

    compressed: str
    evaluated: str
    opponent: str | None
    ranked_from: date

    def versions(self, day: date) -> str:
        """How the versions that are made of these candidates begin."""
        return f"{day.isoformat()}-{self.compressed[:8]}"


def comparison(lake: Lake, inputs: ModelInputs, day: date, run: TrainingRun) -> Comparison:
    """The comparison of a day, as declaration, champion and what ranking knows are now."""
    compressed = digest("compress", run.identity, declared(inputs.model, "compress"))
    mine = Comparison(compressed, "", None, first_test_day(run, inputs))
    record = read_record(lake.models(inputs.model.name))
    opponent = record.opponent(day, besides=mine.versions(day)) if record else None
    known = known_digest(lake, inputs, mine.ranked_from)
    evaluated = digest("evaluate", compressed, declared(inputs.model, "evaluate"), opponent, known)
    return Comparison(compressed, evaluated, opponent, mine.ranked_from)


def compare(lake: Lake, inputs: ModelInputs, day: date, launch: Launch, request: Request) -> DayResult:
    """Make the compressed candidates of the day's float model, and measure all of them."""
    run = training_run(lake, inputs, day)
    trained = f"{inputs.model.name}__float"
    if recorded(run.folder, "train", run.identity) is None:
        return blocked(day, trained, trained)
    found = comparison(lake, inputs, day, run)
    done = recorded(run.folder, "evaluate", found.evaluated)
    if done and not request.force:
        return DayResult(day, "unchanged", done.report, done.results())
    data = prepared(lake, inputs, day, run, request).report
    task = {"model": inputs.model.model_dump(mode="json"), "out": str(run.out)}
    if request.force or recorded(run.folder, "compress", found.compressed) is None:
        launch({"task": "compress", "data": str(run.data), **task})
        write_record(run.folder, "compress", found.compressed, {})
    measured_on = run.folder / "test_data"
    version = data["examples_version"]
    prepare_set(
        lake,
        inputs,
        day,
        measured_on,
        version=version,
        encoding=run.data / "encoding",
        ranked_from=found.ranked_from,
    )
    opponent, note = _opponent(lake, inputs, day, run, found, version)
    launch({"task": "evaluate", "data": str(measured_on), **task, **opponent})
    measured = read(run.out / "evaluation.json") | ({"champion_note": note} if note else {})
    report = {"digest": found.evaluated, "evaluation": measured}
    record = write_record(run.folder, "evaluate", found.evaluated, report, _checks(measured))
    return DayResult(day, "published", record.report, record.results())


def _checks(measured: Mapping[str, Any]) -> tuple[Check, ...]:
    beats = measured["beats_popularity"]
    return (
        Check(
            "beats_popularity",
            beats["passed"],
            severity="warning",
            description=beats["message"],
            metadata={key: value for key, value in beats.items() if key != "message"},
        ),
    )


def _opponent(
    lake: Lake, inputs: ModelInputs, day: date, run: TrainingRun, found: Comparison, version: int
) -> tuple[dict[str, str], str]:
    """The champion, with the test examples encoded by its own vocabularies; or why it cannot be measured on them."""
    if found.opponent is None:
        return {}, ""
    try:
        folder = fetch_version(lake.models(inputs.model.name), found.opponent)
    except FileNotFoundError:
        return {}, f"the champion {found.opponent} could not be measured: its version was cleared away"
    data = run.folder / "champion_data"
    try:
        prepare_set(
            lake,
            inputs,
            day,
            data,
            version=version,
            encoding=folder / "encoding",
            ranked_from=found.ranked_from,
        )
    except FeaturesError as error:
        # A model of other features has no place on these examples, and must not keep later ones from being blessed.
        return {}, f"the champion {found.opponent} could not be measured on these examples: {error}"
    return {"champion": str(folder), "champion_data": str(data)}, ""
