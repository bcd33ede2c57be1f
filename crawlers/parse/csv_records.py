"""Where the records of a CSV text begin and end, when quoted fields may hold line feeds.

Nearly every line is a record by itself, and regular expressions find those. Only where one opens a quoted field
without closing it are the lines behind it looked at, and a quote that is never closed costs its own line, not the
rest of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from crawlers.parse.lines import Lines


@dataclass(frozen=True)
class Spans:
    """The records of a chunk, as lines counted from 0.

    Attributes:
        whole: which lines are records by themselves.
        long: first and last line of each record of several lines.
        bad: reason of each line that is no part of a record, by line.
        open_at: the line where a record begins that does not end within the chunk, or nothing.
    """

    whole: np.ndarray
    long: list[tuple[int, int]] = field(default_factory=list)
    bad: dict[int, str] = field(default_factory=dict)
    open_at: int | None = None


class Grammar:
    """The regular expressions of CSV with a delimiter (RFC 4180: a quote is only special around a whole field)."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        d = re.escape(delimiter)
        inside = r'(?:[^"]|"")*'
        self._field = rf'(?:"{inside}"|[^"{d}]*)'
        fields = rf"{self._field}(?:{d}{self._field})*"
        self.whole = rf"^{fields}$"
        self.opens = rf'^(?:{self._field}{d})*"{inside}$'
        self.inside = rf"^{inside}$"
        self.closes = rf'^{inside}"(?:{d}{self._field})*$'
        self.closes_and_opens = rf'^{inside}"(?:{d}{self._field})*{d}"{inside}$'

    def of_width(self, width: int) -> str:
        """What a record with this many fields matches."""
        return rf"^{self._field}(?:{re.escape(self.delimiter)}{self._field}){{{width - 1}}}$"


def find(lines: Lines, first_line: int, grammar: Grammar, max_bytes: int, *, final: bool) -> Spans:
    """Find the records of a chunk.

    Args:
        lines: split without trimming.
        first_line: the number of the chunk's first line.
        grammar: of the delimiter.
        max_bytes: the largest record; a quote that is not closed within it is taken for a stray one.
        final: whether nothing follows the chunk, so that an open record is a bad one.
    """
    index = (lines.text["_line"] - first_line).to_numpy()
    quoted = lines.text["text"].str.contains('"', literal=True).to_numpy()
    whole = np.zeros(lines.count, dtype=bool)
    whole[index[~quoted]] = True
    if not quoted.any():
        return Spans(whole)
    suspects = lines.text.filter(pl.Series(quoted))
    at = index[quoted]
    whole[at] = suspects.select(pl.col("text").str.contains(grammar.whole)).to_series().to_numpy()
    if whole[at].all():
        return Spans(whole)
    return _walk(_Classes(lines, index, whole, grammar), lines.bounds, max_bytes, final=final)


class _Classes:
    """What each line could be. Lines that are too long or no text are nothing."""

    def __init__(self, lines: Lines, index: np.ndarray, whole: np.ndarray, grammar: Grammar) -> None:
        self.whole = whole
        self.text = np.zeros(lines.count, dtype=bool)
        self.text[index] = True

        def matching(pattern: str) -> np.ndarray:
            found = np.zeros(lines.count, dtype=bool)
            found[index] = lines.text.select(pl.col("text").str.contains(pattern)).to_series().to_numpy()
            return found

        self.opens = matching(grammar.opens)
        self.closes = matching(grammar.closes)
        self.closes_and_opens = matching(grammar.closes_and_opens)
        self.outside = np.flatnonzero(~matching(grammar.inside))
        self.suspects = np.flatnonzero(self.text & ~whole)


def _walk(classes: _Classes, bounds: np.ndarray, max_bytes: int, *, final: bool) -> Spans:
    """Go from suspect to suspect; lines between them are records by themselves."""
    count = len(bounds) - 1
    whole = classes.whole.copy()
    long: list[tuple[int, int]] = []
    bad: dict[int, str] = {}
    position = 0
    for suspect in classes.suspects.tolist():
        if suspect < position:
            continue
        if not classes.opens[suspect]:
            bad[suspect] = "stray_quote"
            continue
        end = _end(classes, suspect)
        size = bounds[min(end, count - 1) + 1] - bounds[suspect] if end is not None else 0
        if end is None or size > max_bytes:
            bad[suspect] = "unclosed_quote"
        elif end < count:
            long.append((suspect, end))
            whole[suspect : end + 1] = False
            position = end + 1
        elif final:
            bad[suspect] = "unclosed_quote"
        else:
            return Spans(whole, long, bad, open_at=suspect)
    return Spans(whole, long, bad)


def _end(classes: _Classes, start: int) -> int | None:
    """The line that ends a record; the number of lines when none does; nothing when the record is malformed."""
    count = len(classes.text)
    at = start + 1
    while True:
        place = int(np.searchsorted(classes.outside, at))
        if place == len(classes.outside):
            return count
        at = int(classes.outside[place])
        if classes.closes[at]:
            return at
        if not classes.closes_and_opens[at]:
            return None
        at += 1
