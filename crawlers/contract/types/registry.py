"""The types that a column can have, by the word that declarations use."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import polars as pl

from foundation.located import LocatedError
from foundation.registry import Registry

if TYPE_CHECKING:
    from crawlers.contract.column import Column

#: What a value in JSON can be; `whole` is a number without fraction and exponent.
Kind = Literal["string", "whole", "number", "boolean", "null", "nested"]


@dataclass(frozen=True)
class Fault:
    """What is wrong with some values of a column.

    Attributes:
        rows: which (Boolean).
        reason: a slug, the same for all.
        detail: what was found, in words, without the value.
    """

    rows: pl.Series
    reason: str
    detail: str


@dataclass(frozen=True)
class Typed:
    """Values of a column as its type has them.

    Attributes:
        values: null where the text is null or no such value.
        faults: what is wrong; every text that is no value is in one.
    """

    values: pl.Series
    faults: list[Fault] = field(default_factory=list)


class ColumnType(abc.ABC):
    """One type: what it is in a table, which texts it reads, and which options of a column make sense for it.

    A new one is a file with a subclass of this and its registration in `COLUMN_TYPES`.
    """

    describes: ClassVar[str]
    """One sentence for the reference."""

    example: ClassVar[str]
    """A text that it reads with no option but the type."""

    kinds: ClassVar[frozenset[Kind]]
    """The kinds of JSON values that it takes."""

    options: ClassVar[frozenset[str]] = frozenset()
    """The options that it has beside those of every column: `one_of`, `minimum`, `maximum`, `formats`, ..."""

    listed: ClassVar[tuple[type, ...]] = ()
    """What `one_of` may list."""

    noun: ClassVar[str]
    """What a value is, with its article, as messages call it."""

    @abc.abstractmethod
    def dtype(self, column: Column) -> pl.DataType:
        """The Polars type of the values."""

    @abc.abstractmethod
    def read(self, texts: pl.Series, column: Column) -> Typed:
        """The values of texts (String), null where there is none; nothing in them raises."""

    def bound(self, value: float | str) -> Any:
        """A declared `minimum` or `maximum` as it is compared with values.

        Raises:
            LocatedError: it is no such value.
        """
        if isinstance(value, str):
            raise LocatedError(f"bound '{value}' is not a number; a column of this type is bounded by numbers")
        return value

    def check(self, column: Column) -> None:  # noqa: B027 - most types have nothing more to refuse
        """Refuse options that make no sense together.

        Raises:
            LocatedError: with the option as its location.
        """


COLUMN_TYPES: Registry[ColumnType] = Registry("column type", "Types of a contract's columns.")


def unread(texts: pl.Series, values: pl.Series, detail: str) -> list[Fault]:
    """The fault of texts that are no values, if there are any."""
    if values.null_count() == texts.null_count():
        return []
    return [Fault(values.is_null() & texts.is_not_null(), "wrong_type", detail)]
