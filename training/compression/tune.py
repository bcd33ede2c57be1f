"""Training a float model on for a few epochs, by all workers together, as a technique of compression wants it."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras

from training.compression.registry import TECHNIQUES
from training.compression.spec import CompressSpec, PruneSpec
from training.description import read_description
from training.feed import Feed
from training.input import plan_shards
from training.saved import load_float
from training.spec import CompressTask
from training.step import ExchangingAdam, TrainingModel
from training.worker import Worker

Weights = list[npt.NDArray[np.generic]]

_RATE = 0.3
"""Fine-tuning starts where training had nearly settled: its full learning rate would first undo some of that."""


@dataclass(frozen=True)
class Tuning:
    """What a technique makes of a model before it is trained on.

    Attributes:
        model: To be compiled and trained.
        callbacks: That its training needs.
        weights: The weights afterwards, in the order of the plain model.
        how: What is done, for people.
    """

    model: Any
    callbacks: Sequence[Any]
    weights: Callable[[], Weights]
    how: str


def train_on(model: Any, declared: CompressSpec, *, steps: int) -> Tuning:  # noqa: ARG001 - one signature for all
    """Only train on: the reference that pruning is compared with."""
    epochs = (declared.prune or PruneSpec()).epochs
    return Tuning(model=model, callbacks=(), weights=model.get_weights, how=f"{epochs} more epochs of training")


class Tuner:
    """Trains the float model of a task on, once for each technique.

    Args:
        task: The task.
        worker: This worker; every worker must call the same techniques in the same order.
        strategy: Of all workers.
    """

    def __init__(self, task: CompressTask, worker: Worker, strategy: Any) -> None:
        spec = task.model
        self._task, self._worker, self._strategy = task, worker, strategy
        self._found = read_description(task.out / "float")
        self._epochs = (spec.compress.prune or PruneSpec()).epochs
        # The order of the data goes on where training left off.
        self._shards = plan_shards(
            task.data / "train",
            world=worker.world,
            batch=spec.batch,
            epochs=spec.epochs + self._epochs,
            seed=spec.seed,
        )

    def tune(self, name: str) -> tuple[Weights, str]:
        """Train on by a technique, or read what an interrupted run of this task had finished.

        Returns:
            The weights, in the order of the plain model, and what was done, for people.
        """
        saved = self._worker.folder / f"tuned-{name}.npz"
        declared = self._task.model.compress
        with self._strategy.scope():
            tuning: Tuning = TECHNIQUES[name].load()(
                load_float(self._task.out / "float"), declared, steps=self._shards.steps * self._epochs
            )
        if saved.exists():
            with np.load(saved) as kept:
                return [kept[key] for key in kept.files], tuning.how
        self._fit(name, tuning)
        weights = tuning.weights()
        if self._worker.chief:
            draft = saved.with_suffix(".draft.npz")
            np.savez(draft, *weights)
            draft.replace(saved)
        return weights, tuning.how

    def _fit(self, name: str, tuning: Tuning) -> None:
        spec, shards, worker = self._task.model, self._shards, self._worker
        worker.progress.phase(f"training on to {name}")
        tf_keras.utils.set_random_seed(spec.seed)
        with self._strategy.scope():
            model = TrainingModel(tuning.model.input, tuning.model.output)
            model.compile(optimizer=ExchangingAdam(spec.learning_rate * _RATE), loss=spec.family.loss())
        feed = Feed(
            shards,
            self._found.inputs,
            self._found.normalisation,
            rank=worker.rank,
            epochs=range(spec.epochs, spec.epochs + self._epochs),
        )
        try:
            model.fit(
                feed.distribute(self._strategy),
                epochs=self._epochs,
                steps_per_epoch=shards.steps,
                verbose=0,
                callbacks=[*tuning.callbacks, _Reports(spec.name, name, self._epochs, worker)],
            )
        except tf.errors.OpError:
            if feed.error is not None:
                raise feed.error from None
            raise


class _Reports(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Heartbeat at every step; the chief reports every epoch."""

    def __init__(self, model: str, technique: str, epochs: int, worker: Worker) -> None:
        super().__init__()
        self._name, self._technique, self._epochs, self._worker = model, technique, epochs, worker
        self._began = 0.0
        self._supports_tf_logs = True

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Start the clock."""
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Show that training goes on."""
        if not batch:
            self._worker.progress.ready()
        self._worker.progress.beat()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Report."""
        # Its parts are with the workers: all of them read it, though only the chief reports it.
        loss = float(next(metric for metric in self.model.metrics if metric.name == "loss").result())
        seconds = time.perf_counter() - self._began
        if self._worker.chief:
            self._worker.progress.report(
                {"model": self._name, "technique": self._technique, "epoch": epoch + 1, "loss": loss},
                f"{self._name}: {self._technique}: epoch {epoch + 1}/{self._epochs}: loss {loss:.4f} ({seconds:.1f} s)",
            )


def digest_of(all_weights: Sequence[Weights]) -> str:
    """SHA-256 over the weights of several models."""
    found = hashlib.sha256()
    for weights in all_weights:
        for one in weights:
            found.update(str((one.shape, str(one.dtype))).encode())
            found.update(np.ascontiguousarray(one).tobytes())
    return found.hexdigest()
