"""From the fields of records to the columns of the contract: paths, lists, and values composed of several fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crawlers.contract import Column, Contract
from crawlers.contract.path import Path
from crawlers.parse.nested import Found, Wanted, extract

_FAULT = ("reason", "column", "detail")
_WHOLE = Column(type="json")


@dataclass(frozen=True)
class _Source:
    """Where one column comes from."""

    name: str
    column: Column
    paths: tuple[Path, ...]


class Placement:
    """Puts the values of fields where the contract wants them.

    Args:
        contract: what the records should be.

    Attributes:
        fields: the fields of a record that a reader of nested records looks for, each with the column as which it is
            read: its own, or JSON text where it is taken apart here.
    """

    def __init__(self, contract: Contract) -> None:
        self._sources = tuple(_Source(name, column, column.paths(name)) for name, column in contract.columns.items())
        uses = Counter(path.field for source in self._sources for path in source.paths)
        self._direct = {
            source.paths[0].field: source.name
            for source in self._sources
            if len(source.paths) == 1
            and not source.paths[0].below
            and uses[source.paths[0].field] == 1
            and source.column.type not in ("list", "struct")
        }
        self.fields: Mapping[str, Column] = {
            field: contract.columns[self._direct[field]] if field in self._direct else _WHOLE for field in uses
        }
        self._names = list(contract.columns)
        self._trivial = all(field == name for field, name in self._direct.items()) and len(self._direct) == len(
            self._names
        )

    def column_of(self, field: str) -> str:
        """The column that a field is read as, or the field's own name when several are made of it."""
        return self._direct.get(field, field)

    def place(self, records: pl.DataFrame) -> pl.DataFrame:
        """Columns from the fields of nested records.

        Args:
            records: a text (String) for each of `fields`, JSON where they are taken apart here; and other columns,
                `reason`, `column` and `detail` among them, which are kept.
        """
        if self._trivial:
            return records
        raw = {field: records[field] for field in self.fields if field not in self._direct}
        texts = {name: records[field].alias(name) for field, name in self._direct.items()}
        return self._with(records.drop(list(self.fields)), texts, self._taken(raw, set(texts)))

    def used(self, headers: Collection[str]) -> set[str]:
        """Which fields of flat records the contract takes."""
        return {header for source in self._sources for header in _headers(source, headers)}

    def present(self, headers: Collection[str]) -> frozenset[str]:
        """Which columns have a field among those of flat records."""
        return frozenset(source.name for source in self._sources if _headers(source, headers))

    def place_flat(self, records: pl.DataFrame, headers: Sequence[str], extras: pl.DataFrame) -> pl.DataFrame:
        """Columns from the fields of flat records, such as those of CSV.

        Args:
            records: a text (String) for each header; null where there is no value.
            headers: their names.
            extras: columns to keep beside, `reason`, `column` and `detail` among them.
        """
        nothing = pl.repeat(None, records.height, dtype=pl.String, eager=True)
        texts: dict[str, pl.Series] = {}
        found: dict[str, Found] = {}
        for source in self._sources:
            at = _headers(source, headers)
            literal = source.column.headers(source.name)
            if not at:
                texts[source.name] = nothing.alias(source.name)
            elif len(literal) > 1:
                parts = [records[header] for header in literal if header in headers]
                texts[source.name] = _composed(parts).alias(source.name)
            elif _is_json(source) or literal[0] not in headers:
                below = () if literal[0] in headers else source.paths[0].below
                wanted = Wanted(source.name, source.column, below)
                found |= extract(records[at[0]], [wanted])
            else:
                texts[source.name] = records[at[0]].alias(source.name)
        return self._with(extras, texts, found)

    def _taken(self, raw: Mapping[str, pl.Series], done: Collection[str]) -> dict[str, Found]:
        """What is found in the JSON texts of fields, each of which is read once for all columns."""
        parts: dict[str, list[Found]] = {source.name: [] for source in self._sources if source.name not in done}
        order: dict[str, list[tuple[int, str]]] = {}
        wanted: dict[str, list[Wanted]] = {}
        for source in self._sources:
            if source.name in done:
                continue
            for place, path in enumerate(source.paths):
                key = f"{place} {source.name}"
                wanted.setdefault(path.field, []).append(Wanted(key, source.column, path.below))
                order.setdefault(source.name, []).append((place, key))
        results: dict[str, Found] = {}
        for field, several in wanted.items():
            results |= extract(raw[field], several)
        for name in parts:
            parts[name] = [results[key] for _, key in sorted(order[name])]
        return {name: _joined(several) for name, several in parts.items()}

    def _with(self, kept: pl.DataFrame, texts: Mapping[str, pl.Series], found: Mapping[str, Found]) -> pl.DataFrame:
        columns = dict(texts) | {name: one.texts.alias(name) for name, one in found.items()}
        fault = {name: kept[name] for name in _FAULT}
        for name in self._names:
            if name not in found or found[name].reason.null_count() == len(fault["reason"]):
                continue
            index = (fault["reason"].is_null() & found[name].reason.is_not_null()).arg_true()
            fault["reason"] = fault["reason"].scatter(index, found[name].reason.gather(index))
            fault["detail"] = fault["detail"].scatter(index, found[name].detail.gather(index))
            fault["column"] = fault["column"].scatter(index, name)
        placed = pl.DataFrame([columns[name] for name in self._names])
        return placed.hstack(kept.drop(_FAULT)).hstack(list(fault.values()))


def _headers(source: _Source, headers: Collection[str]) -> list[str]:
    """The headers that a column is made of: literally, or else the field that a path begins at."""
    literal = [header for header in source.column.headers(source.name) if header in headers]
    if literal:
        return literal
    first = source.paths[0]
    return [first.field] if first.below and first.field in headers else []


def _is_json(source: _Source) -> bool:
    return source.column.type in ("json", "struct") or (
        source.column.type == "list" and source.column.separator is None
    )


def _composed(parts: Sequence[pl.Series]) -> pl.Series:
    """Texts put together with spaces; null where all are null."""
    joined = pl.concat_str(list(parts), separator=" ", ignore_nulls=True)
    some = pl.any_horizontal([part.is_not_null() for part in parts])
    return pl.select(pl.when(some).then(joined)).to_series()


def _joined(parts: list[Found]) -> Found:
    if len(parts) == 1:
        return parts[0]
    return Found(
        _composed([part.texts for part in parts]),
        pl.select(pl.coalesce(*(part.reason for part in parts))).to_series(),
        pl.select(pl.coalesce(*(part.detail for part in parts))).to_series(),
    )
