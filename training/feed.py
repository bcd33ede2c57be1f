"""From batches of arrays to the dataset of one worker: read ahead on a thread, sharded by us and not by TensorFlow."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from training.input import Arrays, Batch, Shards, batches
from training.normalise import Normalisation
from training.schema import DENSE, TOKEN_WEIGHTS, Inputs


class Feed:
    """The examples of one worker, epoch after epoch.

    `error` holds what went wrong in the reader: TensorFlow only passes on that something did.
    """

    def __init__(
        self,
        shards: Shards,
        inputs: Inputs,
        normalisation: Normalisation,
        *,
        rank: int,
        epochs: range,
        depth: int = 8,
    ) -> None:
        self._shards, self._inputs, self._normalisation = shards, inputs, normalisation
        self._rank, self._epochs, self._depth = rank, epochs, depth
        self.error: Exception | None = None

    def distribute(self, strategy: Any) -> Any:
        """The distributed dataset of this worker, for `fit(steps_per_epoch=shards.steps)`."""
        return strategy.distribute_datasets_from_function(lambda _context: self.dataset())

    def dataset(self) -> tf.data.Dataset:
        """A dataset of whole batches (model inputs, labels, weights), all epochs in one stream."""
        rows = self._shards.batch
        signature = (
            {name: tf.TensorSpec((rows, *shape), dtype) for name, (shape, dtype) in _specs(self._inputs).items()},
            tf.TensorSpec((rows, 1), tf.float32),
            tf.TensorSpec((rows,), tf.float32),
        )
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
        # One small private pool: tf.data's own would take every core from the other workers.
        options.threading.private_threadpool_size = 2
        dataset = tf.data.Dataset.from_generator(self._read_ahead, output_signature=signature).prefetch(2)
        # `fit` counts the steps. Were the end not ruled out, workers would ask each other for it at every step.
        endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
        return dataset.apply(endless).with_options(options)

    def _batches(self) -> Iterator[Batch]:
        for epoch in self._epochs:
            yield from batches(self._shards, self._inputs, self._normalisation, epoch=epoch, rank=self._rank)

    def _read_ahead(self) -> Iterator[Batch]:
        waiting: queue.Queue[Batch | None] = queue.Queue(self._depth)
        abandoned = threading.Event()

        def put(item: Batch | None) -> bool:
            while not abandoned.is_set():
                try:
                    waiting.put(item, timeout=0.2)
                except queue.Full:
                    continue
                return True
            return False

        def read() -> None:
            try:
                for batch in self._batches():
                    if not put(batch):
                        return
            except Exception as error:  # noqa: BLE001 - raised again by the one who iterates
                self.error = error
            put(None)

        threading.Thread(target=read, name="reader", daemon=True).start()
        try:
            while (batch := waiting.get()) is not None:
                yield batch
            if self.error is not None:
                raise self.error
        finally:
            abandoned.set()


def _specs(inputs: Inputs) -> dict[str, tuple[tuple[int, ...], Any]]:
    specs: dict[str, tuple[tuple[int, ...], Any]] = {one.name: ((), tf.int32) for one in inputs.categories}
    for tokens in inputs.tokens:
        specs[tokens.name] = ((tokens.length,), tf.int32)
        specs[tokens.name + TOKEN_WEIGHTS] = ((tokens.length,), tf.float32)
    if inputs.dense:
        specs[DENSE] = ((len(inputs.dense),), tf.float32)
    return specs


def score(
    model: Any, arrays: Arrays, *, batch: int = 16_384, beat: Any = None
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Probabilities of a model for arrays of inputs, on this process alone, whatever strategy the model lives in.

    Args:
        model: A `tf_keras.Model` of one output.
        arrays: Model inputs.
        batch: Rows at a time.
        beat: Called after each batch.

    Returns:
        Float32 of shape (rows,).
    """
    rows = len(next(iter(arrays.values())))
    parts = []
    for start in range(0, rows, batch):
        part = {name: tf.constant(values[start : start + batch]) for name, values in arrays.items()}
        parts.append(model(part, training=False).numpy().reshape(-1))
        if beat is not None:
            beat()
    return np.concatenate(parts) if parts else np.empty(0, np.float32)
