"""The formats that can be parsed, by the `kind` that declarations use, and what each of them keeps to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from crawlers.contract import Contract
from crawlers.decode import Source
from crawlers.parse.checked import TEXT_EXTRAS
from crawlers.parse.stream import Fault
from foundation.declaration import Declaration
from foundation.registry import Registry

#: What cannot be read as a record: the line, a slug, what was found in words, and the text where there is one.
BAD_SCHEMA: Mapping[str, pl.DataType] = {
    "_line": pl.Int64(),
    "reason": pl.String(),
    "detail": pl.String(),
    "text": pl.String(),
}


#: Lines to their records, with the schema and in the order of the lines given.
Verbatim = Callable[[pl.Series], pl.DataFrame]


@dataclass(frozen=True)
class Read:
    """What a format read from a part of a file. Every row that came in is in exactly one of the frames or removed.

    Attributes:
        texts: records, with the schema of `Checker.text_schema`.
        bad: rows that are no records, with `BAD_SCHEMA`.
        removed: rows left out, by reason.
        rows: how many rows came in.
        seen: the declared columns that have occurred, in these rows or in earlier ones.
        verbatim: gives the records of some lines again, to the character, where `texts` may spell numbers otherwise
            than the file does (33.2 for 33.20); nothing where `texts` does not.
    """

    texts: pl.DataFrame
    bad: pl.DataFrame
    removed: Mapping[str, int]
    rows: int
    seen: frozenset[str] = frozenset()
    verbatim: Verbatim | None = None


#: A part of a file that is still to be read; reading it raises nothing, whatever it holds.
Part = Callable[[], Read]


class Reader(Protocol):
    """Reads the files of one source in one run, so that what is learnt from one file serves the next."""

    def parts(self, source: Source, chunk_bytes: int) -> Iterator[Part]:
        """The parts of a file in order; several may be read at once, from several threads.

        Args:
            source: the bytes of the file, decoded.
            chunk_bytes: about how much text or data a part should hold.
        """


@dataclass(frozen=True)
class Example:
    """A small file of a format and the records it holds, for the reference and for the test that all formats pass.

    Attributes:
        options: as declared.
        columns: of the contract.
        body: the bytes of the file.
        records: what they are read as: the texts of the declared columns.
    """

    options: Mapping[str, Any]
    columns: Mapping[str, Any]
    body: bytes
    records: tuple[Mapping[str, str | None], ...] = field(default_factory=tuple)


class FormatOptions(Declaration, ABC):
    """What a source says of the format of its files.

    Attributes:
        kind: The format.
    """

    kind: str

    @abstractmethod
    def reader(self, contract: Contract) -> Reader:
        """A reader of files of this format.

        Args:
            contract: what the records should be.
        """

    @classmethod
    @abstractmethod
    def example(cls) -> Example:
        """A small file of this format."""


FORMATS: Registry[type[FormatOptions]] = Registry(
    "format", "How the bytes of a file are read as records; compressions and archives are undone before."
)


def fault(found: Fault, contract: Contract) -> Read:
    """A file's own fault as one row that came in and is no record."""
    row = {"_line": [found.line], "reason": [found.reason], "detail": [found.detail], "text": [None]}
    return Read(no_texts(contract), pl.DataFrame(row, schema=dict(BAD_SCHEMA)), {}, rows=1)


def no_texts(contract: Contract) -> pl.DataFrame:
    """No records."""
    schema: dict[str, pl.DataType] = {name: pl.String() for name in contract.columns}
    return pl.DataFrame(schema=schema | TEXT_EXTRAS)
