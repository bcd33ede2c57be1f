"""bzip2."""

from __future__ import annotations

import bz2
from typing import ClassVar

from crawlers.decode.compressed import Compression, Stream
from crawlers.decode.registry import DECODERS

_BLOCK, _END = b"1AY&SY", b"\x17rE8P\x90"


class Bzip2(Compression):
    """Decompresses bzip2 data."""

    codings: ClassVar[tuple[str, ...]] = ("bzip2", "x-bzip2")
    title: ClassVar[str] = "bzip2"
    errors: ClassVar[tuple[type[Exception], ...]] = (OSError,)
    magic: ClassVar[bytes] = b"BZh"

    def recognises(self, head: bytes) -> bool:
        """By the mark and that of the first block, since a text may begin with three letters."""
        return head.startswith(self.magic) and head[3:4].isdigit() and head[4:10] in {_BLOCK, _END}

    def packed(self, content: bytes) -> bytes:
        """The content, compressed as one stream."""
        return bz2.compress(content)

    def stream(self, head: bytes) -> Stream:
        """One of perhaps several."""
        del head
        return bz2.BZ2Decompressor()


DECODERS.register("bzip2", Bzip2())
