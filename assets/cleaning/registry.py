"""The cleaning steps, by the names that declarations use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from assets.cleaning.step import Step
from foundation.nearest import hint

StepType = TypeVar("StepType", bound=type[Step])

_STEPS: dict[str, type[Step]] = {}


def register_step(name: str) -> Callable[[StepType], StepType]:
    """Register a step under a name; a name can be taken once."""

    def register(step: StepType) -> StepType:
        if name in _STEPS:
            raise ValueError(f"Step '{name}' is registered already, by {_STEPS[name].__module__}; choose another name")
        step.step = name
        _STEPS[name] = step
        return step

    return register


def steps() -> Mapping[str, type[Step]]:
    """All registered steps by name."""
    return dict(sorted(_STEPS.items()))


def make_step(declared: Any) -> Step:
    """The step that a one-key mapping `{name: parameters}`, or a name alone, declares.

    Raises:
        ValueError: the declaration names no step that there is, or its parameters do not fit.
    """
    if isinstance(declared, Step):
        return declared
    if isinstance(declared, str):
        declared = {declared: {}}
    if not isinstance(declared, Mapping) or len(declared) != 1:
        raise ValueError("a step is one name with its parameters, such as `deduplicate: {by: [event_id]}`")
    ((name, parameters),) = declared.items()
    if name not in _STEPS:
        raise ValueError(f"Step '{name}' is unknown; {hint(str(name), steps())}")
    return _STEPS[name].model_validate({} if parameters is None else parameters)
