"""Decide: the smallest candidate within the declared bounds becomes a version, and the champion if the rules let it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from assets.lake import Lake, digest
from assets.stages.day import Check, DayResult
from assets.stages.ledger import blocked
from assets.stages.model.compare import comparison
from assets.stages.model.inputs import ModelInputs, Request, declared, training_run
from assets.stages.model.record import recorded, write_record
from training.bless import bless
from training.publish import VERSIONS, champion, publish
from training.runtimes import model_file


def decide(lake: Lake, inputs: ModelInputs, day: date, request: Request) -> DayResult:
    """Bless the smallest candidate within the declared bounds, keep it as a version, and switch the champion to it.

    The champion stays where it is newer, or where a person chose it; `training.champions` has the rules.
    """
    run = training_run(lake, inputs, day)
    trained, candidates = recorded(run.folder, "train", run.identity), f"{inputs.model.name}__candidates"
    if trained is None:
        return blocked(day, candidates, candidates)
    found = comparison(lake, inputs, day, run)
    evaluated = recorded(run.folder, "evaluate", found.evaluated)
    if evaluated is None:
        return blocked(day, candidates, candidates)
    models = lake.models(inputs.model.name)
    identity = digest("decide", found.evaluated, declared(inputs.model, "decide"))
    done = recorded(run.folder, "decide", identity)
    if done and not request.force and champion(models) is not None:
        return DayResult(day, "unchanged", done.report, done.results())
    measured = evaluated.report["evaluation"]
    verdict = bless(measured, inputs.model.bless)
    report: dict[str, Any] = {**verdict.to_json(), "digest": identity}
    checks = _checks(report)
    if verdict.candidate is None:
        return DayResult(day, "refused", report, checks, f"No candidate was blessed: {'; '.join(verdict.reasons)}")
    file = model_file(run.out / "candidates" / verdict.candidate)
    content = hashlib.sha256(file.read_bytes() if file else b"").hexdigest()
    report["version"] = f"{found.versions(day)}-{content[:8]}"
    published = publish(
        models,
        version=report["version"],
        run=run.out,
        encoding=run.data / "encoding",
        candidate=verdict.candidate,
        card={
            "model": inputs.model.model_dump(mode="json"),
            "as_of": day.isoformat(),
            "verdict": report,
            "evaluation": measured,
            "data": {
                "table": inputs.features.name,
                "version": trained.report["examples_version"],
                "days": dict(run.days),
                "parts": trained.report["parts"],
            },
        },
        by=request.who,
        reason=verdict.reasons[0],
        asked=request.force,
    )
    report |= {
        "champion": published.champion,
        "kept": published.kept,
        "path": published.uri,
        "card": models.read(f"{VERSIONS}/{published.version}/card.md").decode(),
    }
    record = write_record(run.folder, "decide", identity, report, checks)
    return DayResult(day, "published", record.report, record.results(), published.kept)


def _checks(report: Mapping[str, Any]) -> tuple[Check, ...]:
    return (
        Check(
            "blessed",
            report["candidate"] is not None,
            description="; ".join(report["reasons"]),
            metadata={"candidate": report["candidate"], "considered": report["considered"]},
        ),
    )
