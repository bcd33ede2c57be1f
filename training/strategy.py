"""The distribution strategy of a worker process: always MultiWorkerMirroredStrategy, also for one worker."""

import os
from typing import Any

import tensorflow as tf
import tf_keras

from training.failure import TaskError
from training.worker import Worker


def create_strategy(worker: Worker) -> Any:
    """Bound the threads of this process and join the cluster that `TF_CONFIG` describes.

    It must be called before anything else of TensorFlow, which reads both once, at its first operation.

    Returns:
        A `tf.distribute.MultiWorkerMirroredStrategy`.
    """
    if os.environ.get("TF_USE_LEGACY_KERAS") != "1":
        raise TaskError("Workers need TF_USE_LEGACY_KERAS=1 in their environment, for fit of Keras 3 cannot train here")
    tf.config.threading.set_intra_op_parallelism_threads(worker.threads)
    # Collective operations block a thread each while they wait for the other workers.
    tf.config.threading.set_inter_op_parallelism_threads(max(2, worker.threads))
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, enable=True)
    return tf.distribute.MultiWorkerMirroredStrategy()


def set_precision(mixed_precision: str) -> None:
    """Set the precision in which layers compute; their variables stay float32.

    Raises:
        TaskError: float16 without a GPU.
    """
    if mixed_precision == "float16" and not tf.config.list_physical_devices("GPU"):
        raise TaskError("mixed_precision: float16 needs a GPU, without one it is a hundred times slower; take bfloat16")
    policy = "float32" if mixed_precision == "none" else f"mixed_{mixed_precision}"
    tf_keras.mixed_precision.set_global_policy(policy)
