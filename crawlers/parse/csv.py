"""CSV: a header line, then records; quoted fields may hold delimiters, quotes (doubled) and line feeds.

What is decided here: everything is text and is cast with checks; an empty field, quoted or not, is no value; a record
with more or fewer fields than the header is quarantined; columns that the contract declares and the header lacks have
no values; a header with none of the declared columns, or with a name twice, is no header.
"""

from __future__ import annotations

import json
import re
from typing import Any

import polars as pl

from crawlers.contract import UNKNOWN, Contract
from crawlers.parse.checked import TEXT_EXTRAS
from crawlers.parse.csv_records import Grammar, Spans, find
from crawlers.parse.lines import Lines, split
from crawlers.parse.placement import Placement
from crawlers.parse.registry import FileReader, Read, register_format
from crawlers.parse.stream import Chunk, whole_lines

_BAD = {"_line": pl.Int64(), "reason": pl.String(), "detail": pl.String(), "text": pl.String()}
_DETAILS = {
    "stray_quote": "a quote that neither opens nor closes a field; inside a quoted field, quotes are doubled",
    "unclosed_quote": "a quoted field that is not closed",
}


@register_format("csv")
class Csv:
    """The format `csv`.

    Args:
        options: `delimiter` and `max_line_bytes`.
        contract: what the records should be.
    """

    def __init__(self, options: Any, contract: Contract) -> None:
        self.grammar = Grammar(options.delimiter)
        self.max_line_bytes = int(options.max_line_bytes)
        self.contract = contract
        self.placement = Placement(contract)

    def open(self) -> FileReader:
        """A reader with a header of its own."""
        return _CsvFile(self)


