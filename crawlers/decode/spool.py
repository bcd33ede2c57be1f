"""Bytes as a file that can be read at any place, for formats and archives that begin at their end."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from crawlers.decode.source import BLOCK_BYTES, Damage, Source


@contextmanager
def spooled(source: Source, damages: list[Damage]) -> Iterator[IO[bytes]]:
    """The bytes of a source as a file: the one that holds them, or a temporary one that is deleted in the end."""
    if source.path is not None:
        with source.path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as file:
        for block in source.read(damages):
            file.write(block)
        file.seek(0)
        yield file


def stretch(file: IO[bytes], start: int, size: int | None, *, tell: bool = True) -> Source:
    """Some bytes of a file, from a place on.

    Args:
        file: can be read at any place.
        start: of the first byte.
        size: how many; all that follow when nothing is said.
        tell: whether an end of the file before that is a damage.
    """

    def read(damages: list[Damage]) -> Iterator[bytes]:
        at = start
        end = math.inf if size is None else start + size
        while at < end:
            file.seek(at)
            block = file.read(int(min(end - at, BLOCK_BYTES)))
            if not block:
                if tell and size is not None:
                    detail = f"the archive ends {start + size - at} bytes before the member does"
                    damages.append(Damage("truncated_file", detail))
                return
            at += len(block)
            yield block

    return Source(read)
