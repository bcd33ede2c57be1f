"""The cleaning steps, by the names that declarations use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from assets.cleaning.step import Step
from foundation.one_key import read_one_key
from foundation.registry import Registry

StepType = TypeVar("StepType", bound=type[Step])

STEPS: Registry[type[Step]] = Registry("step", "One transformation of a table's rows.")


def register_step(name: str) -> Callable[[StepType], StepType]:
    """Register a step under a name; a name can be taken once."""

    def register(step: StepType) -> StepType:
        STEPS.register(name, step)
        step.step = name
        return step

    return register


def steps() -> Mapping[str, type[Step]]:
    """All registered steps by name."""
    return STEPS.entries()


def make_step(declared: Any) -> Step:
    """The step that a one-key mapping `{name: parameters}`, or a name alone, declares.

    Raises:
        ValueError: the declaration names no step that there is, or its parameters do not fit; with its place.
    """
    if isinstance(declared, str):
        declared = {declared: {}}
    wanted = "a step is one name with its parameters, such as `deduplicate: {by: [event_id]}`"
    return read_one_key(declared, STEPS, Step, wanted)  # type: ignore[type-abstract]
