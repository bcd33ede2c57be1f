"""A place that holds files: what a folder and a prefix of an object store have in common."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from crawlers.fault import CrawlError

PIECE = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One file.

    Attributes:
        name: Path below the place, with forward slashes.
        bytes: Its size.
        modified: When it was last written (UTC).
        validator: Another one whenever the content is another one; None when that cannot be told yet.
        state: What of it may be compared when it is opened, as the place has it.
        refused: Why it will not be read, whatever it holds; empty when it may be.
    """

    name: str
    bytes: int
    modified: dt.datetime
    validator: str | None
    state: tuple[int, ...] = ()
    refused: str = ""


class ChangedError(Exception):
    """A file changed while it was read."""


class MissingPlaceError(CrawlError):
    """The place itself is not there."""


class Place(Protocol):
    """Where the files of one day lie."""

    def entries(self) -> list[Entry]:
        """All files, hidden ones too.

        Raises:
            MissingPlaceError: The place is not there; the message says what is there instead.
            CrawlError: It cannot be read.
        """
        ...

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """The content of a file.

        Raises:
            ChangedError: It is not as it was listed, or changed meanwhile.
            CrawlError: It must not or cannot be read.
        """
        ...
