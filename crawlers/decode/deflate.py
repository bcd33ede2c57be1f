"""Content-Encoding `deflate`: zlib's format (RFC 1950), as it should be, or bare deflated data, as many send."""

from __future__ import annotations

import zlib
from typing import ClassVar

from crawlers.decode.compressed import Compression, Stream
from crawlers.decode.inflate import ERRORS, RAW, ZLIB, Inflate
from crawlers.decode.registry import DECODERS

_METHOD = 8

_METHOD = 8


class Deflate(Compression):
    """Inflates data with or without zlib's header; only where they are announced, for they have no mark."""

    codings: ClassVar[tuple[str, ...]] = ("deflate",)
    marked: ClassVar[bool] = False
    title: ClassVar[str] = "deflated"
    errors: ClassVar[tuple[type[Exception], ...]] = ERRORS

    def recognises(self, head: bytes) -> bool:
        """Whether the bytes are anything but text that is served as it is, in spite of what was announced."""
        return self.readable(head)

    def packed(self, content: bytes) -> bytes:
        """The content, compressed as one stream."""
        return zlib.compress(content)

    def stream(self, head: bytes) -> Stream:
        """By the header of zlib, whose first two bytes are a multiple of 31, or else without one."""
        headed = head[0] & 0x0F == _METHOD and (len(head) == 1 or int.from_bytes(head[:2], "big") % 31 == 0)
        return Inflate(ZLIB if headed else RAW)


class RawDeflate(Deflate):
    """Inflates bare data, as zip archives hold them."""

    codings: ClassVar[tuple[str, ...]] = ()

    def stream(self, head: bytes) -> Stream:
        """Without a header."""
        del head
        return Inflate(RAW)


DECODERS.register("deflate", Deflate())
