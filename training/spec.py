"""Declarations: what a model is, and what one run of ``python -m training spec.json`` is asked to do.

Everything here is plain pydantic, so that loading declarations never imports TensorFlow.
"""

import difflib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from training.failure import TaskError
from training.models.registry import check_family

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_NAME = r"^[a-z][a-z0-9_]*$"


class SpecError(TaskError):
    """A task file that cannot be read or does not say what it must."""


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", value.strip())
    if match is None:
        raise ValueError(
            f"duration {value!r} is not understood; write a number and one of s, m, h, d, such as 90s or 28d"
        )
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def _duration_text(value: timedelta) -> str:
    seconds = value.total_seconds()
    unit = next(unit for unit in "dhms" if unit == "s" or seconds % _UNITS[unit] == 0)
    return f"{seconds / _UNITS[unit]:g}{unit}"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=str),
    PlainSerializer(_duration_text, return_type=str),
]


class Declared(BaseModel):
    """Base of every declaration: frozen, and an unknown key is an error that names the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_keys(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            known = list(cls.model_fields)
            for key in values:
                if key not in known:
                    near = difflib.get_close_matches(str(key), known, n=1)
                    hint = f"did you mean '{near[0]}'?" if near else f"known fields: {', '.join(known)}"
                    raise ValueError(f"unknown field '{key}' of {cls.__name__}; {hint}")
        return values


class PruneSpec(Declared):
    """Magnitude pruning: `sparsity` of the weights of each pruned layer end at zero, over `epochs` of fine-tuning."""

    sparsity: float = Field(default=0.5, gt=0, lt=1)
    epochs: int = Field(default=2, ge=1)


class CompressSpec(Declared):
    """Which compressed candidates are made beside the float model."""

    prune: PruneSpec | None = PruneSpec()
    quantize: Literal["int8", "none"] = "int8"


class BlessSpec(Declared):
    """Bounds that a candidate must meet before it may become the champion.

    Attributes:
        metric: What is compared; of `log_loss` less is better.
        max_drop_vs_float: How much worse than the float model a candidate may be.
        max_drop_vs_champion: How much worse than the champion, scored on the same examples.
        max_bytes_ratio: Greatest size of the file as a share of the float model's.
        minimum: The least value of the metric that is published at all.
    """

    metric: Literal["auc", "log_loss", "ndcg", "recall"] = "auc"
    max_drop_vs_float: float = Field(default=0.005, ge=0)
    max_drop_vs_champion: float = Field(default=0.01, ge=0)
    max_bytes_ratio: float = Field(default=0.3, gt=0)
    minimum: float | None = None


class EvaluateSpec(Declared):
    """Ranking evaluation: how many users are ranked at most, and the cut-off of NDCG@k and recall@k."""

    users: int = Field(default=1000, ge=1)
    k: int = Field(default=10, ge=1)


class RecommendSpec(Declared):
    """Recommendations: how many items each user gets."""

    k: int = Field(default=10, ge=1)


class ModelSpec(Declared):
    """Declaration of a model.

    Attributes:
        name: Name of the model, and of its assets.
        examples: The features table that it is trained on.
        window: Trailing window of event days that is read.
        family: Name in the registry of model families.
        hidden: Widths of the hidden layers.
        dropout: Share of each hidden layer dropped in training. A run that was interrupted resumes to exactly the
            weights of an uninterrupted one only without dropout, whose random state is not kept.
        embedding_dimension: Overrides the widths of all embeddings; without it each input's own counts.
        workers: Worker processes. A small network gains from a second one only with large batches, for the
            workers exchange every gradient once a step.
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

    name: str = Field(pattern=_NAME)
    examples: str = Field(pattern=_NAME)
    window: Duration = timedelta(days=28)
    family: str = "ranker"
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = (128, 32)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    embedding_dimension: int | None = Field(default=None, ge=1)
    workers: int = Field(default=2, ge=1)
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

    @field_validator("family")
    @classmethod
    def _family_is_registered(cls, value: str) -> str:
        check_family(value)
        return value

    @field_validator("window")
    @classmethod
    def _window_is_whole_days(cls, value: timedelta) -> timedelta:
        if value < timedelta(days=1) or value.seconds or value.microseconds:
            raise ValueError(f"window {_duration_text(value)!r} is not a whole number of days; write it as 28d")
        return value

    @model_validator(mode="after")
    def _batch_feeds_every_worker(self) -> Self:
        if self.batch % self.workers:
            near = max(self.workers, self.batch // self.workers * self.workers)
            raise ValueError(
                f"batch {self.batch} of model '{self.name}' cannot be shared equally by {self.workers} workers; "
                f"take {near}"
            )
        return self


class TrainTask(Declared):
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


class CompressTask(Declared):
    """Make compressed candidates of the float model in `out/float` and put them into `out/candidates`."""

    task: Literal["compress"] = "compress"
    model: ModelSpec
    data: Path
    out: Path


class EvaluateTask(Declared):
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


class PredictTask(Declared):
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
