"""The float model on disk: weights, a SavedModel, and a description that suffices to build it again."""

import hashlib
import json
from pathlib import Path
from typing import Any

import tf_keras
from pydantic import BaseModel, ConfigDict, ValidationError

from training.failure import TaskError
from training.models.registry import build
from training.normalise import Normalisation
from training.schema import Inputs
from training.spec import ModelSpec

_DESCRIPTION, _WEIGHTS, _SAVED_MODEL = "model.json", "weights.h5", "saved_model"


class Description(BaseModel):
    """What `model.json` holds: enough to build the model and to feed it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelSpec
    inputs: Inputs
    normalisation: Normalisation
    digest: str


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
        plain = build(inputs, spec)
    finally:
        tf_keras.mixed_precision.set_global_policy(policy)
    plain.set_weights(model.get_weights())
    plain.save_weights(str(folder / _WEIGHTS))
    plain.save(str(folder / _SAVED_MODEL), save_format="tf", include_optimizer=False)
    found = Description(model=spec, inputs=inputs, normalisation=normalisation, digest=weights_digest(plain))
    (folder / _DESCRIPTION).write_text(json.dumps(found.model_dump(mode="json"), indent=2) + "\n")


def read_description(folder: Path) -> Description:
    """Read the description of a saved float model; needs nothing of TensorFlow's run time.

    Raises:
        TaskError: There is none, or it is not understood.
    """
    path = folder / _DESCRIPTION
    try:
        return Description.model_validate_json(path.read_text())
    except OSError as error:
        raise TaskError(f"{path} cannot be read ({error.strerror}); train the model again") from None
    except ValidationError as error:
        raise TaskError(f"{path} is not the description of a model: {error}") from None


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
    model = build(found.inputs, found.model)
    try:
        model.load_weights(str(folder / _WEIGHTS))
    except (OSError, ValueError) as error:
        raise TaskError(f"{folder / _WEIGHTS} cannot be loaded ({error}); train the model again") from None
    if weights_digest(model) != found.digest:
        raise TaskError(f"{folder / _WEIGHTS} is damaged: its digest is not the one in {_DESCRIPTION}; train it again")
    return model
