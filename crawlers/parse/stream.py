"""Files as a stream of chunks: whole lines, transcoded, in memory that does not grow with the file."""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from crawlers.decode import Damage, Source

CHUNK_BYTES = 8 * 1024**2
# What is looked at to tell how a file ends its lines.
_HEAD_BYTES = 64 * 1024

#: Where a buffer can be cut: the length of the part that holds only whole records; 0 when there is none yet.
Cut = Callable[[bytes], int]

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


HTML = Fault(1, "html_instead", "an HTML page, perhaps an error or a log-in page; look at it in landing")
"""A page where a file was expected."""


def is_html(head: bytes) -> bool:
    """Whether a file that begins like this is an HTML page."""
    return _HTML.match(head[:4096]) is not None


def whole_lines(buffer: bytes) -> int:
    """Cut after the last line feed."""
    return buffer.rfind(b"\n") + 1


def chunks(
    source: Source,
    *,
    encoding: str,
    max_line_bytes: int,
    cut: Cut = whole_lines,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[Chunk | Fault]:
    """The lines of a file in chunks; and what is wrong with the file. Nothing in the content raises.

    Args:
        source: the bytes of the file, decoded.
        encoding: of the text.
        max_line_bytes: a line that is longer than this and than a chunk is a fault, `line_too_long`, and never held.
        cut: where a buffer may be cut.
        chunk_bytes: how much text to hold at a time.
    """
    damages: list[Damage] = []
    text = _with_head(_transcoded(source.read(damages), encoding), _HEAD_BYTES)
    head = next(text, b"").removeprefix(codecs.BOM_UTF8)
    if is_html(head):
        yield HTML
        return
    blocks: Iterator[bytes] = itertools.chain([head], text)
    if b"\r" in head and b"\n" not in head:
        blocks = _line_feeds(blocks)
    chunker = _Chunker(max_line_bytes, cut, chunk_bytes)
    for block in blocks:
        yield from chunker.push(block)
    yield from chunker.finish(damages)


def _with_head(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The same bytes, of which the first block has at least so many, if there are."""
    head = bytearray()
    for block in blocks:
        head += block
        if len(head) >= size:
            break
    yield bytes(head)
    yield from blocks


def _line_feeds(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Line feeds for the carriage returns by which a file ends its lines, and for pairs of both."""
    returned = False
    for block in blocks:
        rest = block[1:] if returned and block.startswith(b"\n") else block
        returned = block.endswith(b"\r") if block else returned
        yield rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _transcoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
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

    def finish(self, damages: Sequence[Damage]) -> Iterator[Chunk | Fault]:
        """Give the rest. What follows the last line feed of a file that was cut is no line: the fault stands for it."""
        if self._skipped:
            yield self._too_long(f"at least {self._skipped} bytes")
        whole = all(damage.whole for damage in damages)
        end = len(self._held) if whole else self._held.rfind(b"\n") + 1
        if end:
            yield self._take(end)
        for damage in damages:
            yield Fault(self._line, damage.reason, damage.detail)

    def _take(self, end: int) -> Chunk:
        chunk = Chunk(self._line, bytes(self._held[:end]))
        self._line += chunk.body.count(b"\n")
        del self._held[:end]
        return chunk

    def _too_long(self, found: str) -> Fault:
        self._skipped = 0
        return Fault(self._line, "line_too_long", f"{found}, allowed are {self._max_line_bytes}")
