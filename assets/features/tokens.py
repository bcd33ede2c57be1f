"""The words of a text, hashed into the rows of an embedding table."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from assets.features.inputs import Tokens
from assets.features.registry import Feature, Windows, register_feature
from foundation.stable_hash import hash_tokens


@register_feature("tokens")
class TextTokens(Feature):
    r"""The first words of a text, lower-cased, each hashed to 1 … buckets-1; 0 pads.

    A word is a run of letters and digits (`[\p{L}\p{N}]+`).

    Attributes:
        column: A text column of the catalogue, or a declared attribute.
        buckets: Rows of the embedding table, the padding row included.
        length: Words kept.
        dimension: Width of the embedding.
    """

    example: ClassVar[Mapping[str, Any]] = {"column": "title", "buckets": 64, "length": 3}

    column: str
    buckets: int = Field(default=4096, ge=2)
    length: int = Field(default=12, ge=1)
    dimension: int = Field(default=16, ge=1)

    @property
    def _name(self) -> str:
        return f"{self.column}__tokens"

    def descriptions(self) -> Sequence[tuple[str, pl.Expr]]:  # noqa: D102
        text = pl.col(self.column).cast(pl.String).str.to_lowercase()
        words = text.str.extract_all(r"[\p{L}\p{N}]+").list.head(self.length)
        buckets = self.buckets
        numbers = words.map_batches(
            lambda lists: hash_tokens(lists, buckets), return_dtype=pl.List(pl.Int32), is_elementwise=True
        )
        return [(self.column, numbers.alias(self._name))]

    def expressions(self, windows: Windows) -> Sequence[pl.Expr]:  # noqa: D102
        del windows
        return [pl.col(self._name).fill_null([])]

    def inputs(self, windows: Sequence[str]) -> tuple[Tokens, ...]:  # noqa: D102
        del windows
        return (Tokens(self._name, self.buckets, self.length, self.dimension),)

    def complaint(self, types: Mapping[str, pl.DataType]) -> str | None:  # noqa: D102
        if types[self.column] == pl.String:
            return None
        return f"column '{self.column}' is {types[self.column]}, not text; use 'column' for a number"
