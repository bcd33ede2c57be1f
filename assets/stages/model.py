"""Model: a window of examples becomes a trained, compressed, compared, blessed and published model; it recommends.

Training runs in processes of its own: `launch` is given a task as JSON and returns when it is done.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from assets.features import FeaturesError, FeaturesSpec
from assets.features.pairs import pair_encoder
from assets.features.prepare import TrainingSet, prepare
from assets.features.split import split_days
from assets.lake import Lake, digest
from assets.stages import features
from assets.stages.day import Check, DayResult
from assets.stages.features import Inputs
from assets.stages.ledger import blocked, remember, remembered
from training.bless import bless
from training.publish import champion, publish
from training.spec import ModelSpec

VERSION = 1
"""Raise it when the meaning of training changes: every model is then trained anew."""

Launch = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Road:
    """What a model is made of.

    Attributes:
        model: The model's declaration.
        features: The declaration of its examples.
        inputs: The lake's tables behind the examples.
    """

    model: ModelSpec
    features: FeaturesSpec
    inputs: Inputs

    @property
    def window_days(self) -> int:
        """Length of the trailing window of examples."""
        return self.model.window.days


def recommendations_table(model: str) -> str:
    """The lake's name for the recommendations of a model."""
    return f"{model}__recommendations"


def recommendations_schema(spec: FeaturesSpec) -> pl.Schema:
    """Columns of the recommendations, without the partition column: k rows a user, the best first."""
    return pl.Schema(
        {
            spec.user: pl.String(),
            spec.item: pl.String(),
            "score": pl.Float32(),
            "rank": pl.Int32(),
            "model_version": pl.String(),
        }
    )


def code_version(road: Road) -> str:
    """Changes when the declaration changes in a way that changes the model."""
    declared = road.model.model_dump(mode="json")
    kept = {k: v for k, v in declared.items() if k not in ("description", "owners", "tags", "recommend")}
    return digest("model", VERSION, kept, features.code_version(road.features), road.features.split.model_dump())[:16]


def run_folder(lake: Lake, road: Road, day: date) -> tuple[str, Path, dict[str, str]]:
    """The identity of a training run, its folder, and the digests of the examples that it reads."""
    name = road.features.name
    first = day - timedelta(days=road.window_days - 1)
    published = lake.published_days(name) if lake.exists(name) else {}
    days = {d.isoformat(): entry.fingerprint for d, entry in sorted(published.items()) if first <= d <= day}
    identity = digest("run", code_version(road), day.isoformat(), days)
    return identity, lake.models_dir(road.model.name) / "runs" / day.isoformat() / identity[:16], days


