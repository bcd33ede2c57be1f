"""gzip (RFC 1952)."""

from __future__ import annotations

import gzip
from typing import ClassVar

from crawlers.decode.compressed import Compression, Stream
from crawlers.decode.inflate import ERRORS, GZIP, Inflate
from crawlers.decode.registry import DECODERS


class Gzip(Compression):
    """Inflates gzip data."""

    codings: ClassVar[tuple[str, ...]] = ("gzip", "x-gzip")
    title: ClassVar[str] = "gzip"
    errors: ClassVar[tuple[type[Exception], ...]] = ERRORS
    magic: ClassVar[bytes] = b"\x1f\x8b"

    def packed(self, content: bytes) -> bytes:
        """The content, compressed as one stream."""
        return gzip.compress(content, mtime=0)

    def stream(self, head: bytes) -> Stream:
        """Header, deflated data and checksum."""
        del head
        return Inflate(GZIP)


DECODERS.register("gzip", Gzip())
