"""Magnitude pruning: the smallest weights of every embedding and hidden layer end at zero, a little at a time.

Zeros shrink what travels (a file gzipped), not the file on disk and not the time of an inference.
"""

import sys
from typing import Any

import tf_keras

from training.compression.spec import CompressSpec, PruneSpec
from training.compression.tune import Tuning

_ABSENT: Any = None
if "keras" not in sys.modules:
    # TF-MOT looks into Keras 3 for a module that only Keras 2 had, and takes its absence for an answer. Importing
    # Keras 3 for that takes every worker seconds; None makes the import fail at once.
    sys.modules["keras"] = _ABSENT
try:
    from tensorflow_model_optimization.python.core.sparsity.keras import prune as tfmot
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_callbacks, pruning_schedule
finally:
    if sys.modules["keras"] is None:
        del sys.modules["keras"]

_RAMP = 0.6
_LEAST_UNITS = 2


def prune(model: Any, declared: CompressSpec, *, steps: int) -> Tuning:
    """Wrap a model so that training it on prunes it.

    The sparsity grows by a cubic schedule (Zhu and Gupta, 2017, "To prune, or not to prune") over the first part of
    the training, the rest of which mends the model with the zeros held.

    Args:
        model: A functional model; taken apart, its own weights are the ones that are trained.
        declared: `prune.sparsity` is read.
        steps: Steps of the whole training.
    """
    wanted = declared.prune or PruneSpec()
    ramp = max(1, int(steps * _RAMP))
    schedule = pruning_schedule.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=wanted.sparsity,
        begin_step=0,
        end_step=ramp,
        frequency=max(1, ramp // 20),
    )

    def wrap(layer: Any) -> Any:
        return tfmot.prune_low_magnitude(layer, pruning_schedule=schedule) if _prunable(layer) else layer

    wrapped = tf_keras.models.clone_model(model, clone_function=wrap)
    return Tuning(
        model=wrapped,
        callbacks=(pruning_callbacks.UpdatePruningStep(),),
        weights=lambda: tfmot.strip_pruning(wrapped).get_weights(),
        how=f"magnitude pruning to {wanted.sparsity:.0%} zeros over {wanted.epochs} more epochs",
    )


def _prunable(layer: Any) -> bool:
    # The one unit of the output has few weights, and all of them matter.
    if isinstance(layer, tf_keras.layers.Dense):
        return bool(layer.units >= _LEAST_UNITS)
    return isinstance(layer, tf_keras.layers.Embedding)
