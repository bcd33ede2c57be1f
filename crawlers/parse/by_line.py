"""Formats of lines: a file of any size is read in chunks of whole lines, several at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import partial
from typing import Protocol

from pydantic import ByteSize, field_validator

from crawlers.contract import Contract
from crawlers.decode import Source
from crawlers.parse.registry import FormatOptions, Part, Read, fault
from crawlers.parse.stream import Chunk, Fault, chunks


class LineOptions(FormatOptions):
    """What all formats of lines have.

    Attributes:
        encoding: Of the text, by its name in Python.
        max_line_bytes: A longer line is quarantined as `line_too_long`.
    """

    encoding: str = "utf-8"
    max_line_bytes: ByteSize = ByteSize(1024**2)

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, encoding: str) -> str:
        try:
            b"".decode(encoding)
        except LookupError:
            raise ValueError(
                f"encoding '{encoding}' is unknown; write it as Python does: utf-8, cp1252, latin-1, utf-16, gb18030"
            ) from None
        return encoding

    def reader(self, contract: Contract) -> LineReader:
        """A reader in chunks."""
        return LineReader(self, contract, self.lines(contract))

    @abstractmethod
    def lines(self, contract: Contract) -> LineFormat:
        """What reads the lines.

        Args:
            contract: what the records should be.
        """


class FileReader(Protocol):
    """Reads one file, chunk by chunk. `read` may be called from several threads at once, `cut` from one."""

    def cut(self, buffer: bytes) -> int:
        """The length of the part of a buffer that holds only whole records; 0 when there is none yet."""

    def begin(self, chunk: Chunk) -> None:
        """See the first chunk of the file, before any is read: it may begin with a header."""

    def read(self, chunk: Chunk) -> Read:
        """Read one chunk; nothing in its content raises."""


class LineFormat(Protocol):
    """Makes readers of single files."""

    def open(self) -> FileReader:
        """A reader for one file."""


class LineReader:
    """Reads files of lines.

    Args:
        options: as declared.
        contract: what the records should be.
        form: what reads the lines.
    """

    def __init__(self, options: LineOptions, contract: Contract, form: LineFormat) -> None:
        self._options = options
        self._contract = contract
        self._form = form

    def parts(self, source: Source, chunk_bytes: int) -> Iterator[Part]:
        """A part for each chunk, and for each fault of the file."""
        file = self._form.open()
        begun = False
        for piece in chunks(
            source,
            encoding=self._options.encoding,
            max_line_bytes=int(self._options.max_line_bytes),
            cut=file.cut,
            chunk_bytes=chunk_bytes,
        ):
            if isinstance(piece, Fault):
                yield partial(fault, piece, self._contract)
                continue
            if not begun:
                begun = True
                file.begin(piece)
            yield partial(file.read, piece)
