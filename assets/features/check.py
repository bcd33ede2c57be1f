"""Whether a declaration of features fits the tables that it reads, told before anything runs."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import polars as pl

from assets.features.errors import FeaturesError, MissingCatalogueError
from assets.features.registry import Feature
from assets.features.shapes import SHAPES
from assets.features.spec import FeaturesSpec
from foundation.located import Location
from foundation.nearest import hint

Schema: TypeAlias = Mapping[str, pl.DataType]


def check_features(
    spec: FeaturesSpec, events_schema: Schema, labels_schema: Schema, catalogue_schema: Schema | None = None
) -> pl.Schema:
    """Return the schema of the examples, or raise a FeaturesError naming feature, column and the nearest column."""
    shape = SHAPES[spec.shape]
    _has(spec, "events", spec.events or "events", events_schema, shape.of_events(spec))
    _has(spec, "labels", spec.labels, labels_schema, shape.of_labels(spec))
    if not isinstance(events_schema[spec.event_time], pl.Datetime):
        raise FeaturesError(
            f"'{spec.name}' reads the time of events from '{spec.event_time}', which is "
            f"{events_schema[spec.event_time]}, not a datetime; set 'event_time' to the column that holds it.",
            ["event_time"],
        )
    if spec.catalogue is not None:
        if catalogue_schema is None:
            raise MissingCatalogueError(
                f"'{spec.name}' needs the schema of its catalogue '{spec.catalogue}'.", ["catalogue"]
            )
        if spec.catalogue_key not in catalogue_schema:
            raise MissingCatalogueError(
                f"Catalogue '{spec.catalogue}' of '{spec.name}' has no key '{spec.catalogue_key}'; set 'catalogue_key' "
                f"to its column of items; {hint(spec.catalogue_key, catalogue_schema)}",
                ["catalogue_key"],
            )
    types = _types(spec, events_schema, catalogue_schema or {})
    for number, feature in enumerate(spec.features):
        subject = f"Feature {number + 1} ('{feature.kind}') of '{spec.name}'"
        try:
            _check_feature(spec, subject, feature, types, events_schema)
        except FeaturesError as error:
            raise error.within("features", number, feature.kind) from None
    return shape.schema(spec)


def _has(spec: FeaturesSpec, role: str, table: str, schema: Schema, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in schema:
            raise FeaturesError(
                f"'{spec.name}' reads '{column}' of its {role} '{table}', which lacks it; {hint(column, schema)}",
                _place(spec, column) or [role],
            )


def _place(spec: FeaturesSpec, column: str) -> Location:
    """Where the declaration names a column of the events, outside its features; empty where only a default does."""
    for key in ("user", "item", "event_time", "event_type"):
        if key in spec.model_fields_set and getattr(spec, key) == column:
            return (key,)
    return ("attributes", column) if column in spec.attributes else ()


def _types(spec: FeaturesSpec, events: Schema, catalogue: Schema) -> dict[str, pl.DataType]:
    types: dict[str, pl.DataType] = dict(catalogue) if spec.catalogue else {}
    # Attributes are kept as text: only a number survives that.
    types |= {name: events[name] if events[name].is_numeric() else pl.String() for name in spec.attributes}
    return types | {spec.user: pl.String(), spec.item: pl.String()}


def _check_feature(
    spec: FeaturesSpec, subject: str, feature: Feature, types: Mapping[str, pl.DataType], events: Schema
) -> None:
    for column in sorted(feature.reads()):
        place = feature.parameter(column)
        if column in (spec.user, spec.item):
            if column in {source for source, _ in feature.descriptions()}:
                raise FeaturesError(
                    f"{subject} reads '{column}', which names and does not describe; use 'vocabulary'.", place
                )
        elif column in types:
            continue
        elif column in events:
            raise FeaturesError(
                f"{subject} reads '{column}', a column of the events only, so no example has one value of it; "
                f"if it describes a user or an item, declare 'attributes: {{{column}: {spec.user}}}'.",
                place,
            )
        else:
            where = (
                f"nor a column of the catalogue '{spec.catalogue}'"
                if spec.catalogue
                else "and no catalogue is declared"
            )
            raise FeaturesError(
                f"{subject} reads '{column}', which is neither user, item nor attribute, {where}; "
                f"{hint(column, types)}",
                place,
            )
    if complaint := feature.complaint(types):
        places = [feature.parameter(column) for column in sorted(feature.reads())]
        raise FeaturesError(f"{subject}: {complaint}.", places[0] if len(places) == 1 else ())
