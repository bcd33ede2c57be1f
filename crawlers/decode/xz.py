"""xz."""

from __future__ import annotations

import lzma
from typing import ClassVar

from crawlers.decode.compressed import Compression, Stream
from crawlers.decode.registry import DECODERS

# What the strongest preset needs is 65 MB.
_MEMORY_BYTES = 512 * 1024**2


class Xz(Compression):
    """Decompresses xz data."""

    codings: ClassVar[tuple[str, ...]] = ("xz", "x-xz")
    title: ClassVar[str] = "xz"
    errors: ClassVar[tuple[type[Exception], ...]] = (lzma.LZMAError,)
    magic: ClassVar[bytes] = b"\xfd7zXZ\x00"

    def packed(self, content: bytes) -> bytes:
        """The content, compressed as one stream."""
        return lzma.compress(content)

    def stream(self, head: bytes) -> Stream:
        """One of perhaps several."""
        del head
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, _MEMORY_BYTES)


DECODERS.register("xz", Xz())