def train(lake: Lake, road: Road, day: date, launch: Launch, *, force: bool = False) -> DayResult:
    """Prepare the training set of the window that ends with a day, and train the float model on it."""
    identity, folder, days = run_folder(lake, road, day)
    if day.isoformat() not in days:
        return blocked(day, road.features.name, road.features.name)
    out, report_path = folder / "model", folder / "train.json"
    if not force and report_path.is_file() and (out / "float").is_dir():
        return DayResult(day, "unchanged", _read(report_path), message="Trained before on the very same examples.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    version = lake.version(road.features.name)
    training_set = _prepare(lake, road, day, folder / "data", version=version)
    launch(
        {
            "task": "train",
            "model": road.model.model_dump(mode="json"),
            "data": str(folder / "data"),
            "out": str(out),
            "warm_start_from": _warm_start(lake, road),
        }
    )
    report = {
        **training_set.to_json(),
        "digest": identity,
        "examples_version": version,
        "examples": days,
        "metrics": _read(out / "metrics.json"),
        "history": json.loads((out / "history.json").read_text(encoding="utf-8")),
        "tensorboard": str(out / "tensorboard"),
        "folder": str(folder),
    }
    _write(report_path, report)
    return DayResult(day, "published", report)


def _prepare(
    lake: Lake, road: Road, day: date, out: Path, *, version: int, encoding: Path | None = None
) -> TrainingSet:
    examples = lake.scan(road.features.name, start=day - timedelta(days=road.window_days - 1), end=day, version=version)
    test_start = _test_start(examples, road)
    return prepare(
        examples,
        road.features,
        as_of=day,
        window_days=road.window_days,
        out=out,
        daily_window=features.window(lake, road.features, test_start),
        catalogue=features.snapshot_frame(lake, road.inputs.catalogue, test_start),
        ranking_users=road.model.evaluate.users,
        seed=road.model.seed,
        encoding_dir=encoding,
    )


def _test_start(examples: pl.LazyFrame, road: Road) -> date:
    """The first test day: ranking knows only what was known before it."""
    present = examples.select("date").unique().collect(engine="streaming")["date"].to_list()
    return split_days(present, road.features).test[0]


def _warm_start(lake: Lake, road: Road) -> str | None:
    if not road.model.warm_start:
        return None
    current = champion(lake.models_dir(road.model.name))
    return str(current.path / "float") if current else None


def compress(lake: Lake, road: Road, day: date, launch: Launch, *, force: bool = False) -> DayResult:
    """Make the compressed candidates of the day's float model, and measure all of them."""
    identity, folder, _ = run_folder(lake, road, day)
    out = folder / "model"
    if not (folder / "train.json").is_file():
        return blocked(day, f"{road.model.name}__float", f"{road.model.name}__float")
    evaluation = out / "evaluation.json"
    task = {"model": road.model.model_dump(mode="json"), "data": str(folder / "data"), "out": str(out)}
    done = evaluation.is_file() and not force
    if not done:
        launch({"task": "compress", **task})
        fields, note = _champion_on_same_examples(lake, road, day, folder)
        launch({"task": "evaluate", **task, **fields})
        if note:
            _write(evaluation, {**_read(evaluation), "champion_note": note})
    measured = _read(evaluation)
    beats = measured["beats_popularity"]
    checks = (
        Check(
            "beats_popularity",
            beats["passed"],
            severity="warning",
            description=beats["message"],
            metadata={key: value for key, value in beats.items() if key != "message"},
        ),
    )
    return DayResult(day, "unchanged" if done else "published", {"digest": identity, "evaluation": measured}, checks)


def _champion_on_same_examples(lake: Lake, road: Road, day: date, folder: Path) -> tuple[dict[str, str], str]:
    """The champion, with the test examples encoded by its own vocabularies; or why it cannot be measured on them."""
    current = champion(lake.models_dir(road.model.name))
    if current is None:
        return {}, ""
    data = folder / "champion_data"
    version = _read(folder / "train.json")["examples_version"]
    try:
        _prepare(lake, road, day, data, version=version, encoding=current.path / "encoding")
    except FeaturesError as error:
        # A model of other features has no place on these examples, and must not keep later ones from being blessed.
        return {}, f"the champion {current.version} could not be measured on these examples: {error}"
    return {"champion": str(current.path), "champion_data": str(data)}, ""


def decide(lake: Lake, road: Road, day: date, *, force: bool = False) -> DayResult:
    """Bless the smallest candidate within the declared bounds, and make it the champion by an atomic switch."""
    identity, folder, days = run_folder(lake, road, day)
    out = folder / "model"
    if not (out / "evaluation.json").is_file():
        return blocked(day, f"{road.model.name}__candidates", f"{road.model.name}__candidates")
    models = lake.models_dir(road.model.name)
    current = champion(models)
    version = f"{day.isoformat()}-{identity[:12]}"
    if not force and current and current.version == version:
        return DayResult(
            day, "unchanged", _read(folder / "verdict.json"), _verdict_checks(_read(folder / "verdict.json"))
        )
    verdict = bless(_read(out / "evaluation.json"), road.model.bless)
    report: dict[str, Any] = {**verdict.to_json(), "version": version, "digest": identity}
    _write(folder / "verdict.json", report)
    checks = _verdict_checks(report)
    if verdict.candidate is None:
        return DayResult(day, "refused", report, checks, f"No candidate was blessed: {'; '.join(verdict.reasons)}")
    train_report = _read(folder / "train.json")
    published = publish(
        models,
        version=version,
        run=out,
        encoding=folder / "data" / "encoding",
        candidate=verdict.candidate,
        card={
            "model": road.model.model_dump(mode="json"),
            "as_of": day.isoformat(),
            "verdict": report,
            "evaluation": _read(out / "evaluation.json"),
            "data": {
                "table": road.features.name,
                "version": train_report["examples_version"],
                "days": days,
                "parts": train_report["parts"],
            },
        },
    )
    report = {**report, "path": str(published), "card": (published / "card.md").read_text(encoding="utf-8")}
    return DayResult(day, "published", report, checks)


def _verdict_checks(report: Mapping[str, Any]) -> tuple[Check, ...]:
    return (
        Check(
            "blessed",
            report["candidate"] is not None,
            description="; ".join(report["reasons"]),
            metadata={"candidate": report["candidate"], "considered": report["considered"]},
        ),
    )


def recommend(
    lake: Lake, road: Road, day: date, launch: Launch, *, run_id: str, scratch: Path, force: bool = False
) -> DayResult:
    """Score every user and item with the champion as of the day after, and publish each user's best items."""
    current = champion(lake.models_dir(road.model.name))
    if current is None:
        return blocked(day, f"a champion of {road.model.name}", road.model.name)
    spec, k, next_day = road.features, road.model.recommend.k, day + timedelta(days=1)
    daily = features.daily_table(spec.name)
    window = {
        d.isoformat(): entry.fingerprint
        for d, entry in sorted(lake.published_days(daily).items())
        if day - timedelta(days=spec.longest_window - 1) <= d <= day
    }
    identity = digest("recommendations", VERSION, current.version, window, k, day.isoformat())
    table = recommendations_table(road.model.name)
    if not force and (earlier := remembered(lake, [table], day, identity)):
        return earlier
    frame = features.window(lake, spec, next_day)
    users = _users(frame, spec)
    encoder = pair_encoder(
        None,
        frame,
        features.snapshot_frame(lake, road.inputs.catalogue, day),
        spec,
        current.path / "encoding",
        day=next_day,
    )
    pairs, scores = scratch / "pairs", scratch / "scores.parquet"
    pairs.mkdir()
    for number, chunk in enumerate(encoder.chunks(users)):
        chunk.write_parquet(pairs / f"part-{number:06d}.parquet", compression="lz4")
    task = {"task": "predict", "model": road.model.model_dump(mode="json"), "version": str(current.path)}
    launch({**task, "pairs": str(pairs), "out": str(scores)})
    # The scores come in the order of the pairs.
    names = pl.scan_parquet(pairs / "*.parquet").select(spec.user, spec.item)
    best = (
        pl.concat([names, pl.scan_parquet(scores).select("score")], how="horizontal")
        .with_columns(rank=pl.col("score").rank("ordinal", descending=True).over(spec.user).cast(pl.Int32))
        .filter(pl.col("rank") <= k)
        .sort(spec.user, "rank")
        .with_columns(pl.lit(current.version).alias("model_version"))
    )
    staged = lake.stage(table, day, best, digest=identity, run_id=run_id)
    report = {
        "rows": staged.rows,
        "users": users.height,
        "items": encoder.items.height,
        "model_version": current.version,
        "digest": identity,
        "sample": lake.scan_staged(staged).head(20).collect().to_dicts(),
    }
    remember(lake, table, day, identity, report, ())
    version = lake.publish(
        staged, commit_info={"sluice.stage": "recommendations", "sluice.run_id": run_id}, replace=force
    )
    return DayResult(day, "published", {**report, "version": version})


def _users(frame: pl.LazyFrame | None, spec: FeaturesSpec) -> pl.DataFrame:
    """Everybody who did something within the longest window."""
    if frame is None:
        return pl.DataFrame(schema={spec.user: pl.String})
    return frame.select(spec.user).drop_nulls().unique().sort(spec.user).collect(engine="streaming")


def _read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _write(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=1, default=str), encoding="utf-8")
    temporary.replace(path)
