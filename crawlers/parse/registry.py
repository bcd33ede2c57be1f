"""The formats that can be parsed, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from crawlers.contract import Contract
from crawlers.parse.stream import Chunk


class UnknownFormatError(Exception):
    """A source declares a format that nobody has registered."""


@dataclass(frozen=True)
class Read:
    """What a format read from a chunk. Every row that came in is in exactly one of the parts.

    Attributes:
        texts: records, with the schema of `Checker.text_schema`.
        bad: rows that are no records: `_line`, `reason`, `detail`, and perhaps `text`.
        removed: rows left out, by reason.
        rows: how many rows came in.
        seen: the declared columns that have occurred, in these rows or in earlier ones.
    """

    texts: pl.DataFrame
    bad: pl.DataFrame
    removed: Mapping[str, int]
    rows: int
    seen: frozenset[str] = frozenset()


class FileReader(Protocol):
    """Reads one file, chunk by chunk. `read` may be called from several threads at once, `cut` from one."""

    def cut(self, buffer: bytes) -> int:
        """The length of the part of a buffer that holds only whole records; 0 when there is none yet."""

    def begin(self, chunk: Chunk) -> None:
        """See the first chunk of the file, before any is read: it may begin with a header."""

    def read(self, chunk: Chunk) -> Read:
        """Read one chunk; nothing in its content raises."""


class Format(Protocol):
    """Makes readers; one for each source and run, so that what is learnt from one file serves the next."""

    def open(self) -> FileReader:
        """A reader for one file."""


#: Makes a format from the options declared (`spec.format`) and the contract.
Factory = Callable[[Any, Contract], Format]

_FORMATS: dict[str, Factory] = {}


def register_format(kind: str) -> Callable[[Factory], Factory]:
    """Register a format under the `kind` that declarations use; a kind can be taken once."""

    def register(factory: Factory) -> Factory:
        if kind in _FORMATS:
            raise ValueError(f"Format '{kind}' is registered already; choose another kind")
        _FORMATS[kind] = factory
        return factory

    return register


def formats() -> Mapping[str, Factory]:
    """All registered formats by kind."""
    return dict(_FORMATS)


def make_format(options: Any, contract: Contract) -> Format:
    """The format that a source declares.

    Args:
        options: `spec.format`, whose `kind` names the format.
        contract: what the records should be.

    Raises:
        UnknownFormatError: there is no such format.
    """
    factory = _FORMATS.get(options.kind)
    if factory is None:
        near = difflib.get_close_matches(options.kind, _FORMATS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(_FORMATS))}"
        raise UnknownFormatError(f"Format '{options.kind}' is unknown; {hint}")
    return factory(options, contract)
