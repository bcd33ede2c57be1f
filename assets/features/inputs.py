"""What a feature becomes in the training files: a dense number, a category, or a row of tokens."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Dense:
    """One finite Float32 a row. The model standardises, not the files."""

    name: str


@dataclass(frozen=True)
class Category:
    """One row number (Int32) of an embedding table.

    0 stands for no value, 1 … buckets for words outside the vocabulary, and what follows for the vocabulary, the most
    frequent word first.

    Attributes:
        name: The column in the training files.
        source: The text column of the examples that it encodes.
        min_count: Labelled training rows that a word needs to enter the vocabulary.
        buckets: Rows shared by all other words, by a stable hash.
        dimension: Width of the embedding.
    """

    name: str
    source: str
    min_count: int
    buckets: int
    dimension: int


@dataclass(frozen=True)
class Tokens:
    """The first `length` words of a text, as row numbers 1 … size-1 of an embedding table; 0 is padding."""

    name: str
    size: int
    length: int
    dimension: int


Input: TypeAlias = Dense | Category | Tokens
