"""Model: trained on a window of examples, compressed, compared, blessed, published; then it recommends."""

import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg

from assets.components import metadata, plots
from assets.components.catalogue import find
from assets.components.day_assets import day_assets
from assets.components.days import Days
from assets.components.declaration import Declared
from assets.components.features import Features
from assets.components.run_tags import days_of, forced
from assets.lake import Lake
from assets.stages import model
from assets.stages.day import DayResult
from training.spec import ModelSpec

_Work = Callable[[Lake, date, model.Launch, bool, str], DayResult]
Describe = Callable[[DayResult], Mapping[str, Any]]

COMPARED = (
    "name",
    "auc",
    "log_loss",
    "ndcg",
    "recall",
    "bytes",
    "gzip_bytes",
    "latency_single_us",
    "latency_batch_us_per_row",
    "agreement_max",
    "kind",
    "how",
)
"""What the UI shows of each candidate; the model card and `evaluation.json` hold the rest."""

RECOMMENDED = {
    "score": "The champion's probability that the item is what the user wants.",
    "rank": "1 is the best of the user.",
    "model_version": "Of the champion.",
}
"""What the columns of the recommendations are."""


class Model(Declared[ModelSpec]):
    """A model. Its partition is the day that it is trained as of; a run over a range trains for the last day only."""

    spec_class: ClassVar[type[ModelSpec]] = ModelSpec

    def definitions(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The float model, its candidates, the champion and the recommendations."""
        examples = find(context, self, self.spec.examples, "examples", Features)
        examples.schema(context)
        road = model.Road(self.spec, examples.spec, examples.inputs(context))
        trained, compared = dg.AssetKey(f"{self.name}__float"), dg.AssetKey(f"{self.name}__candidates")
        published, recommended = dg.AssetKey(self.name), dg.AssetKey(f"{self.name}__recommendations")
        return dg.Definitions.merge(
            *[
                self._asset(
                    trained,
                    road,
                    deps=[dg.AssetDep(dg.AssetKey(examples.name))],
                    text="The float model, trained by several workers on the window that ends with the day.",
                    kinds={"tensorflow"},
                    work=lambda lake, day, launch, force, _: model.train(lake, road, day, launch, force=force),
                    describe=_trained,
                ),
                self._asset(
                    compared,
                    road,
                    deps=[dg.AssetDep(trained)],
                    text="Pruned and quantised candidates, each measured on later days beside float and popularity.",
                    kinds={"tensorflow", "tflite"},
                    checks={"beats_popularity": "The candidates rank better than popularity does."},
                    work=lambda lake, day, launch, force, _: model.compress(lake, road, day, launch, force=force),
                    describe=lambda result: _compared(result, self.spec.bless.metric),
                ),
                self._asset(
                    published,
                    road,
                    deps=[dg.AssetDep(compared)],
                    text=self.spec.description or "The champion: the smallest candidate within the declared bounds.",
                    kinds={"tensorflow", "tflite"},
                    checks={"blessed": "A candidate meets every declared bound."},
                    work=lambda lake, day, _launch, force, _: model.decide(lake, road, day, force=force),
                    describe=_published,
                ),
                self._asset(
                    recommended,
                    road,
                    deps=[dg.AssetDep(published)],
                    text=f"The {self.spec.recommend.k} best items of each user for the day after, by the champion.",
                    kinds={"tflite", "deltalake"},
                    work=self._recommend(road),
                    describe=metadata.rows,
                    shape=metadata.definition(
                        model.recommendations_schema(examples.spec), model.recommendations_table(self.name), RECOMMENDED
                    ),
                ),
            ]
        )

    @staticmethod
    def _recommend(road: model.Road) -> _Work:
        def work(lake: Lake, day: date, launch: model.Launch, force: bool, run_id: str) -> DayResult:  # noqa: FBT001
            with tempfile.TemporaryDirectory(prefix="sluice-predict-") as scratch:
                return model.recommend(lake, road, day, launch, run_id=run_id, scratch=Path(scratch), force=force)

        return work

    def _asset(
        self,
        key: dg.AssetKey,
        road: model.Road,
        *,
        deps: list[dg.AssetDep],
        text: str,
        kinds: set[str],
        work: _Work,
        describe: Describe,
        checks: Mapping[str, str] | None = None,
        shape: metadata.Metadata | None = None,
    ) -> dg.Definitions:
        spec = dg.AssetSpec(
            key,
            deps=deps,
            description=text,
            metadata=shape,
            kinds=kinds,
            code_version=model.code_version(road),
            partitions_def=self.product.partitions,
            group_name=self.product.name,
            owners=list(self.spec.owners or self.product.owners) or None,
            tags=dict(self.spec.tags),
        )

        def build(context: dg.AssetExecutionContext) -> Days:
            lake = context.resources.lake.open()
            day = days_of(context)[-1]

            def launch(task: Mapping[str, Any]) -> None:
                context.log.info(f"{task['task']}: started in a process of its own")
                context.resources.launcher.run(context, [], request=task)

            return Days([day], lambda d: work(lake, d, launch, forced(context), context.run.run_id), describe)

        return day_assets(
            build,
            name="__".join(key.path),
            specs=[spec],
            checks=checks,
            resources={"lake", "launcher"},
            pool="training",
        )


def _trained(result: DayResult) -> Mapping[str, Any]:
    report = result.report
    parts = [{"part": name, **part} for name, part in report["parts"].items()]
    return {
        "status": result.status,
        **plots.training_curves(report["history"]),
        "parts": metadata.table(parts),
        "tensorboard": dg.MetadataValue.path(report["tensorboard"]),
        "folder": dg.MetadataValue.path(report["folder"]),
        "examples_version": report["examples_version"],
        **{f"metric_{k}": v for k, v in report["metrics"].items() if isinstance(v, int | float)},
    }


def _compared(result: DayResult, metric: str) -> Mapping[str, Any]:
    rows = result.report["evaluation"]["candidates"]
    # One set of columns for all rows, or the UI cuts off what the first row lacks.
    flat = [{column: row.get(column) for column in COMPARED} for row in rows]
    return {"status": result.status, **plots.candidates(rows, metric), "candidates": metadata.table(flat)}


def _published(result: DayResult) -> Mapping[str, Any]:
    report = result.report
    shown: dict[str, Any] = {
        "status": result.status,
        "candidate": report["candidate"],
        "version": report["version"],
        "reasons": metadata.table([{"reason": reason} for reason in report["reasons"]]),
    }
    if "path" in report:
        shown["path"] = dg.MetadataValue.path(report["path"])
    if "card" in report:
        shown["card"] = dg.MetadataValue.md(report["card"])
    return shown
