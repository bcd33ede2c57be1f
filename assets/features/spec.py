"""The declaration of point-in-time features and of the examples made of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

# Importing a kind registers it.
import assets.features.column
import assets.features.count
import assets.features.recency
import assets.features.tokens
import assets.features.vocabulary  # noqa: F401
from assets.features.errors import FeaturesError
from assets.features.inputs import Category, Dense, Input
from assets.features.registry import Feature, Grouping, Windows, dumped, features_schema, parse_feature
from assets.features.shapes.shape import SHAPES
from foundation.declaration import Declaration
from foundation.located import LocatedError
from foundation.name_of import NameOf
from foundation.nearest import hint

Days = Annotated[str, Field(pattern=r"^[1-9]\d*d$", description="whole days, such as 28d")]

TIME, LABEL, WEIGHT, ORIGIN = "time", "label", "weight", "origin"
KNOWN_ON = "known_on"
"""The column of events and catalogues that says on which day a row became known; only later days build upon it."""
RESERVED = frozenset(
    {TIME, LABEL, WEIGHT, ORIGIN, KNOWN_ON, "date", "grouping", "event_type", "count", "last", "relevance"}
)
"""Column names that examples, daily partial aggregates and training files use themselves."""


def days(duration: str) -> int:
    """Return the number of days of a duration such as `28d`."""
    return int(duration.removesuffix("d"))


class Negatives(Declaration):
    """Items that the user did not touch that day, drawn for each positive as examples with label 0.

    Attributes:
        per_positive: Draws for each positive (probability of at least 0.5); a few less where the user touched nearly
            everything that could be drawn.
        by: `popularity`: in proportion to the events of the days before, plus one for each item of the catalogue, so
            that an item without history is not always a positive; `uniform`: each known item alike; `mixed`: half by
            the one, half by the other (Yang et al., "Mixed negative sampling for learning two-tower neural networks in
            recommendations", WWW 2020). Negatives by popularity alone teach a model to ignore popularity, which makes
            it a poor ranker of a whole catalogue.
        seed: Of the draws, which depend on nothing but it, the user, the item and the time of the positive.
        weight: Of each negative in training.
    """

    per_positive: int = Field(default=4, ge=0)
    by: Literal["mixed", "popularity", "uniform"] = "mixed"
    seed: int = 0
    weight: float = Field(default=1.0, gt=0)


class SplitSpec(Declaration):
    """The last days of a window, by time: `test` the very last, `validation` those before, the rest to train on."""

    validation: Days = "1d"
    test: Days = "1d"


def _some(features: tuple[Feature, ...]) -> tuple[Feature, ...]:
    # Not by a least length: pydantic would report it beside every feature that cannot be read.
    if not features:
        raise LocatedError("there is no feature to learn from; declare at least one")
    return features


class _FeaturesSchema:
    """The schema of a list of features, of all kinds that are registered when it is asked for."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        del schema, handler
        return features_schema()


class FeaturesSpec(Declaration):
    """Examples with point-in-time features, declared.

    Attributes:
        name: Table of the examples; their daily partial aggregates are kept in `<name>__daily`.
        labels: Table of weak labels.
        events: Table of events to count; by default the labels' own.
        shape: What one example is, and so which model families can learn from it.
        catalogue: Snapshot table with one row an item.
        catalogue_key: Its column that names the item.
        user: Column of users, in events and labels.
        item: Column of items, in events and labels.
        event_time: Time column of the events.
        event_type: Column of the events' types, read when a feature tells types apart.
        attributes: Columns of the events that describe their user or item, e.g. `{country: user_id}`: an example
            knows the last value seen in the days before, within the longest window.
        windows: Trailing windows in days, ending before the example's day.
        features: Each one kind with its parameters.
        negatives: How negatives are drawn.
        split: How a training window is split.
        weight_floor: Least weight of a labelled example, which weighs |2p - 1| otherwise: a label that the label
            model is not sure of counts for little.
        description: What it is, for people.
        owners: Who answers for it.
        tags: For selections.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    labels: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    shape: Annotated[str, NameOf(SHAPES)] = "pairs"
    events: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    catalogue: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    catalogue_key: str = "item_id"
    user: str = "user_id"
    item: str = "item_id"
    event_time: str = "ts"
    event_type: str = "event_type"
    attributes: Mapping[str, str] = Field(default_factory=dict)
    windows: tuple[Days, ...] = Field(default=("1d", "7d", "28d"), min_length=1)
    features: Annotated[
        tuple[Annotated[Feature, BeforeValidator(parse_feature)], ...],
        AfterValidator(_some),
        _FeaturesSchema(),
    ]
    negatives: Negatives = Negatives()
    split: SplitSpec = SplitSpec()
    weight_floor: float = Field(default=0.05, gt=0, le=1)
    description: str = ""
    owners: tuple[str, ...] = ()
    tags: Mapping[str, str] = Field(default_factory=dict)

    @field_validator("windows", mode="after")
    @classmethod
    def _shortest_first(cls, windows: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(windows)) < len(windows):
            raise ValueError(f"a window is listed twice: {', '.join(windows)}")
        return tuple(sorted(windows, key=days))

    @field_serializer("features")
    def _dump_features(self, features: tuple[Feature, ...]) -> list[dict[str, Any]]:
        return [dumped(feature) for feature in features]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        for attribute, owner in self.attributes.items():
            if owner not in (self.user, self.item):
                raise FeaturesError(
                    f"Attribute '{attribute}' of '{self.name}' must describe '{self.user}' or '{self.item}', "
                    f"not '{owner}'; {hint(owner, (self.user, self.item))}",
                    ["attributes", attribute],
                )
        used = {
            self.user,
            self.item,
            *self.attributes,
            *(key for feature in self.features for key in feature.key_columns()),
        }
        if clash := sorted(used & RESERVED):
            raise FeaturesError(
                f"'{self.name}' uses a column named '{clash[0]}', which examples have of their own; "
                "rename it in a step of the table."
            )
        repeated = [name for name, times in Counter(entry.name for entry in inputs(self)).items() if times > 1]
        if repeated:
            raise FeaturesError(
                f"'{self.name}' declares the feature '{repeated[0]}' twice; leave one of them out.", ["features"]
            )
        return self

    @property
    def longest_window(self) -> int:
        """Days of partial aggregates that the examples of one day read."""
        return max(days(window) for window in self.windows)

    def windows_before(self, day: date) -> Windows:
        """Return the windows that end before a day."""
        return Windows(day, {window: days(window) for window in self.windows})

    @property
    def event_types(self) -> tuple[str, ...]:
        """The event types that features tell apart."""
        return tuple(sorted({event_type for feature in self.features for event_type in feature.event_types()}))

    @property
    def groupings(self) -> tuple[Grouping, ...]:
        """The groupings of the daily partial aggregates: those of the features, items (popularity), attributes."""
        wanted = [(self.item,), *((owner, attribute) for attribute, owner in sorted(self.attributes.items()))]
        wanted += [grouping for feature in self.features for grouping in feature.groupings()]
        return tuple(dict.fromkeys(wanted))

    @property
    def key_columns(self) -> tuple[str, ...]:
        """All columns that some grouping counts by, user and item first."""
        columns = [column for grouping in self.groupings for column in grouping]
        return tuple(dict.fromkeys([self.user, self.item, *sorted(columns)]))

    @property
    def read_columns(self) -> tuple[str, ...]:
        """All columns of an example that features read, as text or otherwise."""
        keys = [key for feature in self.features for key in feature.key_columns()]
        return tuple(sorted({*keys, *(source for feature in self.features for source, _ in feature.descriptions())}))

    def catalogue_columns(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return those of the columns that come from the catalogue: not the user, the item, nor an attribute."""
        return tuple(c for c in columns if c not in (self.user, self.item) and c not in self.attributes)


def inputs(spec: FeaturesSpec) -> tuple[Input, ...]:
    """Return what the model reads, before vocabularies are fitted: categories, then dense numbers, then tokens."""
    found = [entry for feature in spec.features for entry in feature.inputs(spec.windows)]
    order = {Category: 0, Dense: 1}
    return tuple(sorted(found, key=lambda entry: order.get(type(entry), 2)))
