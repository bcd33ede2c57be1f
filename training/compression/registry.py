"""The registry of compression techniques, by name of the function of each, so that no framework is imported."""

import difflib
import importlib
from dataclasses import dataclass
from typing import Any, Literal


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
    """

    name: str
    stage: Literal["tuning", "conversion"]
    function: str

    def load(self) -> Any:
        """Import the function."""
        module, _, function = self.function.partition(":")
        return getattr(importlib.import_module(module), function)


_TECHNIQUES: dict[str, Technique] = {}


def register_technique(technique: Technique) -> None:
    """Register a technique.

    Raises:
        ValueError: The name is taken.
    """
    taken = _TECHNIQUES.get(technique.name)
    if taken is not None:
        raise ValueError(
            f"Technique '{technique.name}' is registered already, as {taken.function}; choose another name"
        )
    _TECHNIQUES[technique.name] = technique


def techniques() -> tuple[Technique, ...]:
    """All registered techniques, by name."""
    return tuple(_TECHNIQUES[name] for name in sorted(_TECHNIQUES))


def technique(name: str) -> Technique:
    """The technique of a name.

    Raises:
        ValueError: It is not registered; the message names the nearest one.
    """
    if name not in _TECHNIQUES:
        near = difflib.get_close_matches(name, _TECHNIQUES, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known techniques: {', '.join(sorted(_TECHNIQUES))}"
        raise ValueError(f"Technique '{name}' is unknown; {hint}")
    return _TECHNIQUES[name]


register_technique(Technique("continue", "tuning", "training.compression.tune:train_on"))
register_technique(Technique("float", "conversion", "training.compression.convert:write_float"))
register_technique(Technique("int8", "conversion", "training.compression.quantize:write_int8"))
register_technique(Technique("prune", "tuning", "training.compression.prune:prune"))
