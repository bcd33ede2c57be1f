"""Files as a stream of chunks: whole lines, decompressed and transcoded, in memory that does not grow with the file."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CHUNK_BYTES = 8 * 1024**2
BLOCK_BYTES = 1024**2
_STEP_BYTES = 64

#: Where a buffer can be cut: the length of the part that holds only whole records; 0 when there is none yet.
Cut = Callable[[bytes], int]

_GZIP = b"\x1f\x8b"
_OTHER_COMPRESSION = {
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf": "7-Zip",
}
_HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class Chunk:
    """Whole lines of a file.

    Attributes:
        first_line: the number of the first line, counted from 1.
        body: the bytes, UTF-8 where the file is what it is declared to be.
    """

    first_line: int
    body: bytes


@dataclass(frozen=True)
class Fault:
    """Something wrong with a file that is no record: one row of quarantine.

    Attributes:
        line: the line where it was found.
        reason: a slug.
        detail: what was found, in words.
    """

    line: int
    reason: str
    detail: str


def whole_lines(buffer: bytes) -> int:
    """Cut after the last line feed."""
    return buffer.rfind(b"\n") + 1


def chunks(
    path: Path,
    *,
    encoding: str,
    max_line_bytes: int,
    max_bytes: int,
    cut: Cut = whole_lines,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[Chunk | Fault]:
    """The lines of a file, plain or gzipped, in chunks; and what is wrong with the file.

    A gzip file is known by its first bytes, not by its name. Nothing in the content raises.

    Args:
        path: the file.
        encoding: of the text.
        max_line_bytes: a line that is longer than this and than a chunk is a fault, `line_too_long`, and never held.
        max_bytes: decompressed bytes after which reading stops with the fault `decompression_bomb`.
        cut: where a buffer may be cut.
        chunk_bytes: how much text to hold at a time.
    """
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(0)
        if other := next((name for magic, name in _OTHER_COMPRESSION.items() if head.startswith(magic)), None):
            yield Fault(1, "unsupported_compression", f"{other}; only gzip is read")
            return
        source = _Blocks(file, gzipped=head.startswith(_GZIP), max_bytes=max_bytes)
        chunker = _Chunker(max_line_bytes, cut, chunk_bytes)
        for number, block in enumerate(_transcoded(source, encoding)):
            text = block if number else block.removeprefix(codecs.BOM_UTF8)
            if number == 0 and _HTML.match(text[:4096]):
                yield Fault(1, "html_instead", "an HTML page, perhaps an error or a log-in page; look at it in landing")
                return
            yield from chunker.push(text)
        yield from chunker.finish(source.fault)


class _Blocks:
    """Decompressed blocks of a file; after the last, `fault` says what went wrong, if anything."""

    def __init__(self, file: IO[bytes], *, gzipped: bool, max_bytes: int) -> None:
        self.fault: tuple[str, str] | None = None
        self._file = file
        self._gzipped = gzipped
        self._left = max_bytes
        self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        for block in self._gunzipped() if self._gzipped else self._plain():
            if len(block) > self._left:
                self.fault = ("decompression_bomb", f"more than {self._max_bytes} bytes once decompressed")
                yield block[: self._left]
                return
            self._left -= len(block)
            yield block

    def _plain(self) -> Iterator[bytes]:
        while block := self._file.read(BLOCK_BYTES):
            yield block

    def _gunzipped(self) -> Iterator[bytes]:
        compressed = self._file.read(BLOCK_BYTES)
        while compressed:
            member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            while not member.eof:
                before = member.copy()
                try:
                    block = member.decompress(compressed, BLOCK_BYTES)
                except zlib.error as error:
                    self.fault = ("corrupt_file", f"gzip data are damaged: {error}")
                    yield from _until_damage(before, compressed)
                    return
                if block:
                    yield block
                compressed = member.unconsumed_tail
                if not compressed and not member.eof and not (compressed := self._file.read(BLOCK_BYTES)):
                    # What the decompressor still holds back was served whole, so it counts.
                    if block := member.flush():
                        yield block
                    if not member.eof:
                        self.fault = ("truncated_file", "the gzip data end before their end mark")
                        return
            # Members may follow each other, and padding with zeros may follow the last.
            compressed = (member.unused_data or self._file.read(BLOCK_BYTES)).lstrip(b"\x00")
            if compressed and not compressed.startswith(_GZIP[: len(compressed)]):
                self.fault = ("corrupt_file", "there are bytes after the gzip data that are no gzip data")
                return


def _until_damage(member: zlib._Decompress, compressed: bytes) -> Iterator[bytes]:
    """What can still be read of damaged data: the decompressor forgets what it made before the damage, in each call."""
    for start in range(0, len(compressed), _STEP_BYTES):
        try:
            yield member.decompress(compressed[start : start + _STEP_BYTES])
        except zlib.error:
            return


def _transcoded(blocks: _Blocks, encoding: str) -> Iterator[bytes]:
    if codecs.lookup(encoding).name == "utf-8":
        yield from blocks
        return
    # A byte that the encoding does not know becomes bytes that are not UTF-8, so that its line is quarantined.
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    if rest := decoder.decode(b"", final=True):
        yield rest.encode("utf-8", "surrogatepass")


class _Chunker:
    """Gathers blocks into chunks of whole records."""

    def __init__(self, max_line_bytes: int, cut: Cut, chunk_bytes: int) -> None:
        self._max_line_bytes = max_line_bytes
        self._cut = cut
        self._chunk_bytes = chunk_bytes
        self._line = 1
        self._held = bytearray()
        # Bytes of a line that is too long to be held, so far.
        self._skipped = 0

    def push(self, block: bytes) -> Iterator[Chunk | Fault]:
        """Take a block; gives what is complete."""
        if self._skipped:
            end = block.find(b"\n")
            if end < 0:
                self._skipped += len(block)
                return
            yield self._too_long(f"{self._skipped + end} bytes")
            self._line += 1
            block = block[end + 1 :]
        self._held += block
        if len(self._held) < self._chunk_bytes:
            return
        if end := self._cut(bytes(self._held)):
            yield self._take(end)
        elif len(self._held) > self._max_line_bytes and b"\n" not in self._held:
            self._skipped = len(self._held)
            self._held.clear()

    def finish(self, fault: tuple[str, str] | None) -> Iterator[Chunk | Fault]:
        """Give the rest. What follows the last line feed of a faulty file was cut, so it stands for the fault."""
        if self._skipped:
            yield self._too_long(f"at least {self._skipped} bytes")
        end = len(self._held) if fault is None else self._held.rfind(b"\n") + 1
        if end:
            yield self._take(end)
        if fault is not None:
            yield Fault(self._line, *fault)

    def _take(self, end: int) -> Chunk:
        chunk = Chunk(self._line, bytes(self._held[:end]))
        self._line += chunk.body.count(b"\n")
        del self._held[:end]
        return chunk

    def _too_long(self, found: str) -> Fault:
        self._skipped = 0
        return Fault(self._line, "line_too_long", f"{found}, allowed are {self._max_line_bytes}")
