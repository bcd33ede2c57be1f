"""Tar archives: every regular file in one is a file of its own."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, ClassVar

from crawlers.decode.registry import DECODERS
from crawlers.decode.source import Damage, Source
from crawlers.decode.spool import spooled, stretch

_HEADER_BYTES = 512


class Tar:
    """Opens tar archives."""

    codings: ClassVar[tuple[str, ...]] = ()
    marked: ClassVar[bool] = True

    def recognises(self, head: bytes) -> bool:
        """By the mark and the checksum of the first header."""
        if head[257:262] != b"ustar":
            return False
        try:
            tarfile.TarInfo.frombuf(head[:_HEADER_BYTES], "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            return False
        return True

    def packed(self, content: bytes) -> bytes:
        """An archive with the content as its only member."""
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as archive:
            info = tarfile.TarInfo("member")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        return file.getvalue()

    @contextmanager
    def opened(self, source: Source, damages: list[Damage]) -> Iterator[Iterator[tuple[str | None, Source]]]:
        """The regular files, in order."""
        with spooled(source, damages) as file:
            yield _members(file, damages)


def _members(file: IO[bytes], damages: list[Damage]) -> Iterator[tuple[str | None, Source]]:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:", errorlevel=0) as archive:
            while (info := archive.next()) is not None:
                if info.isfile() and not info.issparse():
                    yield info.name, stretch(file, info.offset_data, info.size)
                elif info.issparse():
                    yield info.name, Source.nothing(Damage("unsupported_compression", "a sparse file in a tar archive"))
            end = archive.offset
    except (tarfile.TarError, ValueError, OverflowError) as error:
        damages.append(Damage("corrupt_file", f"the tar archive is damaged: {error}"))
        return
    file.seek(min(end, size))
    if any(file.read(_HEADER_BYTES)):
        damages.append(Damage("corrupt_file", "what follows in the tar archive is no member"))


DECODERS.register("tar", Tar())
