"""JSON Lines: one object a line. Most lines are read by templates, the rest one by one."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any, Literal

import polars as pl

from crawlers.contract import Contract
from crawlers.parse.by_line import FileReader, LineOptions
from crawlers.parse.checked import TEXT_EXTRAS
from crawlers.parse.json_line import NotARecordError, read_record
from crawlers.parse.lines import split
from crawlers.parse.placement import Placement
from crawlers.parse.registry import FORMATS, Example, Read
from crawlers.parse.stream import Chunk, whole_lines
from crawlers.parse.template import Template, learn

# Below this many lines, learning another template costs more than reading the lines one by one.
_WORTH_LEARNING = 200
_SAMPLES = 24
_LEARNT_PER_CHUNK = 4
_TEMPLATES = 16


@FORMATS.registered("jsonl")
class JsonlFormat(LineOptions):
    """One JSON object a line."""

    kind: Literal["jsonl"]

    def lines(self, contract: Contract) -> Jsonl:
        """A reader that learns from one file what serves the next."""
        return Jsonl(contract, int(self.max_line_bytes))

    @classmethod
    def example(cls) -> Example:
        """Two records, the second without a value."""
        return Example(
            options={"kind": "jsonl"},
            columns={"id": {"type": "string"}, "n": {"type": "integer"}},
            body=b'{"id":"a","n":1}\n{"id":"b"}\n',
            records=({"id": "a", "n": "1"}, {"id": "b", "n": None}),
        )


class Jsonl:
    """Reads JSON lines.

    Args:
        contract: what the records should be.
        max_line_bytes: a longer line is none.
    """

    def __init__(self, contract: Contract, max_line_bytes: int) -> None:
        self._max_line_bytes = max_line_bytes
        self._contract = contract
        self._placement = Placement(contract)
        self._schema = {name: pl.String() for name in self._placement.fields} | TEXT_EXTRAS
        self._has_floats = any(column.dtype.is_float() for column in contract.columns.values())
        self._seen: frozenset[str] = frozenset()
        # Replaced, never changed, so that threads can share it. What is learnt decides on speed, not on results.
        self._templates: tuple[Template, ...] = ()

    def open(self) -> FileReader:
        """Files need nothing of their own."""
        return self

    def cut(self, buffer: bytes) -> int:
        """After the last line feed."""
        return whole_lines(buffer)

    def begin(self, chunk: Chunk) -> None:
        """Nothing comes before the records."""

    def read(self, chunk: Chunk) -> Read:
        """Read the lines of a chunk."""
        lines = split(chunk, self._max_line_bytes)
        parts: list[pl.DataFrame] = []
        rest = lines.text
        for template in self._templates:
            rest = self._take(template, rest, parts)
        for _ in range(_LEARNT_PER_CHUNK):
            if rest.height < _WORTH_LEARNING or len(self._templates) >= _TEMPLATES:
                break
            samples = rest["text"].gather_every(max(1, rest.height // _SAMPLES)).to_list()
            learnt = learn(
                samples, self._placement.fields, self._contract.unknown_columns, hides=self._contract.hides_unknown
            )
            if learnt is None:
                break
            left = self._take(learnt, rest, parts)
            before, rest = rest.height, left
            # A template that took few is not worth trying again.
            if rest.height > before * 0.95:
                break
            self._templates = (*self._templates, learnt)
        slow, bad = self._one_by_one(rest)
        texts = pl.concat([*parts, slow]) if parts else slow
        if len(parts) + bool(slow.height) > 1:
            texts = texts.sort("_line")
        texts = self._placement.place(texts)
        return Read(
            texts=texts,
            seen=self._look(texts, lines.text["text"]),
            bad=pl.concat([lines.bad.with_columns(pl.lit(None, dtype=pl.String).alias("text")), bad]),
            removed={"blank_line": lines.blank} if lines.blank else {},
            rows=lines.count,
            verbatim=partial(self._verbatim, lines.text) if parts and self._has_floats else None,
        )

    def _verbatim(self, lines: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
        again, _ = self._one_by_one(lines.filter(pl.col("_line").is_in(numbers.implode())))
        return self._placement.place(again)

    def _look(self, texts: pl.DataFrame, lines: pl.Series) -> frozenset[str]:
        """Which columns have occurred so far: with a value, with a wrong one, or with a null beside their key."""
        at_fault = set(texts["column"].drop_nulls().unique())
        for name, column in self._contract.columns.items():
            if name in self._seen:
                continue
            key = re.escape(json.dumps(column.paths(name)[0].last_key, ensure_ascii=False))
            valued = texts[name].null_count() < texts.height or name in at_fault
            if valued or lines.str.contains(rf"{key}\s*:\s*null\b").any():
                self._seen = self._seen | {name}
        return self._seen

    def _take(self, template: Template, lines: pl.DataFrame, parts: list[pl.DataFrame]) -> pl.DataFrame:
        """Decode the lines that a template matches into parts; returns the others."""
        if lines.is_empty():
            return lines
        try:
            matched = template.matches(lines)
            taken = lines if matched.all() else lines.filter(matched)
            if taken.is_empty():
                return lines
            decoded = template.decode(taken)
        except pl.exceptions.ComputeError:
            # The pattern is too large, or the decoder refuses what the pattern lets pass: one by one, then.
            return lines
        nothing = [pl.lit(None, dtype=pl.String).alias(name) for name in ("reason", "column", "detail")]
        parts.append(decoded.with_columns(nothing).select(list(self._schema)))
        return lines.filter(~matched)

    def _one_by_one(self, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        records: list[dict[str, Any]] = []
        bad: list[tuple[int, str, str, str]] = []
        for line, text in lines.select("_line", "text").iter_rows():
            try:
                record: dict[str, Any] = read_record(text, self._placement.fields, self._contract.unknown_columns)
            except NotARecordError as error:
                bad.append((line, error.reason, error.detail, text))
            else:
                record["_line"] = line
                if record["reason"] == "wrong_type":
                    record["column"] = self._placement.column_of(record["column"])
                records.append(record)
        schema = {"_line": pl.Int64, "reason": pl.String, "detail": pl.String, "text": pl.String}
        return pl.DataFrame(records, schema=self._schema), pl.DataFrame(bad, schema=schema, orient="row")
