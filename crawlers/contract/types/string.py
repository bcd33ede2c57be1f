"""Text, as served."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import polars as pl

from crawlers.contract.types.registry import COLUMN_TYPES, ColumnType, Kind, Typed

if TYPE_CHECKING:
    from crawlers.contract.column import Column


class StringType(ColumnType):
    """Text; a whole number in JSON is taken as it is written, for ids are often served so."""

    describes = "Text, as served; a whole number in JSON is taken as it is written."
    example = "a"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"string", "whole"})
    options = frozenset({"one_of"})
    listed = (str,)
    noun = "a string"

    def dtype(self, column: Column) -> pl.DataType:
        """String."""
        del column
        return pl.String()

    def read(self, texts: pl.Series, column: Column) -> Typed:
        """The texts themselves."""
        del column
        return Typed(texts)


COLUMN_TYPES.register("string", StringType())
