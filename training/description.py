"""What a saved model is, in words that need no framework to be read: `model.json` beside its weights."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from training.failure import TaskError
from training.normalise import Normalisation
from training.schema import Inputs
from training.spec import ModelSpec

DESCRIPTION = "model.json"


class Description(BaseModel):
    """What `model.json` holds: enough to build the model and to feed it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelSpec
    inputs: Inputs
    normalisation: Normalisation
    digest: str


def read_description(folder: Path) -> Description:
    """Read the description of a saved float model; imports nothing of TensorFlow.

    Raises:
        TaskError: There is none, or it is not understood.
    """
    path = folder / DESCRIPTION
    try:
        return Description.model_validate_json(path.read_text())
    except OSError as error:
        raise TaskError(f"{path} cannot be read ({error.strerror}); train the model again") from None
    except ValidationError as error:
        raise TaskError(f"{path} is not the description of a model: {error}") from None
