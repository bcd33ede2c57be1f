"""How votes become probabilities: a method of labelling, whatever its kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from assets.labeling.majority import Floats, Matrix
from foundation.registry import Registry

if TYPE_CHECKING:
    from assets.labeling.spec import LabelsSpec


@dataclass(frozen=True)
class Window:
    """Distinct patterns of votes that a method learns from.

    Attributes:
        patterns: One pattern a row, -1 abstains.
        rows: How many units have each.
        labels: Indices of the labels that somebody votes.
        functions: Indices of the functions that vote at all.
    """

    patterns: Matrix
    rows: Matrix
    labels: Matrix = field(init=False)
    functions: Matrix = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", np.unique(self.patterns[self.patterns >= 0]))
        object.__setattr__(self, "functions", np.flatnonzero((self.patterns >= 0).any(axis=0)))

    def reduced(self, patterns: Matrix) -> Matrix:
        """Patterns of the functions that vote, with labels renumbered to those that are voted."""
        active = patterns[:, self.functions]
        return np.asarray(np.where(active >= 0, np.searchsorted(self.labels, active), -1), dtype=np.int64)


@dataclass(frozen=True)
class Outcome:
    """What the votes come to.

    Attributes:
        scores: Probability of each label (column) for each pattern (row); meaningless where nobody votes.
        by: The method that it is from: the declared one, or the one that it fell back on.
        accuracies: Learned accuracy of each function, NaN for one that never voted; None by majority vote.
        why: Why the declared method did not decide; else empty.
    """

    scores: Floats
    by: str
    accuracies: Floats | None = None
    why: str = ""


class LabelMethod(ABC):
    """A method of labelling. A subclass is a file of its own, and registers itself under the name that is declared."""

    name: ClassVar[str] = ""

    @abstractmethod
    def check(self, spec: LabelsSpec) -> None:
        """Refuse a declaration that the method could make nothing of.

        Raises:
            LabelsError: The message names the labels, the culprit and the fix.
        """

    @abstractmethod
    def class_balance(self, patterns: Matrix, rows: Matrix, cardinality: int) -> tuple[Floats, str]:
        """The share of each label where neither a declaration nor true labels say it, and how it was found.

        Args:
            patterns: Distinct patterns of votes of the functions that vote, -1 abstains.
            rows: How many units have each.
            cardinality: Number of labels.
        """

    @abstractmethod
    def outcome(self, window: Window, patterns: Matrix, class_balance: Floats, spec: LabelsSpec) -> Outcome:
        """Score patterns by what a window of patterns teaches.

        Raises:
            LabelModelError: Nothing can be learned from this window, in words; the majority decides instead.
        """


METHODS: Registry[LabelMethod] = Registry(
    "label method", "How the votes of a unit become the probability of each label."
)

MethodType = TypeVar("MethodType", bound=type[LabelMethod])


def register_method(name: str) -> Callable[[MethodType], MethodType]:
    """Register a method of labelling under a name."""

    def register(method: MethodType) -> MethodType:
        method.name = name
        METHODS.register(name, method())
        return method

    return register


class MethodName:
    """Marks a field as the name of a registered method, also of one that is registered later."""

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A name that is registered."""
        return core_schema.no_info_after_validator_function(_known, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """All names that are registered now."""
        return handler(schema) | {"enum": list(METHODS)}


def _known(name: str) -> str:
    METHODS[name]  # explains a miss
    return name
