"""JSON, kept as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import polars as pl

from crawlers.contract.types.registry import COLUMN_TYPES, ColumnType, Kind, Typed

if TYPE_CHECKING:
    from crawlers.contract.column import Column


class JsonType(ColumnType):
    """Any JSON value as its text; readers hand over nothing else."""

    describes = "Any JSON value, kept as its text: objects, arrays, numbers, quoted text."
    example = '{"a": 1}'
    kinds: ClassVar[frozenset[Kind]] = frozenset({"string", "whole", "number", "boolean", "nested"})
    noun = "JSON"

    def dtype(self, column: Column) -> pl.DataType:
        """String."""
        del column
        return pl.String()

    def read(self, texts: pl.Series, column: Column) -> Typed:
        """The texts themselves, which placement has proved to be JSON."""
        del column
        return Typed(texts)


COLUMN_TYPES.register("json", JsonType())
