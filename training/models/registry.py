"""The registry of model families, by name of the function that builds one, so that no framework is imported."""

import difflib
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.schema import Inputs
    from training.spec import ModelSpec

    Build = Callable[[Inputs, ModelSpec], Any]

_FAMILIES: dict[str, str] = {}


def register_family(name: str, function: str) -> None:
    """Register a model family.

    Args:
        name: As declarations call it.
        function: `module:function` of `build(inputs, spec) -> tf_keras.Model`; imported when a model is built.

    Raises:
        ValueError: The name is taken.
    """
    if name in _FAMILIES:
        raise ValueError(f"Model family '{name}' is registered already, as {_FAMILIES[name]}; choose another name")
    _FAMILIES[name] = function


def families() -> tuple[str, ...]:
    """Names of all registered families, sorted."""
    return tuple(sorted(_FAMILIES))


def check_family(name: str) -> None:
    """Check that a family is registered.

    Raises:
        ValueError: It is not; the message names the nearest one.
    """
    if name not in _FAMILIES:
        near = difflib.get_close_matches(name, _FAMILIES, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known families: {', '.join(families())}"
        raise ValueError(f"Model family '{name}' is unknown; {hint}")


def build(inputs: "Inputs", spec: "ModelSpec") -> Any:
    """Build the untrained model of a declaration.

    Returns:
        A `tf_keras.Model` from the inputs of `training.input.model_inputs` to the output `probability`, float32 of
        shape (batch, 1).
    """
    check_family(spec.family)
    module, _, function = _FAMILIES[spec.family].partition(":")
    builder: Build = getattr(importlib.import_module(module), function)
    return builder(inputs, spec)


register_family("ranker", "training.models.ranker:build")
