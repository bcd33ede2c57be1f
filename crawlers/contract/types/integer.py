"""Whole numbers of 64 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import polars as pl

from crawlers.contract.types.registry import COLUMN_TYPES, ColumnType, Kind, Typed, unread

if TYPE_CHECKING:
    from crawlers.contract.column import Column

_WHOLE_FLOAT = r"^([+-]?[0-9]+)\.0*$"


class IntegerType(ColumnType):
    """Whole numbers; `5.0` is one, read exactly."""

    describes = "Whole numbers of 64 bits; `5.0` is one."
    example = "5"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"whole", "number"})
    options = frozenset({"one_of", "minimum", "maximum", "quoted"})
    listed = (int,)
    noun = "an integer"

    def dtype(self, column: Column) -> pl.DataType:
        """Int64."""
        del column
        return pl.Int64()

    def read(self, texts: pl.Series, column: Column) -> Typed:
        """The numbers, never by way of one that is not exact."""
        del column
        values = texts.cast(pl.Int64, strict=False)
        if values.null_count() > texts.null_count():
            index = (texts.is_not_null() & values.is_null()).arg_true()
            exact = texts.gather(index).str.extract(_WHOLE_FLOAT).cast(pl.Int64, strict=False)
            values = values.scatter(index, exact)
        return Typed(values, unread(texts, values, "not an integer"))


COLUMN_TYPES.register("integer", IntegerType())
