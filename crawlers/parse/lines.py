"""A chunk of bytes as a frame of lines, split without copying, with those set apart that are no text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from crawlers.parse.stream import Chunk

_LINE_FEED, _CARRIAGE_RETURN = 10, 13
# A decoder allocates for all that it is given, so that with many bad lines it should not be given everything.
_WINDOW_BYTES = 65536


@dataclass(frozen=True)
class Lines:
    """The lines of a chunk.

    Attributes:
        text: `_line` (Int64) and `text` (String): the good lines.
        bounds: where each line of the chunk begins, and where the last ends.
        bad: `_line`, `reason`, `detail` of lines that are too long or not UTF-8.
        blank: how many lines are blank.
        count: how many lines there are in all.
    """

    text: pl.DataFrame
    bounds: np.ndarray
    bad: pl.DataFrame
    blank: int
    count: int


def split(chunk: Chunk, max_line_bytes: int, *, trim: bool = True) -> Lines:
    """Split a chunk into lines at line feeds; a carriage return before one is white space.

    Args:
        chunk: whole lines; the last may lack its line feed.
        max_line_bytes: a longer line is bad, `line_too_long`.
        trim: whether white space around a line means nothing, and blank lines are left out; else only the line end
            is cut off, and blank lines are given like others.
    """
    bounds = line_bounds(chunk.body)
    count = len(bounds) - 1
    lengths = _lengths(chunk.body, bounds)
    long = lengths > max_line_bytes
    garbled = _not_utf8(chunk.body, bounds, long)
    array = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), count, [None, pa.py_buffer(bounds.tobytes()), pa.py_buffer(chunk.body)]
    )
    numbers = pl.Series("_line", np.arange(chunk.first_line, chunk.first_line + count, dtype=np.int64))
    frame = pl.DataFrame([numbers, pl.Series("text", pl.from_arrow(array), dtype=pl.Binary)])
    bad = pl.DataFrame(schema={"_line": pl.Int64, "reason": pl.String, "detail": pl.String})
    if long.any() or garbled.any():
        bad = frame.select(
            "_line",
            reason=pl.when(pl.Series(long)).then(pl.lit("line_too_long")).otherwise(pl.lit("not_utf8")),
            detail=pl.when(pl.Series(long))
            .then(pl.format("{} bytes, allowed are {}", pl.Series(lengths), max_line_bytes))
            .otherwise(pl.lit("bytes that are not UTF-8; if the text is in another encoding, declare it")),
        ).filter(pl.Series(long | garbled))
        frame = frame.filter(pl.Series(~(long | garbled)))
    if trim:
        text = frame.with_columns(pl.col("text").cast(pl.String).str.strip_chars(" \t\r\n"))
        text = text.filter(pl.col("text").str.len_bytes() > 0)
    else:
        text = frame.with_columns(pl.col("text").cast(pl.String).str.strip_suffix("\n").str.strip_suffix("\r"))
    return Lines(text=text, bounds=bounds, bad=bad, blank=frame.height - text.height, count=count)


def line_bounds(body: bytes) -> np.ndarray:
    """Where each line of a body begins, and where the last ends."""
    feeds = np.flatnonzero(np.frombuffer(body, dtype=np.uint8) == _LINE_FEED).astype(np.int64) + 1
    tail = [] if len(feeds) and feeds[-1] == len(body) else [len(body)]
    return np.concatenate([[0], feeds, tail]).astype(np.int64) if body else np.zeros(1, dtype=np.int64)


def _lengths(body: bytes, bounds: np.ndarray) -> np.ndarray:
    """How long each line is without its line end."""
    octets = np.frombuffer(body, dtype=np.uint8)
    ends = bounds[1:]
    fed = octets[ends - 1] == _LINE_FEED
    lengths = np.diff(bounds) - fed
    returned = (octets[np.maximum(ends - 2, 0)] == _CARRIAGE_RETURN) & fed & (lengths > 0)
    return np.asarray(lengths - returned)


def _not_utf8(body: bytes, bounds: np.ndarray, skip: np.ndarray) -> np.ndarray:
    """Which lines are not UTF-8. Decodes some lines at a time, and goes on behind each bad line."""
    bad = np.zeros(len(bounds) - 1, dtype=bool)
    view = memoryview(body)
    start = 0
    while start < len(body):
        end = int(bounds[min(int(np.searchsorted(bounds, start + _WINDOW_BYTES)), len(bounds) - 1)])
        try:
            str(view[start:end], "utf-8")
        except UnicodeDecodeError as error:
            line = int(np.searchsorted(bounds, start + error.start, side="right")) - 1
            bad[line] = not skip[line]
            start = int(bounds[line + 1])
        else:
            start = end
    return bad
