"""Lines that a regular expression takes apart: one line, one record."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from crawlers.contract import Contract
from crawlers.parse.flat import flat_texts
from crawlers.parse.lines import split
from crawlers.parse.placement import Placement
from crawlers.parse.registry import Read
from crawlers.parse.stream import Chunk, whole_lines

#: From the texts of a pattern's groups to the fields of records.
Refine = Callable[[pl.DataFrame], pl.DataFrame]


class PatternLines:
    """Reads lines by a pattern.

    Args:
        contract: what the records should be.
        pattern: a regular expression of Rust that must match a whole line.
        groups: the pattern's groups, all of them, in their order.
        names: the fields of the records.
        max_line_bytes: a longer line is none.
        refine: from the groups to the fields; by default they are the same.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        pattern: str,
        groups: Sequence[str],
        names: Sequence[str],
        max_line_bytes: int,
        refine: Refine = lambda frame: frame,
    ) -> None:
        self._contract = contract
        self._placement = Placement(contract)
        self._pattern = rf"^(?:{pattern})$"
        self._groups = list(groups)
        self._names = list(names)
        self._max_line_bytes = max_line_bytes
        self._refine = refine

    def open(self) -> PatternLines:
        """Files need nothing of their own."""
        return self

    def cut(self, buffer: bytes) -> int:
        """After the last line feed."""
        return whole_lines(buffer)

    def begin(self, chunk: Chunk) -> None:
        """Nothing comes before the records."""

    def read(self, chunk: Chunk) -> Read:
        """Take the lines of a chunk apart."""
        lines = split(chunk, self._max_line_bytes)
        # Whether a group took part says nothing of the line: a pattern may have branches.
        matched = lines.text.filter(pl.col("text").str.contains(self._pattern))
        others = lines.text.filter(~pl.col("text").str.contains(self._pattern))
        groups = matched.select("_line", pl.col("text").str.extract_groups(self._pattern).alias("groups"))
        fields = groups.select(
            "_line",
            *(pl.col("groups").struct[place].alias(name) for place, name in enumerate(self._groups)),
        )
        refused = others.select(
            "_line",
            pl.lit("no_match").alias("reason"),
            pl.lit("the line is not of the declared form").alias("detail"),
            "text",
        )
        bad = lines.bad.with_columns(pl.lit(None, dtype=pl.String).alias("text"))
        return Read(
            texts=flat_texts(self._refine(fields), self._names, self._contract, self._placement),
            bad=pl.concat([bad, refused]).sort("_line"),
            removed={"blank_line": lines.blank} if lines.blank else {},
            rows=lines.count,
            seen=self._placement.present(self._names),
        )
