"""A category that the model learns an embedding of."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from assets.features.inputs import Category
from assets.features.registry import Feature, register_feature


@register_feature("vocabulary")
class Vocabulary(Feature):
    """The row of an embedding table for each frequent word of a column; the others share buckets.

    The vocabulary is fitted when a training set is prepared, on the training days only.

    Attributes:
        column: The user, the item, a column of the catalogue or a declared attribute.
        min_count: Labelled training examples that a word needs to get a row of its own.
        out_of_vocabulary_buckets: Rows shared by all other words.
        dimension: Width of the embedding.
    """

    example: ClassVar[Mapping[str, Any]] = {"column": "category", "min_count": 2, "out_of_vocabulary_buckets": 4}

    column: str
    min_count: int = Field(default=2, ge=1)
    out_of_vocabulary_buckets: int = Field(default=64, ge=1)
    dimension: int = Field(default=16, ge=1)

    def key_columns(self) -> tuple[str, ...]:  # noqa: D102
        return (self.column,)

    def inputs(self, windows: Sequence[str]) -> tuple[Category, ...]:  # noqa: D102
        del windows
        name = f"{self.column}__vocabulary"
        return (Category(name, self.column, self.min_count, self.out_of_vocabulary_buckets, self.dimension),)
