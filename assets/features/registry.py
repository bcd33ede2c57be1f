"""What every kind of feature is, and the register of the kinds.

A kind is one file: a frozen model of its parameters, registered under the word that declarations use. It says which
partial aggregates it needs from each day, and how they become columns of an example. It never touches data itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar

import polars as pl
from pydantic import BeforeValidator

from assets.features.inputs import Input
from foundation.declaration import Declaration
from foundation.located import Location
from foundation.one_key import read_one_key
from foundation.registry import Registry

Grouping: TypeAlias = tuple[str, ...]
"""The columns that partial aggregates are counted by."""

MISSING = "__missing"
"""Suffix of the flag that says that a dense feature has no value, which stands there as 0."""


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])]
"""One name, or a list of names."""


@dataclass(frozen=True)
class Windows:
    """Trailing windows that end before the midnight at which `day` begins: `1d` is the day before it."""

    day: date
    lengths: Mapping[str, int]

    @property
    def longest(self) -> int:
        """Length of the longest window, in days."""
        return max(self.lengths.values())

    def since(self, name: str) -> date:
        """Return the first day of a window."""
        return self.day - timedelta(days=self.lengths[name])


class Feature(Declaration):
    """One declared feature. The defaults of the methods fit a feature that needs nothing of that sort."""

    kind: ClassVar[str]
    example: ClassVar[Mapping[str, Any]]
    """Parameters over the columns user_id, item_id, category, title, price and the event types view and purchase."""

    def groupings(self) -> tuple[Grouping, ...]:
        """Return the groupings of the daily partial aggregates that the feature reads."""
        return ()

    def event_types(self) -> tuple[str, ...]:
        """Return the event types that the feature tells apart."""
        return ()

    def key_columns(self) -> tuple[str, ...]:
        """Return the columns of an example that the feature needs as text."""
        return tuple(dict.fromkeys(column for grouping in self.groupings() for column in grouping))

    def aggregations(self, windows: Windows) -> Sequence[tuple[Grouping, pl.Expr]]:
        """Return named aggregations over the partial aggregates (`date`, `event_type`, `count`, `last`) of a grouping.

        Two features may ask for the same one: the name must then mean the same.
        """
        del windows
        return ()

    def descriptions(self) -> Sequence[tuple[str, pl.Expr]]:
        """Return (column, expression over it): evaluated once for each item or user, before any example is made."""
        return ()

    def expressions(self, windows: Windows) -> Sequence[pl.Expr]:
        """Return the columns of an example, over its `time`, its keys, the aggregations and the descriptions."""
        del windows
        return ()

    def inputs(self, windows: Sequence[str]) -> tuple[Input, ...]:
        """Return what the model reads, for the names of the windows."""
        raise NotImplementedError

    def reads(self) -> frozenset[str]:
        """Return the columns that its values are made from: of events, by attributes and keys, and of the catalogue.

        Keys that only decide which rows are counted together are among them: a count by user tells of users.
        """
        return frozenset(self.key_columns()) | {column for column, _ in self.descriptions()}

    def parameter(self, column: str) -> Location:
        """Return where the declaration of the feature names a column; empty where it does not."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if value == column or (isinstance(value, tuple) and column in value):
                return (field.alias or name,)
        return ()

    def complaint(self, types: Mapping[str, pl.DataType]) -> str | None:
        """Return what is wrong with the types of the columns read, and the fix; None if they fit."""
        del types
        return None


AnyFeature = TypeVar("AnyFeature", bound=Feature)

FEATURES: Registry[type[Feature]] = Registry("feature kind", "What a model knows of an example.")


def register_feature(kind: str) -> Callable[[type[AnyFeature]], type[AnyFeature]]:
    """Register a kind of feature under the word that declarations use; a word can be taken once."""

    def register(feature: type[AnyFeature]) -> type[AnyFeature]:
        FEATURES.register(kind, feature)
        feature.kind = kind
        return feature

    return register


def feature_kinds() -> Mapping[str, type[Feature]]:
    """Return the registered kinds by their word."""
    return FEATURES.entries()


def parse_feature(declared: object) -> Feature:
    """Return the feature that a one-key mapping such as `{count: {by: user_id}}` declares.

    Raises:
        ValueError: The declaration names no feature that there is, or its parameters do not fit; with its place.
    """
    wanted = "a feature is one kind with its parameters, such as `count: {by: user_id}`"
    return read_one_key(declared, FEATURES, Feature, wanted)


def features_schema() -> dict[str, Any]:
    """Return the JSON schema of a list of features: each an object with one key, the kind."""
    one = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {kind: feature.model_json_schema() for kind, feature in feature_kinds().items()},
    }
    return {"type": "array", "items": one, "minItems": 1}


def dumped(feature: Feature) -> dict[str, Any]:
    """Return the declaration of a feature, as `parse_feature` reads it."""
    return {feature.kind: feature.model_dump(mode="json", by_alias=True)}
