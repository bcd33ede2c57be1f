"""Model: trained on a window of examples, compressed, compared, blessed, published; then it recommends."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg

from assets.components import metadata, plots
from assets.components.catalogue import ColumnLineage, find
from assets.components.day_assets import day_assets
from assets.components.days import Days
from assets.components.declaration import Declared
from assets.components.features import Features
from assets.components.run_tags import BY_TAG, days_of, forced
from assets.features.lineage import inputs_lineage
from assets.lake import Lake
from assets.stages.day import DayResult
from assets.stages.model.compare import compare
from assets.stages.model.decide import decide
from assets.stages.model.inputs import Launch, ModelInputs, Phase, Request, code_version
from assets.stages.model.recommend import recommend, recommendations_schema, recommendations_table
from assets.stages.model.train import train
from training.metrics import METRICS
from training.spec import ModelSpec

_Work = Callable[[Lake, date, Launch, Request], DayResult]
Describe = Callable[[DayResult], Mapping[str, Any]]

COMPARED = (
    "bytes",
    "gzip_bytes",
    "latency_single_us",
    "latency_batch_us_per_row",
    "agreement_max",
    "kind",
    "how",
)
"""What the UI shows of each candidate beside its metrics; the model card and `evaluation.json` hold the rest."""

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
        takes, shape = self.spec.family.shape, examples.spec.shape
        if takes != shape:
            raise self.fail(
                f"family '{self.spec.family.kind}' takes examples of the shape '{takes}', and '{examples.name}' makes "
                f"'{shape}'; choose another family, or declare `shape: {takes}` there.",
                ["family", "kind"],
            )
        inputs = ModelInputs(self.spec, examples.spec, examples.inputs(context))
        trained, compared = dg.AssetKey(f"{self.name}__float"), dg.AssetKey(f"{self.name}__candidates")
        encoded = inputs_lineage(examples.spec)
        published, recommended = dg.AssetKey(self.name), dg.AssetKey(f"{self.name}__recommendations")
        return dg.Definitions.merge(
            *[
                self._asset(
                    trained,
                    inputs,
                    deps=[dg.AssetDep(dg.AssetKey(examples.name))],
                    text="The float model, trained by several workers on the window that ends with the day.",
                    kinds={"tensorflow"},
                    phases=("train",),
                    lineage={name: [(dg.AssetKey(examples.name), c) for c in read] for name, read in encoded.items()},
                    work=lambda lake, day, launch, request: train(lake, inputs, day, launch, request),
                    describe=_trained,
                ),
                self._asset(
                    compared,
                    inputs,
                    deps=[dg.AssetDep(trained)],
                    text="Pruned and quantised candidates, each measured on later days beside float and popularity.",
                    kinds={"tensorflow", "tflite"},
                    checks={"beats_popularity": "The candidates rank better than popularity does."},
                    phases=("compress", "evaluate"),
                    lineage={name: [(trained, name)] for name in encoded},
                    work=lambda lake, day, launch, request: compare(lake, inputs, day, launch, request),
                    describe=lambda result: _compared(result, self.spec.bless.metric),
                ),
                self._asset(
                    published,
                    inputs,
                    deps=[dg.AssetDep(compared)],
                    text=self.spec.description or "The champion: the smallest candidate within the declared bounds.",
                    kinds={"tensorflow", "tflite"},
                    checks={"blessed": "A candidate meets every declared bound."},
                    phases=("decide",),
                    lineage={name: [(compared, name)] for name in encoded},
                    work=lambda lake, day, _launch, request: decide(lake, inputs, day, request),
                    describe=_published,
                ),
                self._asset(
                    recommended,
                    inputs,
                    deps=[dg.AssetDep(published)],
                    text=f"The {self.spec.recommend.k} best items of each user for the day after, by the champion.",
                    kinds={"tflite", "deltalake"},
                    phases=("recommend",),
                    lineage=_recommended(examples, published, list(encoded)),
                    work=self._recommend(inputs),
                    describe=metadata.rows,
                    shape=metadata.definition(
                        recommendations_schema(examples.spec), recommendations_table(self.name), RECOMMENDED
                    ),
                ),
            ]
        )

    @staticmethod
    def _recommend(inputs: ModelInputs) -> _Work:
        def work(lake: Lake, day: date, launch: Launch, request: Request) -> DayResult:
            with tempfile.TemporaryDirectory(prefix="sluice-predict-") as scratch:
                return recommend(lake, inputs, day, launch, request, scratch=Path(scratch))

        return work

    def _asset(
        self,
        key: dg.AssetKey,
        inputs: ModelInputs,
        *,
        phases: Sequence[Phase],
        deps: list[dg.AssetDep],
        text: str,
        kinds: set[str],
        work: _Work,
        describe: Describe,
        lineage: ColumnLineage,
        checks: Mapping[str, str] | None = None,
        shape: metadata.Metadata | None = None,
    ) -> dg.Definitions:
        spec = dg.AssetSpec(
            key,
            deps=deps,
            description=text,
            metadata=shape,
            kinds=kinds,
            code_version=code_version(inputs, *phases),
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

            return Days([day], lambda d: work(lake, d, launch, _request(context)), describe)

        return day_assets(
            build,
            name="__".join(key.path),
            specs=[spec],
            checks=checks,
            resources={"lake", "launcher"},
            pool="training",
            lineage={key: lineage},
        )


def _recommended(examples: Features, published: dg.AssetKey, encoded: Sequence[str]) -> ColumnLineage:
    """Users and items are those of the days before; the champion, by its inputs, tells how good each item is."""
    daily, spec = dg.AssetKey(f"{examples.name}__daily"), examples.spec
    scored = [(published, name) for name in encoded]
    return {spec.user: [(daily, spec.user)], spec.item: [(daily, spec.item)], "score": scored, "rank": scored}


def _request(context: dg.AssetExecutionContext) -> Request:
    run = context.run
    return Request(run.run_id, origin=run.root_run_id or "", by=run.tags.get(BY_TAG, "").strip(), force=forced(context))


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
    columns = ("name", *METRICS.names(), *COMPARED)
    flat = [{column: row.get(column) for column in columns} for row in rows]
    return {"status": result.status, **plots.candidates(rows, metric), "candidates": metadata.table(flat)}


def _published(result: DayResult) -> Mapping[str, Any]:
    report = result.report
    shown: dict[str, Any] = {
        "status": result.status,
        "candidate": report["candidate"],
        "version": report["version"],
        "champion": report["champion"],
        "reasons": metadata.table([{"reason": reason} for reason in report["reasons"]]),
    }
    if report["kept"]:
        shown["why_it_is_not_the_champion"] = report["kept"]
    return {
        **shown,
        "path": dg.MetadataValue.path(report["path"]),
        "card": dg.MetadataValue.md(report["card"]),
    }
