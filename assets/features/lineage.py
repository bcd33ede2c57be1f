"""From which columns of what they read the daily aggregates, the examples and the inputs of a model come."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Literal, TypeAlias

from assets.features.errors import FeaturesError
from assets.features.inputs import Category
from assets.features.registry import Feature
from assets.features.spec import KNOWN_ON, LABEL, ORIGIN, TIME, WEIGHT, FeaturesSpec, inputs
from foundation.located import Location

Role: TypeAlias = Literal["events", "labels", "catalogue", "daily"]
Origins: TypeAlias = frozenset[tuple[Role, str]]
"""Columns of what is read: the part that it plays, and the column."""

# Which day it is changes no column's origin.
_ANY_DAY = date(2000, 1, 1)


def daily_lineage(spec: FeaturesSpec) -> Mapping[str, Origins]:
    """For each column of the daily aggregates, the columns of the events and the catalogue that its values come from.

    Counts come from rows, not from a column.
    """
    catalogue = spec.catalogue_columns(spec.key_columns)
    keys: dict[str, Origins] = {
        column: frozenset({("catalogue" if column in catalogue else "events", column)}) for column in spec.key_columns
    }
    return {
        "grouping": frozenset(),
        **keys,
        "event_type": frozenset({("events", spec.event_type)}) if spec.event_types else frozenset(),
        KNOWN_ON: frozenset({("events", KNOWN_ON)}),
        "count": frozenset(),
        "last": frozenset({("events", spec.event_time)}),
    }


def examples_lineage(spec: FeaturesSpec) -> Mapping[str, Origins]:
    """For each column of the examples, the columns of labels, daily aggregates and catalogue that it comes from."""
    drawn: set[tuple[Role, str]] = {("daily", spec.item)}
    if spec.catalogue is not None:
        drawn.add(("catalogue", spec.catalogue_key))
    origins: dict[str, Origins] = {
        spec.user: frozenset({("labels", spec.user)}),
        spec.item: frozenset({("labels", spec.item), *drawn}),
        TIME: frozenset({("labels", TIME)}),
        LABEL: frozenset({("labels", "probability")}),
        WEIGHT: frozenset({("labels", "probability")}),
        ORIGIN: frozenset({("labels", "covered")}),
    }
    for feature in spec.features:
        made = _made_from(feature, spec)
        for entry in feature.inputs(spec.windows):
            if isinstance(entry, Category):
                origins.setdefault(entry.source, frozenset({_place(entry.source, spec)}))
            else:
                origins[entry.name] = made
    return origins


def inputs_lineage(spec: FeaturesSpec) -> Mapping[str, frozenset[str]]:
    """For each input of a model, the columns of the examples that it is encoded from."""
    return {
        entry.name: frozenset({entry.source if isinstance(entry, Category) else entry.name}) for entry in inputs(spec)
    }


def _made_from(feature: Feature, spec: FeaturesSpec) -> Origins:
    counted: Origins = frozenset(
        ("daily", column)
        for grouping, expression in feature.aggregations(spec.windows_before(_ANY_DAY))
        for column in (*grouping, *expression.meta.root_names())
    )
    return counted | {_place(column, spec) for column, _ in feature.descriptions()}


def _place(column: str, spec: FeaturesSpec) -> tuple[Role, str]:
    if column in (spec.user, spec.item):
        return ("labels", column)
    return ("daily" if column in spec.attributes else "catalogue", column)


def check_personal(spec: FeaturesSpec, personal: Mapping[Role, Collection[str]]) -> None:
    """Refuse features that would show a model what a person's values are, unhashed.

    Args:
        spec: The declaration.
        personal: Of the events, the labels and the catalogue, the columns that may hold personal values in plain.

    Raises:
        FeaturesError: One is read; with its place.
    """
    of_events = {spec.user: ("user",), spec.item: ("item",)} | {c: ("attributes", c) for c in spec.attributes}
    if spec.event_types:
        of_events[spec.event_type] = ("event_type",)
    for role in ("events", "labels"):
        for column, where in of_events.items():
            if column in personal.get(role, ()) and (role == "events" or column in (spec.user, spec.item)):
                raise FeaturesError(_personal(f"'{spec.name}'", role, column), where)
    catalogue = personal.get("catalogue", ())
    if spec.catalogue_key in catalogue:
        raise FeaturesError(_personal(f"'{spec.name}'", "catalogue", spec.catalogue_key), ["catalogue_key"])
    for number, feature in enumerate(spec.features):
        for column in spec.catalogue_columns(sorted(feature.reads())):
            if column in catalogue:
                subject = f"Feature {number + 1} ('{feature.kind}') of '{spec.name}'"
                place: Location = ("features", number, feature.kind, *feature.parameter(column))
                raise FeaturesError(_personal(subject, "catalogue", column), place)


def _personal(subject: str, role: Role, column: str) -> str:
    return (
        f"{subject} reads '{column}' of its {role}, which may hold personal values in plain: it comes from "
        "undeclared fields that a contract with personal columns keeps (`unknown_columns: keep_values`). Declare the "
        "field that is meant in the contract, with `pii: hash` if it is about a person."
    )
