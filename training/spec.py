"""Declarations: what a model is, and what one run of ``python -m training spec.json`` is asked to do.

Everything here is plain pydantic, so that loading declarations never imports TensorFlow.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from foundation.declaration import Declaration, Name
from foundation.durations import Days, Duration
from foundation.located import LocatedError
from foundation.name_of import NameOf
from foundation.one_of import OneOf
from training.compression.spec import CompressSpec
from training.failure import TaskError
from training.families import FAMILIES, Family, Ranker
from training.launchers import LAUNCHERS
from training.metrics import METRICS, MetricName
from training.strategies import STRATEGIES


class SpecError(TaskError):
    """A task file that cannot be read or does not say what it must."""


class BlessSpec(Declaration):
    """Bounds that a candidate must meet before it may become the champion.

    Attributes:
        metric: What is compared: a registered metric, which says whether more or less is better.
        max_drop_vs_float: How much worse than the float model a candidate may be.
        max_drop_vs_champion: How much worse than the champion, scored on the same examples.
        max_bytes_ratio: Greatest size of the file as a share of the float model's.
        minimum: The least value of the metric that is published at all.
    """

    metric: MetricName = "auc"
    max_drop_vs_float: float = Field(default=0.005, ge=0)
    max_drop_vs_champion: float = Field(default=0.01, ge=0)
    max_bytes_ratio: float = Field(default=0.3, gt=0)
    minimum: float | None = None


class EvaluateSpec(Declaration):
    """Ranking evaluation: how many users are ranked at most, and the cut-off of NDCG@k and recall@k."""

    users: int = Field(default=1000, ge=1)
    k: int = Field(default=10, ge=1)


class RecommendSpec(Declaration):
    """Recommendations: how many items each user gets."""

    k: int = Field(default=10, ge=1)


class ModelSpec(Declaration):
    """Declaration of a model.

    Attributes:
        name: Name of the model, and of its assets.
        examples: The features table that it is trained on.
        window: Trailing window of event days that is read.
        family: Which network, with its settings: `{kind: ranker, hidden: [128, 32]}`.
        workers: Worker processes. A small network gains from a second one only with large batches, for the
            workers exchange every gradient once a step.
        launcher: Where the workers run.
        strategy: How they share the training.
        batch: Examples a step over all workers together, so that their number does not change what is learnt.
        epochs: Passes over the training split.
        learning_rate: Of Adam.
        seed: Of initial weights and of the order of the data.
        mixed_precision: `bfloat16` on CPU or GPU, `float16` on GPU only (a hundred times slower on CPU).
        xla: Whether steps are compiled with XLA.
        warm_start: Whether training starts from the champion's weights where layers still agree.
        compress: Which compressed candidates are made.
        bless: Bounds that a candidate must meet.
        evaluate: Ranking evaluation.
        recommend: Recommendations.
        start_deadline: How long workers may take from their start to the first step.
        freeze_deadline: How long no worker may make progress before all are restarted.
        max_restarts: How often the workers are restarted after a fault.
        description: Shown in the user interface.
        owners: Likewise.
        tags: Likewise.
    """

    name: Name
    examples: Name
    window: Days = timedelta(days=28)
    family: Annotated[Family, OneOf(FAMILIES)] = Ranker()
    workers: int = Field(default=2, ge=1)
    launcher: Annotated[str, NameOf(LAUNCHERS)] = "local"
    strategy: Annotated[str, NameOf(STRATEGIES)] = "mirrored"
    batch: int = Field(default=4096, ge=1)
    epochs: int = Field(default=5, ge=1)
    learning_rate: float = Field(default=0.003, gt=0)
    seed: int = Field(default=7, ge=0, lt=2**31)
    mixed_precision: Literal["none", "bfloat16", "float16"] = "none"
    xla: bool = False
    warm_start: bool = False
    compress: CompressSpec = CompressSpec()
    bless: BlessSpec = BlessSpec()
    evaluate: EvaluateSpec = EvaluateSpec()
    recommend: RecommendSpec = RecommendSpec()
    start_deadline: Duration = timedelta(minutes=3)
    freeze_deadline: Duration = timedelta(minutes=3)
    max_restarts: int = Field(default=2, ge=0)
    description: str = ""
    owners: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _batch_feeds_every_worker(self) -> Self:
        if self.batch % self.workers:
            near = max(self.workers, self.batch // self.workers * self.workers)
            raise ValueError(
                f"batch {self.batch} of model '{self.name}' cannot be shared equally by {self.workers} workers; "
                f"take {near}"
            )
        return self

    @model_validator(mode="after")
    def _family_bears_what_is_declared(self) -> Self:
        family = self.family
        needs = METRICS[self.bless.metric].needs
        if needs not in family.measured_by:
            known = ", ".join(name for name, metric in METRICS.entries().items() if metric.needs in family.measured_by)
            raise LocatedError(
                f"model '{self.name}' is blessed by {self.bless.metric}, and family '{family.kind}' is not measured by "
                f"{needs}; choose one of: {known}",
                ("bless", "metric"),
            )
        used = {"prune": self.compress.prune is not None, "int8": self.compress.quantize == "int8"}
        for technique, declared in used.items():
            if declared and technique not in family.techniques:
                key = "prune: null" if technique == "prune" else "quantize: none"
                raise LocatedError(
                    f"family '{family.kind}' of model '{self.name}' does not bear the technique '{technique}'; write "
                    f"compress: {{{key}}}",
                    ("compress",),
                )
        return self


class TrainTask(Declaration):
    """Train the float model.

    Attributes:
        model: The declaration.
        data: A prepared training set: `train/`, `validation/`, `test/`, `ranking/`, `encoding/features.json`.
        out: Folder of the run, replaced as a whole when training is complete.
        warm_start_from: A `float/` folder of an earlier run to start from.
    """

    task: Literal["train"] = "train"
    model: ModelSpec
    data: Path
    out: Path
    warm_start_from: Path | None = None


class CompressTask(Declaration):
    """Make compressed candidates of the float model in `out/float` and put them into `out/candidates`."""

    task: Literal["compress"] = "compress"
    model: ModelSpec
    data: Path
    out: Path


class EvaluateTask(Declaration):
    """Measure the candidates in `out/candidates`, popularity and the champion; writes `out/evaluation.json`.

    Attributes:
        model: The declaration.
        data: The prepared training set whose `test/` and `ranking/` are scored.
        out: Folder of the run.
        champion: Folder of the published version to measure beside the candidates.
        champion_data: The same test examples, encoded with the champion's own vocabularies, laid out like `data`;
            without it the champion must have been trained on the vocabularies of `data`.
    """

    task: Literal["evaluate"] = "evaluate"
    model: ModelSpec
    data: Path
    out: Path
    champion: Path | None = None
    champion_data: Path | None = None


class PredictTask(Declaration):
    """Score a Parquet folder of encoded pairs with a published version; writes a Parquet file of scores."""

    task: Literal["predict"] = "predict"
    model: ModelSpec
    version: Path
    pairs: Path
    out: Path


Task = TrainTask | CompressTask | EvaluateTask | PredictTask

_TASK: TypeAdapter[Task] = TypeAdapter(Annotated[Task, Field(discriminator="task")])


def parse_task(text: str, *, subject: str = "task") -> Task:
    """Read a task from its JSON text.

    Raises:
        SpecError: The text is not JSON or not a task; the message names the field.
    """
    try:
        return _TASK.validate_python(json.loads(text))
    except json.JSONDecodeError as error:
        raise SpecError(f"{subject} is not JSON: {error}") from None
    except ValidationError as error:
        found = [f"{'.'.join(str(part) for part in e['loc']) or 'task'}: {e['msg']}" for e in error.errors()]
        raise SpecError(f"{subject} is not a task of `python -m training`: {'; '.join(found)}") from None


def read_task(path: Path) -> Task:
    """Read a task from a JSON file.

    Raises:
        SpecError: The file cannot be read or is not a task.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise SpecError(f"task file {path} cannot be read: {error.strerror}") from None
    return parse_task(text, subject=f"task file {path}")
