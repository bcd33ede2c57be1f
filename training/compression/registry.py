"""The registry of compression techniques, by name of the function of each, so that no framework is imported."""

from dataclasses import dataclass
from typing import Any, Literal

from foundation.importing import load
from foundation.registry import Registry


@dataclass(frozen=True, slots=True)
class Technique:
    """A way to make a model smaller.

    Attributes:
        name: As recipes call it.
        stage: `tuning`: it changes the weights while the model is trained on; `conversion`: it changes how they are
            written to the file.
        function: `module:function`, imported when the technique is used. Of a tuning technique
            `tune(model, declared, *, steps) -> training.compression.tune.Tuning`; of a conversion technique
            `write(model, samples) -> training.compression.convert.Written`.
        describes: One sentence for the reference.
        runtime: What scores the file that a conversion writes.
    """

    name: str
    stage: Literal["tuning", "conversion"]
    function: str
    describes: str = ""
    runtime: str = "litert"

    def load(self) -> Any:
        """Import the function."""
        return load(self.function)


TECHNIQUES: Registry[Technique] = Registry("technique", "How a model is made smaller.")

for _technique in (
    Technique(
        "continue",
        "tuning",
        "training.compression.tune:train_on",
        "Training on without any change: what a technique that trains on is held against.",
    ),
    Technique(
        "float",
        "conversion",
        "training.compression.convert:write_float",
        "Weights as they are, in single precision.",
    ),
    Technique(
        "int8",
        "conversion",
        "training.compression.quantize:write_int8",
        "Weights and activations as 8-bit integers, calibrated on training rows.",
    ),
    Technique(
        "prune",
        "tuning",
        "training.compression.prune:prune",
        "Magnitude pruning: the smallest weights of each layer become zero while the model trains on.",
    ),
):
    TECHNIQUES.register(_technique.name, _technique)
