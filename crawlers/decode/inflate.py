"""Inflating: the algorithm of gzip, zlib and zip, by ISA-L, which takes a third of zlib's time."""

from __future__ import annotations

from isal import isal_zlib

ERRORS: tuple[type[Exception], ...] = (isal_zlib.error,)  # type: ignore[assignment] # the stubs take it for an instance

GZIP, ZLIB, RAW = 31, 15, -15
"""What is around the deflated data: the header and checksum of gzip, those of zlib, or nothing."""


class Inflate:
    """A decompressor in the manner of `bz2.BZ2Decompressor`.

    Args:
        wrapping: `GZIP`, `ZLIB` or `RAW`.
    """

    def __init__(self, wrapping: int) -> None:
        self._decompressor = isal_zlib.decompressobj(wbits=wrapping)
        self._full = False

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""
        return bool(self._decompressor.eof)

    @property
    def unused_data(self) -> bytes:
        """What follows the end."""
        return bytes(self._decompressor.unused_data)

    @property
    def needs_input(self) -> bool:
        """Whether there is no more output without more input."""
        return not self._full and not self._decompressor.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most so many bytes more."""
        tail = self._decompressor.unconsumed_tail
        block = bytes(self._decompressor.decompress(tail + data if tail else data, max(max_length, 0)))
        # A full block may have more behind it, even when all of the input was taken.
        self._full = len(block) == max_length
        return block
