"""Formats of documents: a file that is read as a whole and at any place."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import partial
from typing import IO

from crawlers.contract import Contract
from crawlers.decode import Damage, Source, spooled
from crawlers.parse.registry import FormatOptions, Part, Read, fault
from crawlers.parse.stream import HTML, Fault, is_html


class DocumentOptions(FormatOptions):
    """What all formats of documents have."""

    def reader(self, contract: Contract) -> DocumentReader:
        """A reader of whole documents."""
        return DocumentReader(self, contract)

    @abstractmethod
    def document(self, file: IO[bytes], contract: Contract, part_bytes: int) -> Iterator[Read | Fault]:
        """What a document holds, part by part, and what is wrong with it. Nothing in the content raises.

        Args:
            file: the document, which can be read at any place.
            contract: what the records should be.
            part_bytes: about how much data a part should hold.
        """


class DocumentReader:
    """Reads documents.

    Args:
        options: as declared.
        contract: what the records should be.
    """

    def __init__(self, options: DocumentOptions, contract: Contract) -> None:
        self._options = options
        self._contract = contract

    def parts(self, source: Source, chunk_bytes: int) -> Iterator[Part]:
        """The parts of the document, or one row for each thing that is wrong with it.

        A document whose bytes were cut has no end, so that it is not read at all.
        """
        damages: list[Damage] = []
        with spooled(source, damages) as file:
            for damage in damages:
                yield partial(fault, Fault(1, damage.reason, damage.detail), self._contract)
            if not all(damage.whole for damage in damages):
                return
            head = file.read(4096)
            if not head:
                return
            if is_html(head):
                yield partial(fault, HTML, self._contract)
                return
            file.seek(0)
            for part in self._options.document(file, self._contract, chunk_bytes):
                read = fault(part, self._contract) if isinstance(part, Fault) else part
                # Read already, one after the other, since they share the file; what follows is done side by side.
                yield partial(_given, read)


def _given(read: Read) -> Read:
    return read
