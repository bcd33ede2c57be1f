"""One compressed stream after another, as every compression here lays them out, with everything before a damage."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Protocol

from crawlers.decode.source import BLOCK_BYTES, Damage, Source

# The pieces in which the place of a damage is looked for, each time among fewer bytes.
_SMALLER = (4096, 64, 1)


class Stream(Protocol):
    """A decompressor in the manner of `bz2.BZ2Decompressor`, for one stream."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""

    @property
    def unused_data(self) -> bytes:
        """What follows the end."""

    @property
    def needs_input(self) -> bool:
        """Whether there is no more output without more input."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most so many bytes more."""


class Compression(ABC):
    """A decoder of compressed streams. Several may follow each other, and padding with zeros the last.

    Attributes:
        title: as messages call it.
        errors: what its decompressor raises on damaged data.
        magic: how a stream begins; empty where streams have no mark.
    """

    codings: ClassVar[tuple[str, ...]] = ()
    marked: ClassVar[bool] = True
    title: ClassVar[str]
    errors: ClassVar[tuple[type[Exception], ...]]
    magic: ClassVar[bytes] = b""

    @abstractmethod
    def stream(self, head: bytes) -> Stream:
        """A decompressor for a stream that begins like this."""

    @abstractmethod
    def packed(self, content: bytes) -> bytes:
        """The content, compressed as one stream."""

    def recognises(self, head: bytes) -> bool:
        """Whether the bytes begin with the mark of a stream."""
        return head.startswith(self.magic)

    def continues(self, data: bytes) -> bool:
        """Whether what follows a stream, perhaps only a byte of it, may be another one."""
        return bool(self.magic) and data.startswith(self.magic[: len(data)])

    @contextmanager
    def opened(self, source: Source, damages: list[Damage]) -> Iterator[Iterator[tuple[str | None, Source]]]:
        """The one member: what was compressed."""
        del damages
        yield iter([(None, self.decoded(source))])

    def decoded(self, source: Source, *, trailing: bool = False) -> Source:
        """What was compressed.

        Args:
            source: one stream or several.
            trailing: whether there is but one, and what follows it is none of it.
        """
        return Source(lambda damages: _decoded(self, source, damages, trailing=trailing))

    def readable(self, head: bytes) -> bool:
        """Whether bytes without a mark can be what they were announced as: they decompress, or are no text either.

        Servers announce encodings that they do not apply. Data that are damaged from the beginning are no text, and
        stay what they were announced as.
        """
        damages: list[Damage] = []
        made = 0
        for block in self.decoded(Source(lambda _: iter([head]))).read(damages):
            made += len(block)
            if made > BLOCK_BYTES:
                break
        # Text may decompress to a few bytes before it turns out to be none.
        if not any(damage.reason == "corrupt_file" for damage in damages):
            return True
        try:
            text = head[:4096].decode("utf-8")
        except UnicodeDecodeError as error:
            # A character may be cut where the head ends.
            return error.reason != "unexpected end of data"
        return "\x00" in text


def _decoded(compression: Compression, source: Source, damages: list[Damage], *, trailing: bool) -> Iterator[bytes]:
    known = len(damages)
    given = 0
    pieces = _Pieces(source.read(damages))
    try:
        for block in _streams(compression, pieces, damages, trailing=trailing):
            given += len(block)
            yield block
    except compression.errors as error:
        # Data that were cut or changed by an earlier damage need no second one.
        if len(damages) == known:
            damages.append(Damage("corrupt_file", f"{compression.title} data are damaged: {error}"))
        yield from _until_damage(compression, source, pieces.taken, given)


class _Pieces:
    """The compressed bytes in pieces, counted.

    Args:
        pieces: at least one byte each.
        fast: the number of the piece, from 1, up to which all that there is is decompressed in large blocks; behind it
            each byte of output is asked for by itself.
    """

    def __init__(self, pieces: Iterator[bytes], fast: int | None = None) -> None:
        self._pieces = pieces
        self._fast = fast
        self.taken = 0

    def next(self) -> bytes:
        """The next piece; nothing at the end."""
        self.taken += 1
        return next(self._pieces, b"")

    def most(self) -> int:
        """How much may be decompressed at a time."""
        return BLOCK_BYTES if self._fast is None or self.taken <= self._fast else 1


def _cut(pieces: Iterator[bytes], whole: int, size: int) -> Iterator[bytes]:
    """The same bytes, cut into small pieces behind so many whole ones."""
    yield from itertools.islice(pieces, whole)
    for piece in pieces:
        yield from (piece[at : at + size] for at in range(0, len(piece), size))


def _streams(
    compression: Compression, pieces: _Pieces, damages: list[Damage], *, trailing: bool = False
) -> Iterator[bytes]:
    """Blocks of one stream after the other."""
    known = len(damages)
    data = pieces.next()
    while data:
        stream = compression.stream(data)
        while True:
            block = stream.decompress(data, pieces.most())
            data = b""
            if block:
                yield block
            if stream.eof:
                break
            if stream.needs_input and not (data := pieces.next()):
                if len(damages) == known:
                    damages.append(Damage("truncated_file", f"the {compression.title} data end before their end mark"))
                return
        data = b"" if trailing else _behind(compression, stream.unused_data, pieces, damages)


def _behind(compression: Compression, data: bytes, pieces: _Pieces, damages: list[Damage]) -> bytes:
    """The beginning of the next stream, if there is one."""
    data = data.lstrip(b"\x00")
    while not data and (more := pieces.next()):
        data = more.lstrip(b"\x00")
    if not data or compression.continues(data):
        return data
    rest = len(data)
    while more := pieces.next():
        rest += len(more)
    what = "1 byte that is" if rest == 1 else f"{rest} bytes that are"
    detail = f"{what} no {compression.title} data, behind complete {compression.title} data, which were read"
    damages.append(Damage("corrupt_file", detail, whole=True))
    return b""


def _until_damage(compression: Compression, source: Source, taken: int, given: int) -> Iterator[bytes]:
    """What a call that met the damage had made before, for decompressors forget it.

    The same calls again lead to the same block; smaller pieces of it lead to a smaller one with the damage, and at last
    one byte of output at a time to where there is no more.

    Args:
        compression: whose streams they are.
        source: of the compressed bytes.
        taken: the number of the block, from 1, that held the damage.
        given: how many decompressed bytes are known already.
    """
    cuts: list[tuple[int, int]] = []
    for size in _SMALLER:
        cuts.append((taken - 1, size))
        blocks = source.read([])
        for whole, length in cuts:
            blocks = _cut(blocks, whole, length)
        pieces = _Pieces(blocks, fast=taken - 1 if size == 1 else None)
        made = 0
        try:
            for block in _streams(compression, pieces, []):
                made += len(block)
                if made > given:
                    yield block[given - made :]
                    given = made
        except compression.errors:
            taken = pieces.taken
