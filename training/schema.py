"""What the columns of a training set are: `encoding/features.json`, typed."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training.failure import TaskError

DENSE = "dense_features"
"""Name of the one model input that holds all dense columns, in their declared order."""

TOKEN_WEIGHTS = "__token_weights"  # noqa: S105 - the ending of a name, not a secret
"""Ending of the model input that holds each token's share in the mean over the tokens of a row."""


class SchemaError(TaskError):
    """A training set whose `features.json` is missing or not understood."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CategoryInput(_Frozen):
    """An Int32 column of rows in an embedding table of `size` rows (those out of vocabulary included)."""

    kind: Literal["category"] = "category"
    name: str
    size: int = Field(ge=1)
    dimension: int = Field(default=16, ge=1)


class DenseInput(_Frozen):
    """A finite Float32 column."""

    kind: Literal["dense"] = "dense"
    name: str


class TokensInput(_Frozen):
    """A FixedSizeList<Int32, length> column of hashed tokens; 0 is padding."""

    kind: Literal["tokens"] = "tokens"
    name: str
    size: int = Field(ge=2)
    length: int = Field(ge=1)
    dimension: int = Field(default=16, ge=1)


Input = Annotated[CategoryInput | DenseInput | TokensInput, Field(discriminator="kind")]


class Inputs(_Frozen):
    """The inputs of a model in their order, and the columns of the label and the weight."""

    inputs: tuple[Input, ...] = Field(min_length=1)
    label: str = "label"
    weight: str = "weight"

    @model_validator(mode="after")
    def _names_are_distinct(self) -> "Inputs":
        taken = {self.label, self.weight, DENSE}
        for one in self.inputs:
            if one.name in taken:
                raise ValueError(
                    f"input '{one.name}' has the name of another input, the label, the weight or '{DENSE}'"
                )
            taken.add(one.name)
        return self

    @property
    def categories(self) -> tuple[CategoryInput, ...]:
        """The category inputs, in order."""
        return tuple(one for one in self.inputs if isinstance(one, CategoryInput))

    @property
    def dense(self) -> tuple[DenseInput, ...]:
        """The dense inputs, in order."""
        return tuple(one for one in self.inputs if isinstance(one, DenseInput))

    @property
    def tokens(self) -> tuple[TokensInput, ...]:
        """The token inputs, in order."""
        return tuple(one for one in self.inputs if isinstance(one, TokensInput))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of all inputs, without label and weight."""
        return tuple(one.name for one in self.inputs)


def read_inputs(data: Path) -> Inputs:
    """Read the inputs of a prepared training set.

    Args:
        data: Folder of the training set.

    Raises:
        SchemaError: The file is missing or not understood.
    """
    path = data / "encoding" / "features.json"
    try:
        return Inputs.model_validate(json.loads(path.read_text()))
    except OSError as error:
        raise SchemaError(
            f"training set {data} has no encoding/features.json ({error.strerror}); prepare it again"
        ) from None
    except ValidationError as error:
        found = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise SchemaError(f"{path} is not understood: {'; '.join(found)}") from None
    except ValueError as error:
        raise SchemaError(f"{path} is not JSON: {error}") from None
