"""Mirrored workers: every worker holds all weights, and each step sums the gradients of all."""

from typing import Any

import tensorflow as tf

from training.strategies.threads import bound_threads
from training.worker import Worker


def create(worker: Worker) -> Any:
    """Join the cluster that `TF_CONFIG` describes; a cluster of one worker, too.

    Returns:
        A `tf.distribute.MultiWorkerMirroredStrategy`.
    """
    bound_threads(worker)
    return tf.distribute.MultiWorkerMirroredStrategy()
