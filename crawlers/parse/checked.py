"""From texts to raw records: types, required, allowed values, ranges and privacy, column by column."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from crawlers.contract import CRAWLED_AT, FILE, LINE, TIMESTAMP, UNKNOWN, Column, Contract
from crawlers.contract.types import Typed, read_column
from crawlers.contract.types.list import mapped
from crawlers.parse.privacy import hash_series
from crawlers.parse.shape import name_or_shape, shapes
from crawlers.quarantine import QUARANTINE_SCHEMA, RECORD_LIMIT

#: Besides the declared columns, all of type String, a frame of texts holds these. `reason` is null for a record that
#: could be read; then `column` and `detail` are null, too.
TEXT_EXTRAS = {
    LINE: pl.Int64(),
    UNKNOWN: pl.String(),
    "reason": pl.String(),
    "column": pl.String(),
    "detail": pl.String(),
}


@dataclass(frozen=True)
class Origin:
    """Where a chunk came from.

    Attributes:
        file: the path within landing.
        crawled_at: when the file was fetched.
    """

    file: str
    crawled_at: dt.datetime


class Checker:
    """Turns texts into raw records and quarantine.

    Args:
        contract: what the records should be.
        secret: the key for personal data, needed if the contract hashes any.
    """

    def __init__(self, contract: Contract, secret: bytes | None) -> None:
        self.contract = contract
        self._secret = secret

    def text_schema(self) -> dict[str, pl.DataType]:
        """The schema of the frames that `check` takes."""
        return {name: pl.String() for name in self.contract.columns} | TEXT_EXTRAS

    def check(
        self, texts: pl.DataFrame, origin: Origin, verbatim: Callable[[pl.Series], pl.DataFrame] | None = None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Records and quarantine of a frame of texts.

        Args:
            texts: with `text_schema`; unreadable records have a `reason` already.
            origin: where it came from.
            verbatim: see `Read`.

        Returns:
            Records with the contract's raw schema, and rejected ones with the schema of quarantine.
        """
        if self.contract.has_pii:
            texts = _without_values(texts, hide=self.contract.hides_unknown)
        faults = _Faults(texts)
        read: dict[str, Typed] = {}
        for name, column in self.contract.columns.items():
            read[name] = read_column(texts[name], column)
            faults.add(name, read[name])
        good = faults.good()
        added = {UNKNOWN: texts[UNKNOWN]} if self.contract.keeps_unknown else {}
        kept = [
            self._private(read[name].values, column).alias(name)
            for name, column in self.contract.kept_columns().items()
        ]
        records = pl.DataFrame([*kept, *(series.alias(name) for name, series in added.items()), texts[LINE]])
        if good is not None:
            records = records.filter(good)
        records = records.with_columns(
            pl.lit(origin.crawled_at, dtype=TIMESTAMP).alias(CRAWLED_AT), pl.lit(origin.file).alias(FILE)
        ).select(list(self.contract.raw_schema()))
        if good is None:
            return records, pl.DataFrame(schema=dict(QUARANTINE_SCHEMA))
        rejected = texts.filter(~good)
        if verbatim is not None:
            again = verbatim(rejected[LINE])
            if self.contract.has_pii:
                again = _without_values(again, hide=self.contract.hides_unknown)
            rejected = again
        return records, self._rejected(rejected, read, faults, ~good, origin)

    def unparsed(self, bad: pl.DataFrame, origin: Origin) -> pl.DataFrame:
        """Quarantine of lines that are no records: `_line`, `reason`, `detail`, and `text` where there is one."""
        text = pl.lit(None, dtype=pl.String)
        if "text" in bad.columns and not self.contract.has_pii:
            text = pl.col("text").str.slice(0, RECORD_LIMIT)
        return bad.select(
            pl.lit("parse").alias("stage"),
            "reason",
            pl.lit(None, dtype=pl.String).alias("column"),
            "detail",
            text.alias("record"),
            pl.lit(origin.file).alias(FILE),
            LINE,
        )

    def _private(self, values: pl.Series, column: Column) -> pl.Series:
        if column.pii != "hash":
            return values
        if self._secret is None:
            raise ValueError("a hashed column needs the secret")
        secret = self._secret
        if isinstance(values.dtype, pl.List):
            return mapped(values, lambda each: hash_series(each.cast(pl.String), secret))
        return hash_series(values.cast(pl.String), secret)

    def _shown(self, name: str, column: Column, given: pl.Series, read: Typed, mask: pl.Series) -> pl.Series:
        """A column of rejected records, as served; of a personal one the hash that good records have."""
        values = read.values.filter(mask)
        if column.pii is None and self.contract.has_pii and read.faults:
            # What is no value of its column may be a personal one of another: records shift, and fields are swapped.
            wrong = _rows(read).filter(mask)
            given = pl.select(pl.when(wrong).then(shapes(given)).otherwise(given)).to_series()
        # The very characters: 33.20 is not 33.2 to whoever looks for the mistake.
        if column.pii is None or values.dtype.is_nested():
            return self._private(given, column).alias(name)
        shown = pl.select(pl.coalesce(values.cast(pl.String), given)).to_series()
        return self._private(shown, column).alias(name)

    def _rejected(
        self, rejected: pl.DataFrame, read: Mapping[str, Typed], faults: _Faults, mask: pl.Series, origin: Origin
    ) -> pl.DataFrame:
        fields = [
            self._shown(name, column, rejected[name], read[name], mask)
            for name, column in self.contract.kept_columns().items()
        ]
        if self.contract.unknown_columns != "discard":
            fields.append(rejected[UNKNOWN])
        record = pl.DataFrame(fields).select(pl.struct(pl.all()).struct.json_encode().alias("record")).to_series()
        return pl.DataFrame(
            [
                pl.repeat("parse", rejected.height, dtype=pl.String, eager=True).alias("stage"),
                faults.reason.filter(mask),
                faults.column.filter(mask),
                faults.detail.filter(mask),
                record,
                pl.repeat(origin.file, rejected.height, dtype=pl.String, eager=True).alias(FILE),
                rejected[LINE],
            ],
        )


