"""Training of the float model in one of the worker processes."""

import json
import math
import os
import time
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from foundation.atomic import write_atomically
from training.description import read_description
from training.feed import Feed, score
from training.input import Shards, plan_shards, read_split, split_files
from training.metrics.metric import VALIDATION, needing
from training.normalise import Normalisation, fit_normalisation
from training.saved import save_float, weights_digest
from training.schema import Inputs, read_inputs
from training.spec import ModelSpec, TrainTask
from training.step import ExchangingAdam, TrainingModel
from training.strategies import create_strategy
from training.strategies.threads import set_precision
from training.worker import Worker

VALIDATION_ROWS = 200_000


def work(task: TrainTask, worker: Worker) -> dict[str, Any]:
    """Train the model of a task together with the other workers, or go on where they were interrupted.

    Returns:
        The digest of the weights, which must be the same for all workers.

    Raises:
        TaskError: The data or the declaration is wrong.
    """
    spec = task.model
    worker.progress.phase("joining the other workers")
    strategy = create_strategy(spec.strategy, worker)
    worker.progress.phase("reading the training set")
    inputs = read_inputs(task.data)
    spec.family.check(inputs)
    shards = plan_shards(task.data / "train", world=worker.world, batch=spec.batch, epochs=spec.epochs, seed=spec.seed)
    normalisation = _agree_on_normalisation(task, inputs, worker)
    backup = worker.folder / "backup"
    start = completed_epochs(backup)
    worker.progress.phase("building the model")
    tf_keras.utils.set_random_seed(spec.seed)
    set_precision(spec.mixed_precision)
    with strategy.scope():
        plain = spec.family.build(inputs, seed=spec.seed)
        model = TrainingModel(plain.input, plain.output, name=plain.name)
        if task.warm_start_from is not None:
            _warm_start(model, task.warm_start_from, worker)
        model.compile(
            optimizer=ExchangingAdam(spec.learning_rate),
            loss=spec.family.loss(),
            jit_compile=spec.xla or None,
        )
    feed = Feed(shards, inputs, normalisation, rank=worker.rank, epochs=range(start, spec.epochs))
    epochs = EpochReports(task, worker, shards=shards, inputs=inputs, normalisation=normalisation, start=start)
    worker.progress.phase("training")
    try:
        model.fit(
            feed.distribute(strategy),
            epochs=spec.epochs,
            steps_per_epoch=shards.steps,
            verbose=0,
            callbacks=[
                epochs,
                tf_keras.callbacks.BackupAndRestore(str(backup), save_freq="epoch", delete_checkpoint=False),
                Announcement(epochs),
            ],
        )
    except tf.errors.OpError:
        if feed.error is not None:
            raise feed.error from None
        raise
    worker.progress.phase("saving the model")
    if worker.chief:
        save_float(model, _fresh(worker.output / "float"), spec=spec, inputs=inputs, normalisation=normalisation)
        epochs.save(worker.output)
    return {"digest": weights_digest(model)}


def completed_epochs(backup: Path) -> int:
    """How many epochs the checkpoint of `BackupAndRestore` holds; 0 without one."""
    checkpoint = tf.train.latest_checkpoint(str(backup / "chief"))
    if checkpoint is None:
        return 0
    return int(tf.train.load_variable(checkpoint, "ckpt_saved_epoch/.ATTRIBUTES/VARIABLE_VALUE")) + 1


def _agree_on_normalisation(task: TrainTask, inputs: Inputs, worker: Worker) -> Normalisation:
    # The last bits of a sum depend on how many threads made it: the chief's constants are everybody's.
    path = worker.folder / "normalisation.json"
    if worker.chief and not path.exists():
        found = fit_normalisation(split_files(task.data / "train"), inputs)
        write_atomically(path, found.model_dump_json())
    while not path.exists():
        worker.progress.beat()
        time.sleep(0.05)
    return Normalisation.model_validate_json(path.read_text())


def _fresh(folder: Path) -> Path:
    if folder.exists():
        tf.io.gfile.rmtree(str(folder))
    return folder


def _warm_start(model: Any, folder: Path, worker: Worker) -> None:
    # Rows of a category's table mean other things once its vocabulary has changed, hashed tokens and dense layers do
    # not; a table of another size would not fit anyway.
    before = read_description(folder)
    categories = {f"{one.name}__embedding" for one in before.inputs.categories}
    earlier = before.model.family.build(before.inputs, seed=before.model.seed)
    earlier.load_weights(str(folder / "weights.h5"))
    taken: list[str] = []
    for layer in model.layers:
        if layer.name in categories or not layer.weights:
            continue
        known = {one.name: one for one in earlier.layers}.get(layer.name)
        if known is not None and [w.shape for w in known.weights] == [w.shape for w in layer.weights]:
            layer.set_weights(known.get_weights())
            taken.append(layer.name)
    if worker.chief:
        worker.progress.log(f"warm start from {folder}: {', '.join(taken) or 'no layer fits'}")


