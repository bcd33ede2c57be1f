"""True and false."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import polars as pl

from crawlers.contract.types.registry import COLUMN_TYPES, ColumnType, Kind, Typed, unread

if TYPE_CHECKING:
    from crawlers.contract.column import Column

_TRUE, _FALSE = ("true", "1"), ("false", "0")


class BooleanType(ColumnType):
    """True and false; in CSV also 1 and 0."""

    describes = "`true` and `false` in any case; as text also `1` and `0`."
    example = "true"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"boolean"})
    options = frozenset({"quoted"})
    noun = "a boolean"

    def dtype(self, column: Column) -> pl.DataType:
        """Boolean."""
        del column
        return pl.Boolean()

    def read(self, texts: pl.Series, column: Column) -> Typed:
        """What the texts say."""
        del column
        lower = texts.str.to_lowercase()
        true = pl.when(lower.is_in(_TRUE)).then(pl.lit(value=True))
        either = true.when(lower.is_in(_FALSE)).then(pl.lit(value=False)).otherwise(None)
        values = pl.select(either.cast(pl.Boolean)).to_series().alias(texts.name)
        return Typed(values, unread(texts, values, "not a boolean"))


COLUMN_TYPES.register("boolean", BooleanType())
