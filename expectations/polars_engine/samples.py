"""The first unexpected rows of an expectation that is not met: its values, row numbers and records, by one query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import polars as pl

from expectations.polars_engine.bundle import Query, Work
from expectations.polars_engine.errors import missing_column
from expectations.polars_engine.handover import as_pandas
from expectations.polars_engine.text import as_text
from expectations.polars_engine.unexpected import ROW, Unexpected

# GX's own bound on lists of values and rows in every engine.
MOST_VALUES = 200


@dataclass(frozen=True)
class Rows:
    """Unexpected rows as collected: which column has their numbers, and of which the expectation speaks."""

    frame: pl.DataFrame
    row: str
    columns: tuple[str, ...]
    single: bool
    pair: bool


@dataclass(frozen=True)
class Sample:
    """What to collect of the unexpected rows."""

    unexpected: Unexpected
    count: int
    columns: tuple[str, ...]
    single: bool
    pair: bool
    wanted: Mapping[str, Any]
    longest: int

    @classmethod
    def of(cls, call: Any) -> Sample:
        """From GX's arguments to the metric."""
        kwargs = call.domain_kwargs
        if "column" in kwargs:
            columns: Sequence[str] = [kwargs["column"]]
        elif "column_A" in kwargs:
            columns = [kwargs["column_A"], kwargs["column_B"]]
        else:
            columns = kwargs["column_list"]
        return cls(
            call.unexpected(),
            int(call.metrics["unexpected_count"]),
            tuple(columns) if "column_A" in kwargs else tuple(dict.fromkeys(columns)),
            "column" in kwargs,
            "column_A" in kwargs,
            call.value_kwargs["result_format"],
            call.engine.longest_index_list,
        )

    def work(self) -> Work:
        """One query; an empty one when there is nothing to find."""
        schema = self.unexpected.domain.schema
        names = list(dict.fromkeys([*self.columns, *self._identifying(schema)]))
        if self.wanted.get("include_unexpected_rows"):
            names = schema.names()
        if self.count == 0:
            empty = pl.DataFrame(schema={self._row: pl.get_index_type(), **{name: schema[name] for name in names}})
            return Query(empty.lazy(), self._rows)
        return Query(self.unexpected.first(self._limit(), names), self._rows)

    @property
    def _row(self) -> str:
        return self.unexpected.domain.free(ROW)

    def _identifying(self, schema: pl.Schema) -> Sequence[str]:
        names = self.wanted.get("unexpected_index_column_names") or []
        for name in names:
            if name not in schema:
                raise missing_column(name, schema)
        return names

    def _limit(self) -> int:
        if self.wanted["result_format"] == "COMPLETE":
            return self.longest
        return min(int(self.wanted.get("partial_unexpected_count", 20)), self.longest)

    def _rows(self, frame: pl.DataFrame) -> Rows:
        # GX cannot write a duration down.
        spans = [as_text(pl.col(name), dtype) for name, dtype in frame.schema.items() if dtype == pl.Duration]
        return Rows(frame.with_columns(spans), self._row, self.columns, self.single, self.pair)


def values(rows: Rows, wanted: Mapping[str, Any]) -> list[Any]:
    """Unexpected values: of one column as they are, of a pair as tuples, of several as mappings."""
    frame = rows.frame.head(_values_limit(wanted))
    if rows.single:
        return frame[rows.columns[0]].to_list()
    if rows.pair:
        return list(zip(*(frame[name].to_list() for name in rows.columns), strict=True))
    return frame.select(rows.columns).to_dicts()


def index_list(rows: Rows, wanted: Mapping[str, Any]) -> list[Any]:
    """Row numbers, or the values of the identifying columns."""
    names = wanted.get("unexpected_index_column_names")
    if not names:
        return rows.frame[rows.row].to_list()
    if wanted.get("exclude_unexpected_values"):
        return [rows.frame.select(names).to_dict(as_series=False)] if len(rows.frame) else []
    return rows.frame.select(list(dict.fromkeys([*rows.columns, *names]))).to_dicts()


def index_query(rows: Rows, wanted: Mapping[str, Any]) -> str | None:
    """A Polars expression that gives those rows of the collected frame."""
    if wanted.get("return_unexpected_index_query") is False:
        return None
    return f"frame[{rows.frame[rows.row].to_list()}]"


def records(rows: Rows, wanted: Mapping[str, Any]) -> pd.DataFrame:
    """Whole rows, as the pandas frame that GX hands on."""
    frame = rows.frame.head(_values_limit(wanted))
    found = as_pandas(frame.drop(rows.row))
    found.index = pd.Index(frame[rows.row].to_list())
    return found


def value_counts(rows: Rows, wanted: Mapping[str, Any]) -> pd.Series[int]:
    """How often each of the unexpected values occurs among those collected."""
    counted = pd.Series(values(rows, wanted)).value_counts()
    return counted if wanted["result_format"] == "COMPLETE" else counted.head(wanted["partial_unexpected_count"])


def _values_limit(wanted: Mapping[str, Any]) -> int:
    if wanted["result_format"] == "COMPLETE":
        return MOST_VALUES
    return min(int(wanted.get("partial_unexpected_count", 20)), MOST_VALUES)


sample_parts: Mapping[str, Callable[[Rows, Mapping[str, Any]], Any]] = {
    "unexpected_values": values,
    "unexpected_value_counts": value_counts,
    "unexpected_index_list": index_list,
    "unexpected_index_query": index_query,
    "unexpected_rows": records,
}
