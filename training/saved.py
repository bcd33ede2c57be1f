"""The float model on disk: weights, a SavedModel, and a description that suffices to build it again."""

import hashlib
import json
from pathlib import Path
from typing import Any

import tf_keras

from training.description import DESCRIPTION, Description, read_description
from training.failure import TaskError
from training.normalise import Normalisation
from training.schema import Inputs
from training.spec import ModelSpec

_WEIGHTS, _SAVED_MODEL = "weights.h5", "saved_model"


def weights_digest(model: Any) -> str:
    """SHA-256 over all weights, in the order of the layers."""
    found = hashlib.sha256()
    for weights in model.get_weights():
        found.update(str((weights.shape, str(weights.dtype))).encode())
        found.update(weights.tobytes())
    return found.hexdigest()


def save_float(model: Any, folder: Path, *, spec: ModelSpec, inputs: Inputs, normalisation: Normalisation) -> None:
    """Save a trained model, wherever it lives, as a plain float32 one.

    Args:
        model: Of any strategy and precision.
        folder: Made by this function.
        spec: The declaration.
        inputs: What the columns are.
        normalisation: Constants of the dense columns.
    """
    folder.mkdir(parents=True)
    policy = tf_keras.mixed_precision.global_policy()
    tf_keras.mixed_precision.set_global_policy("float32")
    try:
        # A copy outside the strategy: saving needs no other worker then, and reloads without a cluster.
        plain = spec.family.build(inputs, seed=spec.seed)
    finally:
        tf_keras.mixed_precision.set_global_policy(policy)
    plain.set_weights(model.get_weights())
    plain.save_weights(str(folder / _WEIGHTS))
    plain.save(str(folder / _SAVED_MODEL), save_format="tf", include_optimizer=False)
    found = Description(model=spec, inputs=inputs, normalisation=normalisation, digest=weights_digest(plain))
    (folder / DESCRIPTION).write_text(json.dumps(found.model_dump(mode="json"), indent=2) + "\n")


def load_float(folder: Path) -> Any:
    """Load a saved float model.

    Args:
        folder: `out/float` of a run.

    Returns:
        A `tf_keras.Model` in float32, uncompiled, created in the strategy scope that is current.

    Raises:
        TaskError: The folder is incomplete, or its weights are not the ones that were saved.
    """
    found = read_description(folder)
    model = found.model.family.build(found.inputs, seed=found.model.seed)
    try:
        model.load_weights(str(folder / _WEIGHTS))
    except (OSError, ValueError) as error:
        raise TaskError(f"{folder / _WEIGHTS} cannot be loaded ({error}); train the model again") from None
    if weights_digest(model) != found.digest:
        raise TaskError(f"{folder / _WEIGHTS} is damaged: its digest is not the one in {DESCRIPTION}; train it again")
    return model
