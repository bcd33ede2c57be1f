"""`pairs`: a user and an item, with what was known of them and of both together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from assets.features.examples import examples, examples_schema
from assets.features.shapes.shape import SHAPES, Shape
from assets.features.spec import TIME

if TYPE_CHECKING:
    from assets.features.spec import FeaturesSpec


class Pairs(Shape):
    """A user and an item with what was known of them before the day, a label and a weight.

    Each positive draws items that its user did not touch that day as negatives (`negatives`). Models of this shape rank
    items for users.
    """

    name: ClassVar[str] = "pairs"
    example: ClassVar[Mapping[str, Any]] = {"shape": "pairs", "user": "user_id", "item": "item_id"}

    def of_events(self, spec: FeaturesSpec) -> tuple[str, ...]:  # noqa: D102
        types = (spec.event_type,) if spec.event_types else ()
        return (spec.user, spec.item, spec.event_time, *spec.attributes, *types)

    def of_labels(self, spec: FeaturesSpec) -> tuple[str, ...]:  # noqa: D102
        return (spec.user, spec.item, TIME, "covered", "probability")

    def schema(self, spec: FeaturesSpec) -> pl.Schema:  # noqa: D102
        return examples_schema(spec)

    def make(  # noqa: D102
        self,
        labels_day: pl.LazyFrame,
        daily_window: pl.LazyFrame | None,
        catalogue_day: pl.LazyFrame | None,
        spec: FeaturesSpec,
        *,
        day: date,
    ) -> pl.LazyFrame:
        return examples(labels_day, daily_window, catalogue_day, spec, day=day)


SHAPES.register(Pairs.name, Pairs())
