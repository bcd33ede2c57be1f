"""What every worker process settles before the first operation of TensorFlow: threads, devices, precision."""

import os

import tensorflow as tf
import tf_keras

from training.failure import TaskError
from training.worker import Worker


def bound_threads(worker: Worker) -> None:
    """Bound the threads of this process.

    It must be called before anything else of TensorFlow, which reads them once, at its first operation.

    Raises:
        TaskError: The environment selects a Keras that cannot train here.
    """
    if os.environ.get("TF_USE_LEGACY_KERAS") != "1":
        raise TaskError("Workers need TF_USE_LEGACY_KERAS=1 in their environment, for fit of Keras 3 cannot train here")
    tf.config.threading.set_intra_op_parallelism_threads(worker.threads)
    # Collective operations block a thread each while they wait for the other workers.
    tf.config.threading.set_inter_op_parallelism_threads(max(2, worker.threads))
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, enable=True)


def set_precision(mixed_precision: str) -> None:
    """Set the precision in which layers compute; their variables stay float32.

    Raises:
        TaskError: float16 without a GPU.
    """
    if mixed_precision == "float16" and not tf.config.list_physical_devices("GPU"):
        raise TaskError("mixed_precision: float16 needs a GPU, without one it is a hundred times slower; take bfloat16")
    policy = "float32" if mixed_precision == "none" else f"mixed_{mixed_precision}"
    tf_keras.mixed_precision.set_global_policy(policy)
