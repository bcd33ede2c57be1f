"""Brotli (RFC 7932)."""

from __future__ import annotations

from typing import ClassVar

import brotli

from crawlers.decode.compressed import Compression, Stream
from crawlers.decode.registry import DECODERS


class Brotli(Compression):
    """Decompresses Brotli data; only where they are announced, for they have no mark."""

    codings: ClassVar[tuple[str, ...]] = ("br",)
    marked: ClassVar[bool] = False
    title: ClassVar[str] = "Brotli"
    errors: ClassVar[tuple[type[Exception], ...]] = (brotli.error,)

    def recognises(self, head: bytes) -> bool:
        """Whether the bytes are anything but text that is served as it is, in spite of what was announced."""
        return self.readable(head)

    def packed(self, content: bytes) -> bytes:
        """The content, compressed as one stream."""
        return bytes(brotli.compress(content))

    def stream(self, head: bytes) -> Stream:
        """The only one; what may follow its end is no part of the format, and an error."""
        del head
        return _Brotli()


class _Brotli:
    unused_data = b""

    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()
        self._pending = False

    @property
    def eof(self) -> bool:
        return bool(self._decompressor.is_finished())

    @property
    def needs_input(self) -> bool:
        return not self._pending and bool(self._decompressor.can_accept_more_data())

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        limit = {} if max_length < 0 else {"output_buffer_limit": max_length}
        block = bytes(self._decompressor.process(data, **limit))
        # The limit is a rough one, so that only no output says that there is no more.
        self._pending = bool(block)
        return block


DECODERS.register("brotli", Brotli())
