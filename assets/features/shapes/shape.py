"""What a shape of examples declares of itself, and the shapes by name.

A shape is one file with one class, registered under the word that declarations use. A model family says which shape it
takes; nothing else asks which one it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from foundation.registry import Registry

if TYPE_CHECKING:
    from assets.features.spec import FeaturesSpec


class Shape(ABC):
    """What one example is."""

    name: ClassVar[str]
    example: ClassVar[Mapping[str, Any]]
    """Keys of a features declaration that has this shape."""

    @abstractmethod
    def of_events(self, spec: FeaturesSpec) -> tuple[str, ...]:
        """The columns that it needs of the events."""

    @abstractmethod
    def of_labels(self, spec: FeaturesSpec) -> tuple[str, ...]:
        """The columns that it needs of the labels."""

    @abstractmethod
    def schema(self, spec: FeaturesSpec) -> pl.Schema:
        """The columns of the examples, without the partition column; among them `label` (0 to 1) and `origin`."""

    @abstractmethod
    def make(
        self,
        labels_day: pl.LazyFrame,
        daily_window: pl.LazyFrame | None,
        catalogue_day: pl.LazyFrame | None,
        spec: FeaturesSpec,
        *,
        day: date,
    ) -> pl.LazyFrame:
        """The examples of a day, as a frame of `schema`, in an order that depends on nothing but the rows.

        Args:
            labels_day: The weak labels of the day.
            daily_window: Daily partial aggregates with their `date`; None on the first day.
            catalogue_day: The newest snapshot that was known before the day began; None when none is declared.
            spec: The declaration.
            day: The day.
        """


SHAPES: Registry[Shape] = Registry("example shape", "What one example is, what it needs of tables and labels.")
