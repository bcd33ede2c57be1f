"""Strategies: how the workers of a task share the training. It is the task's to say, not the launcher's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foundation.importing import load
from foundation.registry import Registry

if TYPE_CHECKING:
    from training.worker import Worker


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way for workers to share a training.

    Attributes:
        place: `module:function` of `create(worker) -> tf.distribute.Strategy`; imported in the workers.
        describes: One sentence for the reference.
    """

    place: str
    describes: str


STRATEGIES: Registry[Strategy] = Registry("strategy", "How the workers of a training share it.")
STRATEGIES.register(
    "mirrored",
    Strategy(
        "training.strategies.mirrored:create",
        "Every worker holds all weights, and each step sums the gradients of all.",
    ),
)


def create_strategy(name: str, worker: Worker) -> Any:
    """Make the strategy of a worker process. Call it before anything else of TensorFlow."""
    return load(STRATEGIES[name].place)(worker)
