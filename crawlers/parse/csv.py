"""CSV: a header line, then records; quoted fields may hold delimiters, quotes (doubled) and line feeds.

What is decided here: everything is text and is cast with checks; an empty field, quoted or not, is no value; a record
with more or fewer fields than the header is quarantined; columns that the contract declares and the header lacks have
no values; a header with none of the declared columns, or with a name twice, is no header.
"""

from __future__ import annotations

import re
from typing import Literal, Self

import polars as pl
from pydantic import Field, field_validator, model_validator

from crawlers.contract import Contract
from crawlers.parse.by_line import FileReader, LineOptions
from crawlers.parse.csv_records import Grammar, Spans, find
from crawlers.parse.flat import flat_texts
from crawlers.parse.lines import Lines, split
from crawlers.parse.placement import Placement
from crawlers.parse.registry import BAD_SCHEMA, FORMATS, Example, Read
from crawlers.parse.stream import Chunk, whole_lines
from foundation.located import LocatedError

_DETAILS = {
    "stray_quote": "a quote that neither opens nor closes a field; inside a quoted field, quotes are doubled",
    "unclosed_quote": "a quoted field that is not closed",
}


@FORMATS.registered("csv")
class CsvFormat(LineOptions):
    """Delimited text, with a header line or without.

    Attributes:
        delimiter: Between the fields of a record.
        header: Whether the first line names the columns.
        names: What the columns are called, in their order, where no header does; by default those of the contract.
    """

    kind: Literal["csv"]
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    header: bool = True
    names: tuple[str, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _names_stand_for_a_header(self) -> Self:
        if self.names is None:
            return self
        if self.header:
            raise LocatedError("`names` are for files without a header; declare `header: false` too", ["names"])
        if twice := sorted({name for name in self.names if self.names.count(name) > 1}):
            raise LocatedError(f"`names` has '{twice[0]}' twice; every column needs a name of its own", ["names"])
        return self

    @field_validator("delimiter")
    @classmethod
    def _delimiter_is_no_line_end(cls, delimiter: str) -> str:
        if delimiter in '"\r\n':
            raise ValueError(f"delimiter {delimiter!r} is a quote or ends a line; use another, such as ';'")
        return delimiter

    def lines(self, contract: Contract) -> Csv:
        """A reader whose files have a header each."""
        return Csv(self, contract)

    @classmethod
    def example(cls) -> Example:
        """Two records, the second without a value."""
        return Example(
            options={"kind": "csv"},
            columns={"id": {"type": "string"}, "n": {"type": "integer"}},
            body=b"id,n\na,1\nb,\n",
            records=({"id": "a", "n": "1"}, {"id": "b", "n": None}),
        )


class Csv:
    """Reads delimited text.

    Args:
        options: as declared.
        contract: what the records should be.
    """

    def __init__(self, options: CsvFormat, contract: Contract) -> None:
        self.grammar = Grammar(options.delimiter)
        self.max_line_bytes = int(options.max_line_bytes)
        self.contract = contract
        self.placement = Placement(contract)
        self.names = None if options.header else list(options.names or contract.columns)

    def open(self) -> FileReader:
        """A reader with a header of its own."""
        return _CsvFile(self)


class _CsvFile:
    def __init__(self, form: Csv) -> None:
        self._form = form
        self._names = form.names
        # No line is a header until it is found to be a good one, so that a bad one is counted like any other line.
        self._header_line: int | None = None
        self._fault = "the header is missing or too long"

    def cut(self, buffer: bytes) -> int:
        end = whole_lines(buffer)
        if b'"' not in buffer:
            return end
        lines = split(Chunk(0, buffer[:end]), self._form.max_line_bytes, trim=False)
        spans = find(lines, 0, self._form.grammar, self._form.max_line_bytes, final=False)
        return end if spans.open_at is None else int(lines.bounds[spans.open_at])

    def begin(self, chunk: Chunk) -> None:
        if chunk.first_line != 1 or self._names is not None:
            return
        records, bad = self._records(chunk)[:2]
        filled = records.filter(pl.col("text").str.strip_chars() != "")
        if filled.is_empty() or (not bad.is_empty() and bad["_line"].min() < filled["_line"][0]):
            return
        line, text = filled.row(0)
        names = _fields(text, self._form.grammar.delimiter)
        declared = self._form.contract.columns
        if len(set(names)) < len(names):
            self._fault = "the header has a name twice"
        elif not self._form.placement.used(names):
            columns = ", ".join(declared)[:200]
            self._fault = f"the first line has none of the declared columns ({columns}); is it `header: false`?"
        else:
            self._names, self._header_line = names, line

    def read(self, chunk: Chunk) -> Read:
        records, bad, count = self._records(chunk)
        if self._header_line is not None and (header := records["_line"] == self._header_line).any():
            records = records.filter(~header)
            count -= 1
        filled = records.filter(pl.col("text").str.strip_chars() != "")
        blank = records.height - filled.height
        if self._names is None:
            refused = _refused(filled, "bad_header", self._fault)
            texts = self._texts(pl.DataFrame(schema={"_line": pl.Int64()}), [])
        else:
            fits = self._fits(filled, len(self._names))
            detail = f"there are {len(self._names)} columns, this record has more or fewer fields"
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
            bad = pl.concat([bad, reasons.join(lines.text, on="_line").select(list(BAD_SCHEMA))])
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
        return flat_texts(fields, names, self._form.contract, self._form.placement)


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
