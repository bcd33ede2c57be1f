"""Bytes to be decoded, and what was found wrong with them on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Damage:
    """Something wrong with the bytes of a file.

    Attributes:
        reason: a slug, as in quarantine.
        detail: what was found, in words.
        whole: whether what was read before ends where it was meant to end; else its last line was cut.
    """

    reason: str
    detail: str
    whole: bool = False


@dataclass(frozen=True)
class Source:
    """Bytes that can be read from their beginning as often as needed.

    Attributes:
        read: gives them in blocks, adding to the list what is wrong with them; nothing in their content raises.
        path: the file that holds exactly these bytes, where there is one.
    """

    read: Callable[[list[Damage]], Iterator[bytes]]
    path: Path | None = None

    @classmethod
    def of_file(cls, path: Path) -> Source:
        """The bytes of a file."""

        def read(damages: list[Damage]) -> Iterator[bytes]:
            del damages
            with path.open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    yield block

        return cls(read, path)

    @classmethod
    def nothing(cls, *found: Damage) -> Source:
        """No bytes, and why."""

        def read(damages: list[Damage]) -> Iterator[bytes]:
            damages.extend(found)
            yield from ()

        return cls(read)

    def head(self) -> bytes:
        """The first block, or all when that is less."""
        with closing(self.read([])) as blocks:  # type: ignore[type-var]
            return next(blocks, b"")
