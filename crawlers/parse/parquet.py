"""`parquet`: typed columns, nested ones too, read row group by row group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, Literal

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from crawlers.contract import UNKNOWN, Contract
from crawlers.parse.by_document import DocumentOptions
from crawlers.parse.checked import TEXT_EXTRAS
from crawlers.parse.placement import Placement
from crawlers.parse.registry import BAD_SCHEMA, FORMATS, Example, Read, no_texts
from crawlers.parse.stream import Fault

_ROWS = 65_536
_ERRORS = (pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError)


@FORMATS.registered("parquet")
class ParquetFormat(DocumentOptions):
    """Apache Parquet. Columns are read as text and typed by the contract, as those of any other format.

    Times are read as `iso8601`, which a column has without `formats`. Bytes are text in UTF-8, or quarantined. Records,
    lists and maps are reached by `from:` as in JSON. The line of a record is its row, counted from 1.
    """

    kind: Literal["parquet"]

    def document(self, file: IO[bytes], contract: Contract, part_bytes: int) -> Iterator[Read | Fault]:
        """The rows in batches; a file that cannot be read is one fault, with what was read before."""
        placement = Placement(contract)
        try:
            opened = parquet.ParquetFile(file)
            names = list(opened.schema_arrow.names)
        except _ERRORS as error:
            yield Fault(1, "corrupt_file", f"no readable Parquet: {_first_line(error)}")
            return
        wanted = _columns(names, placement, contract)
        if not any(name in placement.fields for name in names):
            columns = ", ".join(contract.columns)[:200]
            yield Fault(1, "bad_header", f"the file has none of the declared columns ({columns})")
            return
        rows = max(1, min(_ROWS, part_bytes // (16 * max(1, opened.metadata.num_columns))))
        first = 1
        for group in range(opened.metadata.num_row_groups):
            end = first + opened.metadata.row_group(group).num_rows
            row = first
            try:
                for batch in opened.iter_batches(batch_size=rows, row_groups=[group], columns=wanted):
                    yield _read(batch, row, names, contract, placement)
                    row += batch.num_rows
            except _ERRORS as error:
                # The other groups can still be read.
                yield _lost(row, end, f"damaged Parquet: {_first_line(error)}", contract)
            first = end

    @classmethod
    def example(cls) -> Example:
        """Two records, the second without a value."""
        table = pa.table({"id": ["a", "b"], "n": pa.array([1, None], pa.int64())})
        sink = pa.BufferOutputStream()
        parquet.write_table(table, sink)
        return Example(
            options={"kind": "parquet"},
            columns={"id": {"type": "string"}, "n": {"type": "integer"}},
            body=sink.getvalue().to_pybytes(),
            records=({"id": "a", "n": "1"}, {"id": "b", "n": None}),
        )


def _columns(names: list[str], placement: Placement, contract: Contract) -> list[str]:
    """The columns to read: undeclared ones only where somebody wants to hear of them."""
    if contract.unknown_columns == "discard":
        return [name for name in names if name in placement.fields]
    return names


def _read(batch: Any, first: int, names: list[str], contract: Contract, placement: Placement) -> Read:
    frame = pl.DataFrame(pl.from_arrow(pa.Table.from_batches([batch])))
    height = frame.height
    nothing = pl.repeat(None, height, dtype=pl.String, eager=True)
    texts: dict[str, pl.Series] = {}
    fault = {name: nothing.alias(name) for name in ("reason", "column", "detail")}
    for name, column in placement.fields.items():
        if name not in frame.columns:
            texts[name] = nothing.alias(name)
            continue
        values = frame[name]
        text = _json(values) if column.type == "json" or values.dtype.is_nested() else _text(values)
        lost = (values.is_not_null() & text.is_null() & fault["reason"].is_null()).arg_true()
        if len(lost):
            fault["reason"] = fault["reason"].scatter(lost, "wrong_type")
            fault["column"] = fault["column"].scatter(lost, placement.column_of(name))
            fault["detail"] = fault["detail"].scatter(lost, f"bytes that are no text in UTF-8 ({values.dtype})")
        texts[name] = text.alias(name)
    unknown = [name for name in frame.columns if name not in placement.fields]
    kept = nothing
    if unknown and contract.unknown_columns == "reject":
        free = fault["reason"].is_null().arg_true()
        fault["reason"] = fault["reason"].scatter(free, "unknown_column")
        fault["column"] = fault["column"].scatter(free, unknown[0])
        fault["detail"] = fault["detail"].scatter(free, "the column is not declared")
    elif unknown and contract.unknown_columns != "discard":
        # Bytes have no form in JSON.
        shown = [pl.col(name) if frame[name].dtype != pl.Binary else pl.lit("").alias(name) for name in unknown]
        kept = frame.select(pl.struct(shown).struct.json_encode()).to_series()
    extras = [
        pl.Series("_line", range(first, first + height), dtype=pl.Int64),
        kept.alias(UNKNOWN),
        *(series.alias(name) for name, series in fault.items()),
    ]
    placed = placement.place(pl.DataFrame([*texts.values(), *extras]))
    seen = frozenset(
        name for name, column in contract.columns.items() if any(path.field in names for path in column.paths(name))
    )
    return Read(
        texts=placed.select([*contract.columns, *TEXT_EXTRAS]),
        bad=pl.DataFrame(schema=dict(BAD_SCHEMA)),
        removed={},
        rows=height,
        seen=seen,
    )


def _lost(first: int, end: int, detail: str, contract: Contract) -> Read:
    """Rows that the file says it has and that cannot be read."""
    lines = pl.Series("_line", range(first, end), dtype=pl.Int64).to_frame()
    bad = lines.with_columns(
        pl.lit("corrupt_file").alias("reason"),
        pl.lit(detail[:300]).alias("detail"),
        pl.lit(None, dtype=pl.String).alias("text"),
    )
    return Read(no_texts(contract), bad, {}, rows=bad.height)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _text(values: pl.Series) -> pl.Series:
    """Values as a person would write them, times as ISO 8601; null where bytes are no text."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        moments = values if dtype.time_zone is None else values.dt.convert_time_zone("UTC")
        return moments.dt.strftime("%Y-%m-%dT%H:%M:%S%.f" + ("" if dtype.time_zone is None else "Z"))
    return _decoded(values) if dtype == pl.Binary else values.cast(pl.String)


def _decoded(values: pl.Series) -> pl.Series:
    """Bytes as text; null where they are none."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:
        # Which of them are no text is told for all at once only, so they are looked at one by one, which is rare.
        return pl.Series(values.name, [_as_text(value) for value in values.to_list()], dtype=pl.String)


def _as_text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _json(values: pl.Series) -> pl.Series:
    """Values as JSON texts."""
    if values.dtype == pl.Binary:
        values = _decoded(values)
    encoded = values.alias("x").to_frame().select(pl.struct("x").struct.json_encode()).to_series()
    texts = encoded.str.slice(len('{"x":')).str.head(-1)
    return texts.to_frame("text").select(pl.when(values.is_not_null()).then("text")).to_series()
