"""Recommend: the champion scores every user and item as of the day after."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from assets.features import FeaturesSpec
from assets.features.pairs import pair_encoder
from assets.features.spec import KNOWN_ON
from assets.lake import Lake, digest
from assets.stages import features
from assets.stages.day import DayResult
from assets.stages.ledger import blocked, remember, remembered
from assets.stages.model.inputs import VERSION, Launch, ModelInputs, Request, declared, known_digest
from training.publish import champion


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


def recommend(
    lake: Lake, inputs: ModelInputs, day: date, launch: Launch, request: Request, *, scratch: Path
) -> DayResult:
    """Score every user and item with the champion as of the day after, and publish each user's best items."""
    current = champion(lake.models(inputs.model.name))
    if current is None:
        return blocked(day, f"a champion of {inputs.model.name}", inputs.model.name)
    spec, k, next_day = inputs.features, inputs.model.recommend.k, day + timedelta(days=1)
    identity = digest(
        "recommendations",
        VERSION,
        features.code_version(spec),
        current.version,
        known_digest(lake, inputs, next_day),
        declared(inputs.model, "recommend"),
        day.isoformat(),
    )
    table = recommendations_table(inputs.model.name)
    if not request.force and (earlier := remembered(lake, [table], day, identity)):
        return earlier
    version = current.path
    frame = features.window(lake, spec, next_day)
    users = _users(frame, spec, next_day)
    encoder = pair_encoder(
        None,
        frame,
        features.snapshot_frame(lake, inputs.tables.catalogue, next_day),
        spec,
        version / "encoding",
        day=next_day,
    )
    pairs, scores = scratch / "pairs", scratch / "scores.parquet"
    pairs.mkdir()
    for number, chunk in enumerate(encoder.chunks(users)):
        chunk.write_parquet(pairs / f"part-{number:06d}.parquet", compression="lz4")
    task = {"task": "predict", "model": inputs.model.model_dump(mode="json"), "version": str(version)}
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
    staged = lake.stage(table, day, best, digest=identity, run_id=request.run_id)
    report = {
        "rows": staged.rows,
        "users": users.height,
        "items": encoder.items.height,
        "model_version": current.version,
        "digest": identity,
    }
    remember(lake, table, day, identity, report, ())
    published = lake.publish(
        staged,
        commit_info={"sluice.stage": "recommendations", "sluice.run_id": request.run_id},
        replace=request.force,
    )
    return DayResult(day, "published", {**report, "version": published})


def _users(frame: pl.LazyFrame | None, spec: FeaturesSpec, day: date) -> pl.DataFrame:
    """Everybody who is known before a day to have done something within the longest window."""
    if frame is None:
        return pl.DataFrame(schema={spec.user: pl.String})
    known = frame.filter(pl.col(KNOWN_ON) < day)
    return known.select(spec.user).drop_nulls().unique().sort(spec.user).collect(engine="streaming")