class _Faults:
    """The first fault of each row."""

    def __init__(self, texts: pl.DataFrame) -> None:
        self.reason, self.column, self.detail = texts["reason"], texts["column"], texts["detail"]

    def add(self, column: str, read: Typed) -> None:
        """Take the faults of a column, for the rows that have none yet."""
        for fault in read.faults:
            index = (fault.rows & self.reason.is_null()).arg_true()
            if len(index):
                self.reason = self.reason.scatter(index, fault.reason)
                self.column = self.column.scatter(index, column)
                self.detail = self.detail.scatter(index, fault.detail)

    def good(self) -> pl.Series | None:
        """Which rows have no fault; nothing when none has."""
        return None if self.reason.null_count() == len(self.reason) else self.reason.is_null()


def _rows(read: Typed) -> pl.Series:
    """The rows in which a column has any fault."""
    rows = read.faults[0].rows
    for fault in read.faults[1:]:
        rows = rows | fault.rows
    return rows


def _without_values(texts: pl.DataFrame, *, hide: bool) -> pl.DataFrame:
    """Frames of a contract with personal columns, whatever the reader gave: undeclared fields by their names alone."""
    column = texts["column"]
    strange = (texts["reason"] == "unknown_column").fill_null(value=False)
    if strange.any():
        index = strange.arg_true()
        names = column.gather(index)
        shown = {name: name_or_shape(name) for name in names.drop_nulls().unique()}
        texts = texts.with_columns(column.scatter(index, names.replace(shown)))
    given = texts[UNKNOWN]
    if not hide or given.null_count() == len(given):
        return texts
    distinct = given.drop_nulls().unique()
    named = pl.Series([_names_alone(each) for each in distinct], dtype=pl.String)
    return texts.with_columns(given.replace_strict(distinct, named, default=None, return_dtype=pl.String))


def _names_alone(fields: str) -> str:
    # The first of two equal names tells as much as both.
    names = dict.fromkeys(name_or_shape(name) for name in json.loads(fields, parse_int=str, parse_float=str))
    return json.dumps(dict.fromkeys(names), ensure_ascii=False, separators=(",", ":"))
