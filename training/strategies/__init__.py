"""Strategies: how the workers of a task share the training. It is the task's to say, not the launcher's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foundation.importing import load
from foundation.registry import Registry

if TYPE_CHECKING:
    from training.worker import Worker

STRATEGIES: Registry[str] = Registry("strategy", "How the workers of a training share it.")
"""By name, `module:function` of `create(worker) -> tf.distribute.Strategy`; imported in the workers."""

STRATEGIES.register("mirrored", "training.strategies.mirrored:create")


def create_strategy(name: str, worker: Worker) -> Any:
    """Make the strategy of a worker process. Call it before anything else of TensorFlow."""
    return load(STRATEGIES[name])(worker)
