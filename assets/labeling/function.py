"""What a labelling function is, whatever its kind: a named vote on each unit, as one expression over its columns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import polars as pl
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from assets.labeling.errors import LabelsError
from assets.labeling.sql import Schema
from foundation.declaration import Declaration, Name
from foundation.located import LocatedError
from foundation.registry import Registry

if TYPE_CHECKING:
    from assets.labeling.spec import LabelsSpec

ABSTAIN = -1


class LabellingFunction(Declaration):
    """A labelling function. A subclass is a file of its own, and registers itself under the key that tells its kind.

    Attributes:
        name: Its name; its votes stand in the column `vote_<name>`.
        description: Why it is believed, for people.
    """

    #: The key that only declarations of this kind have.
    key: ClassVar[str] = ""
    #: Its keys beside the name, over units with views, dwell, cheapest and opened: what the reference shows, and the
    #: tests try.
    example: ClassVar[Mapping[str, Any]]

    name: Name
    description: str = ""

    @property
    def polarity(self) -> tuple[str, ...] | None:
        """The labels that it may vote; None where that shows only in its votes."""
        return None

    @property
    def module(self) -> str | None:
        """The Python module that it is written in, if it is: a change there makes labels anew."""
        return None

    @abstractmethod
    def check(self, spec: LabelsSpec, columns: Schema) -> None:
        """Refuse what does not fit the columns of a unit, as far as it shows without running anybody's code.

        Raises:
            LabelsError: The message names labels, function, culprit and fix; the location is within the function.
        """

    @abstractmethod
    def expression(self, spec: LabelsSpec, columns: Schema) -> pl.Expr:
        """Its votes as an Int8 expression: -1 abstains, else the index of the label.

        Raises:
            LabelsError: The function does not fit the units' columns, or its code cannot be used.
        """

    @abstractmethod
    def reads(self, spec: LabelsSpec, columns: Schema) -> frozenset[str]:
        """The columns of a unit that its votes come from; all of them where that is not known without running it."""

    def subject(self, spec: LabelsSpec) -> str:
        """What messages begin with."""
        return f"Labels '{spec.name}', labelling function '{self.name}'"

    def fail(self, spec: LabelsSpec, message: str, *location: str) -> LabelsError:
        """An error about the function."""
        return LabelsError(f"{self.subject(spec)}: {message}", location)


FUNCTIONS: Registry[type[LabellingFunction]] = Registry(
    "labelling function", "A named vote on a unit, told by the one key that only its kind has."
)

FunctionType = TypeVar("FunctionType", bound=type[LabellingFunction])


def register_function(key: str) -> Callable[[FunctionType], FunctionType]:
    """Register a kind of labelling function under the key that tells it from the others."""

    def register(kind: FunctionType) -> FunctionType:
        known = kind.keys()
        if key not in known:
            raise ValueError(f"Labelling function '{key}': {kind.__name__} has no field of that name; add it")
        FUNCTIONS.register(key, kind)
        kind.key = key
        return kind

    return register


class AnyFunction:
    """Marks a field as a labelling function of any registered kind, also of one that is registered later."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read by the kind whose key is there; written by the model of the value."""
        del source, handler
        return core_schema.no_info_plain_validator_function(_read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """All kinds that are registered now."""
        del schema
        return {"oneOf": [handler(kind.__pydantic_core_schema__) for kind in FUNCTIONS.entries().values()]}


def _read(value: Any) -> LabellingFunction:
    if isinstance(value, LabellingFunction):
        return value
    known = " or ".join(f"'{key}'" for key in FUNCTIONS)
    if not isinstance(value, Mapping):
        raise LocatedError(f"a labelling function is a mapping with a name and {known}")
    kinds = [kind for key, kind in FUNCTIONS.entries().items() if key in value]
    if len(kinds) > 1:
        raise LocatedError(
            f"labelling function '{value.get('name')}' has {' and '.join(kind.key for kind in kinds)}; keep one"
        )
    if not kinds:
        raise LocatedError(f"labelling function '{value.get('name')}' says nowhere how it votes; give it {known}")
    return kinds[0].model_validate(value)
