"""Zstandard (RFC 8878)."""

from __future__ import annotations

from typing import ClassVar

from backports import zstd

from crawlers.decode.compressed import Compression, Stream
from crawlers.decode.registry import DECODERS


class Zstd(Compression):
    """Decompresses Zstandard frames; skippable ones, such as those of pzstd, are skipped."""

    codings: ClassVar[tuple[str, ...]] = ("zstd",)
    title: ClassVar[str] = "Zstandard"
    errors: ClassVar[tuple[type[Exception], ...]] = (zstd.ZstdError,)
    magic: ClassVar[bytes] = b"\x28\xb5\x2f\xfd"

    def recognises(self, head: bytes) -> bool:
        """By the mark of a frame or of a skippable one."""
        return head.startswith(self.magic) or _skippable(head)

    def packed(self, content: bytes) -> bytes:
        """The content, compressed as one stream."""
        return zstd.compress(content)

    def stream(self, head: bytes) -> Stream:
        """One frame."""
        del head
        return zstd.ZstdDecompressor()

    def continues(self, data: bytes) -> bool:
        """Whether another frame may follow, of either kind."""
        return super().continues(data) or _skippable(data)


def _skippable(head: bytes) -> bool:
    return len(head) > 3 and head[0] >> 4 == 5 and head[1:4] == b"\x2a\x4d\x18"


DECODERS.register("zstd", Zstd())