class EpochReports(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Heartbeat at every step; at the end of an epoch the chief validates and records, and reports once it is saved."""

    def __init__(
        self,
        task: TrainTask,
        worker: Worker,
        *,
        shards: Shards,
        inputs: Inputs,
        normalisation: Normalisation,
        start: int,
    ) -> None:
        super().__init__()
        self._spec: ModelSpec = task.model
        self._worker, self._shards, self._start = worker, shards, start
        self._began = 0.0
        self._ready = False
        # Without it every callback waits for the step that is still being computed.
        self._supports_tf_logs = True
        self._history: list[dict[str, Any]] = []
        self._history_path = worker.folder / "history.json"
        self._validation = None
        self._writer: Any = None
        if worker.chief:
            self._validation = read_split(task.data / "validation", inputs, normalisation, rows=VALIDATION_ROWS)
            self._writer = tf.summary.create_file_writer(str(worker.output / "tensorboard"))
            if start and self._history_path.exists():
                self._history = json.loads(self._history_path.read_text())[:start]
                worker.progress.log(f"{self._spec.name}: resumes after epoch {start} of {self._spec.epochs}")
            if self._validation is None:
                worker.progress.log(f"{self._spec.name}: no validation examples, so epochs report the loss alone")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Start the clock."""
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Show that training goes on."""
        if not self._ready:
            self._ready = True
            self._worker.progress.ready()
        self._worker.progress.beat()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Validate and record."""
        # Its parts are with the workers: all of them read it, though only the chief reports it.
        loss = float(next(metric for metric in self.model.metrics if metric.name == "loss").result())
        seconds = time.perf_counter() - self._began
        if not self._worker.chief:
            return
        rows = self._shards.steps * self._shards.batch * self._shards.world
        entry: dict[str, Any] = {
            "epoch": epoch + 1,
            "loss": loss,
            "seconds": round(seconds, 3),
            "examples_per_second": round(rows / seconds),
        }
        if self._validation is not None:
            arrays, labels, weights = self._validation
            probabilities = score(self.model, arrays, beat=self._worker.progress.beat)
            for metric in needing("scores"):
                if metric.each_epoch is not None:
                    entry[f"{VALIDATION}{metric.name}"] = metric.each_epoch(labels, probabilities, weights)
        self._record(entry)

    def _record(self, entry: dict[str, Any]) -> None:
        self._history.append(entry)
        write_atomically(self._history_path, json.dumps(self._history))
        with self._writer.as_default():
            for name, value in entry.items():
                if name != "epoch" and value is not None:
                    tf.summary.scalar(name, value, step=entry["epoch"])
        self._writer.flush()

    def announce(self) -> None:
        """Report the epoch that was recorded last."""
        if not self._worker.chief:
            return
        entry = self._history[-1]
        shown = ", ".join(
            f"{name.replace('_', ' ')} {value:.4f}"
            for name, value in entry.items()
            if isinstance(value, float) and name != "seconds"
        )
        self._worker.progress.report(
            {"model": self._spec.name, "epochs": self._spec.epochs, **entry},
            f"{self._spec.name}: epoch {entry['epoch']}/{self._spec.epochs}: {shown} "
            f"({entry['seconds']:.1f} s, {entry['examples_per_second']:,} examples/s)",
        )
        if not math.isfinite(entry["loss"]):
            self._worker.progress.log(f"{self._spec.name}: the loss is not finite; lower the learning_rate")

    def save(self, output: Path) -> None:
        """Write `history.json` and `metrics.json`."""
        last = self._history[-1]
        (output / "history.json").write_text(json.dumps(self._history, indent=2) + "\n")
        metrics = {
            "model": self._spec.name,
            "workers": self._shards.world,
            "steps_per_epoch": self._shards.steps,
            "batch": self._shards.batch * self._shards.world,
            "train_rows": sum(unit.rows for unit in self._shards.units),
            "sharded_by": "rows" if self._shards.by_rows else "row groups",
            "cores": os.cpu_count(),
            **{name: value for name, value in last.items() if name != "epoch"},
        }
        (output / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")


class Announcement(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Comes after the checkpoint: an epoch that was reported is never trained again."""

    def __init__(self, epochs: EpochReports) -> None:
        super().__init__()
        self._epochs = epochs
        self._supports_tf_logs = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Report."""
        self._epochs.announce()
