"""Numbers of double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import polars as pl

from crawlers.contract.types.registry import COLUMN_TYPES, ColumnType, Kind, Typed, unread

if TYPE_CHECKING:
    from crawlers.contract.column import Column


class FloatType(ColumnType):
    """Finite numbers."""

    describes = "Finite numbers of double precision."
    example = "1.5"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"whole", "number"})
    options = frozenset({"one_of", "minimum", "maximum", "quoted"})
    listed = (int, float)
    noun = "a finite float"

    def dtype(self, column: Column) -> pl.DataType:
        """Float64."""
        del column
        return pl.Float64()

    def read(self, texts: pl.Series, column: Column) -> Typed:
        """The numbers; infinity and what is no number are none."""
        del column
        values = texts.cast(pl.Float64, strict=False)
        if not values.is_finite().all():
            values = pl.select(pl.when(values.is_finite()).then(values)).to_series().alias(texts.name)
        return Typed(values, unread(texts, values, "not a finite float"))


COLUMN_TYPES.register("float", FloatType())