class _CsvFile:
    def __init__(self, form: Csv) -> None:
        self._form = form
        self._names: list[str] | None = None
        self._header_line = 0
        self._fault = "the header is missing or too long"

    def cut(self, buffer: bytes) -> int:
        end = whole_lines(buffer)
        if b'"' not in buffer:
            return end
        lines = split(Chunk(0, buffer[:end]), self._form.max_line_bytes, trim=False)
        spans = find(lines, 0, self._form.grammar, self._form.max_line_bytes, final=False)
        return end if spans.open_at is None else int(lines.bounds[spans.open_at])

    def begin(self, chunk: Chunk) -> None:
        if chunk.first_line != 1:
            return
        records, bad = self._records(chunk)[:2]
        filled = records.filter(pl.col("text").str.strip_chars() != "")
        if filled.is_empty() or (not bad.is_empty() and bad["_line"].min() < filled["_line"][0]):
            return
        self._header_line, text = filled.row(0)
        names = _fields(text, self._form.grammar.delimiter)
        declared = self._form.contract.columns
        if len(set(names)) < len(names):
            self._fault = "the header has a name twice"
        elif not self._form.placement.used(names):
            self._fault = f"the header has none of the declared columns ({', '.join(declared)})"[:300]
        else:
            self._names = names

    def read(self, chunk: Chunk) -> Read:
        records, bad, count = self._records(chunk)
        header = records["_line"] == self._header_line
        if header.any():
            records = records.filter(~header)
            count -= 1
        filled = records.filter(pl.col("text").str.strip_chars() != "")
        blank = records.height - filled.height
        if self._names is None:
            refused = _refused(filled, "bad_header", self._fault)
            texts = self._texts(pl.DataFrame(schema={"_line": pl.Int64()}), [])
        else:
            fits = self._fits(filled, len(self._names))
            detail = f"the header has {len(self._names)} fields, this record has more or fewer"
            refused = _refused(filled.filter(~fits), "wrong_field_count", detail)
            texts = self._texts(self._decode(filled.filter(fits), self._names), self._names)
        removed = {"blank_line": blank} if blank else {}
        seen = self._form.placement.present(self._names or ())
        return Read(texts=texts, bad=pl.concat([bad, refused]), removed=removed, rows=count, seen=seen)

    def _records(self, chunk: Chunk) -> tuple[pl.DataFrame, pl.DataFrame, int]:
        """Records (`_line`, `text`), lines that are none, and how many both are together."""
        lines = split(chunk, self._form.max_line_bytes, trim=False)
        spans = find(lines, chunk.first_line, self._form.grammar, self._form.max_line_bytes, final=True)
        index = lines.text["_line"] - chunk.first_line
        records = lines.text.filter(pl.Series(spans.whole[index.to_numpy()]))
        if spans.long:
            records = pl.concat([records, _joined(chunk, lines, spans)]).sort("_line")
        bad = lines.bad.with_columns(pl.lit(None, dtype=pl.String).alias("text"))
        if spans.bad:
            reasons = pl.DataFrame(
                {"_line": [line + chunk.first_line for line in spans.bad], "reason": list(spans.bad.values())}
            ).with_columns(pl.col("reason").replace_strict(_DETAILS).alias("detail"))
            bad = pl.concat([bad, reasons.join(lines.text, on="_line").select(list(_BAD))])
        return records, bad, records.height + bad.height

    def _fits(self, records: pl.DataFrame, width: int) -> pl.Series:
        """Which records have as many fields as the header."""
        grammar = self._form.grammar
        commas = pl.col("text").str.count_matches(grammar.delimiter, literal=True) == width - 1
        quoted = pl.col("text").str.contains('"', literal=True)
        fits = records.select(quoted.alias("quoted"), (~quoted & commas).alias("fits"))
        if fits["quoted"].any():
            at = fits["quoted"].arg_true()
            exact = records["text"].gather(at).to_frame().select(pl.col("text").str.contains(grammar.of_width(width)))
            return fits["fits"].scatter(at, exact.to_series())
        return fits["fits"]

    def _decode(self, records: pl.DataFrame, names: list[str]) -> pl.DataFrame:
        """The fields of records that have as many as the header; empty ones are null."""
        schema = {f"f{index}": pl.String() for index in range(len(names))}
        if records.is_empty():
            fields = pl.DataFrame(schema=schema)
        else:
            text = records.select(pl.col("text").str.join("\n")).item()
            delimiter = self._form.grammar.delimiter
            try:
                fields = pl.read_csv(text.encode(), has_header=False, separator=delimiter, schema=schema)
            except pl.exceptions.PolarsError:
                fields = pl.DataFrame(schema=schema)
            if fields.height != records.height:
                # The vectorised reader sees it differently: one by one, then.
                rows = [_fields(one, delimiter) for one in records["text"]]
                fields = pl.DataFrame(rows, schema=schema, orient="row")
        fields = fields.with_columns(pl.when(pl.all() != "").then(pl.all()))
        return fields.rename(dict(zip(schema, names, strict=True))).with_columns(records["_line"])

    def _texts(self, fields: pl.DataFrame, names: list[str]) -> pl.DataFrame:
        contract, placement = self._form.contract, self._form.placement
        used = placement.used(names)
        unknown = [name for name in names if name not in used]
        nothing = pl.lit(None, dtype=pl.String)
        kept = nothing
        if unknown and contract.unknown_columns != "discard":
            kept = _as_json(unknown)
        refused = bool(unknown) and contract.unknown_columns == "reject"
        extras = fields.select(
            pl.col("_line"),
            kept.alias(UNKNOWN),
            (pl.lit("unknown_column") if refused else nothing).alias("reason"),
            (pl.lit(unknown[0]) if refused else nothing).alias("column"),
            (pl.lit("the column is not declared") if refused else nothing).alias("detail"),
        )
        return placement.place_flat(fields, names, extras).select([*contract.columns, *TEXT_EXTRAS])


def _as_json(names: list[str]) -> pl.Expr:
    """The fields that have values as a JSON object."""
    parts = []
    for name in names:
        quoted = pl.struct(pl.col(name).alias("x")).struct.json_encode().str.slice(len('{"x":')).str.head(-1)
        parts.append(pl.when(pl.col(name).is_not_null()).then(json.dumps(name, ensure_ascii=False) + ":" + quoted))
    joined = pl.concat_str(parts, separator=",", ignore_nulls=True)
    return pl.when(joined != "").then("{" + joined + "}")


def _joined(chunk: Chunk, lines: Lines, spans: Spans) -> pl.DataFrame:
    bounds = lines.bounds
    texts = [chunk.body[bounds[start] : bounds[end + 1]].decode().rstrip("\r\n") for start, end in spans.long]
    numbers = [start + chunk.first_line for start, _ in spans.long]
    return pl.DataFrame({"_line": numbers, "text": texts}, schema={"_line": pl.Int64, "text": pl.String})


def _refused(records: pl.DataFrame, reason: str, detail: str) -> pl.DataFrame:
    return records.select("_line", pl.lit(reason).alias("reason"), pl.lit(detail).alias("detail"), "text")


def _fields(text: str, delimiter: str) -> list[str]:
    """The fields of a record that the grammar has found to be one."""
    found = re.findall(rf'(?:^|{re.escape(delimiter)})(?:"((?:[^"]|"")*)"|([^"{re.escape(delimiter)}]*))', text)
    return [quoted.replace('""', '"') or plain for quoted, plain in found]
