"""From texts to raw records: types, required, allowed values, ranges and privacy, column by column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from crawlers.contract import CRAWLED_AT, FILE, LINE, TIMESTAMP, UNKNOWN, Column, Contract
from crawlers.parse.privacy import hash_series
from crawlers.parse.values import typed
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

    def check(self, texts: pl.DataFrame, origin: Origin) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Records and quarantine of a frame of texts.

        Args:
            texts: with `text_schema`; unreadable records have a `reason` already.
            origin: where it came from.

        Returns:
            Records with the contract's raw schema, and rejected ones with the schema of quarantine.
        """
        faults = _Faults(texts)
        values: dict[str, pl.Series] = {}
        for name, column in self.contract.columns.items():
            values[name] = self._column(name, column, texts[name], faults)
        good = faults.good()
        added = {UNKNOWN: texts[UNKNOWN]} if self.contract.unknown_columns == "keep" else {}
        kept = [
            self._private(values[name], column).alias(name) for name, column in self.contract.kept_columns().items()
        ]
        records = pl.DataFrame([*kept, *(series.alias(name) for name, series in added.items()), texts[LINE]])
        if good is not None:
            records = records.filter(good)
        records = records.with_columns(
            pl.lit(origin.crawled_at, dtype=TIMESTAMP).alias(CRAWLED_AT), pl.lit(origin.file).alias(FILE)
        ).select(list(self.contract.raw_schema()))
        if good is None:
            return records, pl.DataFrame(schema=dict(QUARANTINE_SCHEMA))
        return records, self._rejected(texts, values, faults, ~good, origin)

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

    def _column(self, name: str, column: Column, given: pl.Series, faults: _Faults) -> pl.Series:
        texts = given
        if column.null_values:
            texts = _blanked(texts, texts.is_in(column.null_values))
        if column.required and texts.null_count():
            faults.add(texts.is_null(), name, "missing_required", "no value, though the column is required")
        values = typed(texts, column)
        if values.null_count() > texts.null_count():
            faults.add(values.is_null() & texts.is_not_null(), name, "wrong_type", _wanted(column))
        if column.one_of is not None:
            allowed = values.is_in(pl.Series(column.one_of, dtype=values.dtype).implode()) | values.is_null()
            if not allowed.all():
                faults.add(~allowed, name, "not_allowed", f"allowed are {', '.join(map(str, column.one_of))}"[:300])
        if column.minimum is not None and (below := (values < column.minimum).fill_null(value=False)).any():
            faults.add(below, name, "out_of_range", f"below {column.minimum:g}")
        if column.maximum is not None and (above := (values > column.maximum).fill_null(value=False)).any():
            faults.add(above, name, "out_of_range", f"above {column.maximum:g}")
        return values

    def _private(self, values: pl.Series, column: Column) -> pl.Series:
        if column.pii != "hash":
            return values
        if self._secret is None:
            raise ValueError("a hashed column needs the secret")
        return hash_series(values.cast(pl.String), self._secret)

    def _rejected(
        self, texts: pl.DataFrame, values: Mapping[str, pl.Series], faults: _Faults, mask: pl.Series, origin: Origin
    ) -> pl.DataFrame:
        rejected = texts.filter(mask)
        fields = []
        for name, column in self.contract.kept_columns().items():
            # As typed, or as served if it has no such type.
            shown = pl.coalesce(values[name].filter(mask).cast(pl.String), rejected[name])
            fields.append(self._private(pl.select(shown).to_series(), column).alias(name))
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

    def add(self, mask: pl.Series, column: str, reason: str, detail: str) -> None:
        index = (mask & self.reason.is_null()).arg_true()
        if len(index):
            self.reason = self.reason.scatter(index, reason)
            self.column = self.column.scatter(index, column)
            self.detail = self.detail.scatter(index, detail)

    def good(self) -> pl.Series | None:
        """Which rows have no fault; nothing when none has."""
        return None if self.reason.null_count() == len(self.reason) else self.reason.is_null()


def _blanked(texts: pl.Series, mask: pl.Series) -> pl.Series:
    return texts if not mask.any() else pl.select(pl.when(~mask).then(texts)).to_series().alias(texts.name)


def _wanted(column: Column) -> str:
    if column.type in ("datetime", "date"):
        return f"not a {column.type} spelled {' or '.join(column.spelled)}"
    return f"not {'an' if column.type == 'integer' else 'a finite' if column.type == 'float' else 'a'} {column.type}"
