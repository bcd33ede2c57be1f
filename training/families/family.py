"""What a model family declares of itself."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from foundation.declaration import Declaration
from foundation.registry import Registry
from training.failure import TaskError

if TYPE_CHECKING:
    from training.schema import Inputs


class Family(Declaration):
    """A family of models: its settings are fields, and what it takes and bears are class variables.

    A family is one file with one class, registered under its kind. It imports its framework where it builds, so that
    declarations load without one.

    Class variables:
        shape: Of the examples that it takes, by the word that features declare.
        inputs: Kinds of columns that it takes, see `training.schema`.
        measured_by: What its evaluation yields: `scores` of single examples, `lists` of ranked items.
        techniques: Ways of compression that its models bear.
        runtimes: What its files can be scored with.
    """

    shape: ClassVar[str] = "pairs"
    inputs: ClassVar[frozenset[str]] = frozenset({"category", "dense", "tokens"})
    measured_by: ClassVar[frozenset[Literal["scores", "lists"]]] = frozenset({"scores", "lists"})
    techniques: ClassVar[frozenset[str]] = frozenset({"continue", "float", "int8", "prune"})
    runtimes: ClassVar[frozenset[str]] = frozenset({"litert"})

    kind: str

    @abstractmethod
    def build(self, inputs: Inputs, *, seed: int) -> Any:
        """Build an untrained model, made of plain layers with names.

        Args:
            inputs: What the columns are.
            seed: Of whatever is drawn at random in training; initial weights have a seed of their own.

        Returns:
            A functional `tf_keras.Model` from the inputs of `training.input.model_inputs` to the output `probability`,
            float32 of shape (batch, 1), which is the sigmoid of the layer `logit`: compression takes the model apart by
            these names.
        """

    def loss(self) -> Any:
        """The loss that training minimises, of labels and probabilities; binary cross-entropy unless a family says."""
        import tf_keras

        return tf_keras.losses.BinaryCrossentropy()

    def check(self, inputs: Inputs) -> None:
        """Check that the family takes these inputs.

        Raises:
            TaskError: It does not; the message names the column.
        """
        for one in inputs.inputs:
            if one.kind not in self.inputs:
                raise TaskError(
                    f"Family '{self.kind}' takes no input of kind {one.kind}, which '{one.name}' is; it takes "
                    f"{', '.join(sorted(self.inputs))}. Leave the feature out, or choose another family."
                )


FAMILIES: Registry[type[Family]] = Registry("model family", "Which network is trained, and with which settings.")
