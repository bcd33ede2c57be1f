"""What the UI shows of a partition: numbers, tables, schemas."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import dagster as dg
import polars as pl

from assets.lake import stored_schema
from assets.stages.day import DayResult

Metadata = dict[str, Any]


WORKING_COLUMNS = {
    "date": "The partition.",
    "crawled_at": "When the file was fetched.",
    "known_on": "The day at whose end, or on which, the record became known: only later days build upon it.",
    "_unknown": "Fields that the contract does not declare, as JSON.",
    "_file": "The landed file that the record stood in.",
    "_line": "Its line in that file.",
    "stage": "Where the record was rejected: parse or clean.",
    "reason": "Why, as a slug.",
    "detail": "Why, in words.",
    "record": "The record as JSON, personal data hashed or dropped.",
    "covered": "Whether any labelling function voted.",
    "label": "The most probable label.",
    "majority": "The label by majority vote, for comparison.",
    "probability": "Of the last declared label.",
    "origin": "labelled, or a sampled negative.",
    "weight": "In training.",
}
"""What the columns are that Sluice adds; a contract describes its own."""

LAST = ("inputs", "landing_digest", "digest")
"""What only a search for a cause needs stands last."""


def definition(
    schema: Mapping[str, pl.DataType], table: str, descriptions: Mapping[str, str] | None = None
) -> Metadata:
    """Metadata of an asset's definition: its columns and its table in the lake.

    Args:
        schema: Column types, without the partition column; shown are those that they become in the lake.
        table: The lake's name.
        descriptions: What declared columns are.

    Raises:
        UnstorableTypeError: A column has a type that the lake cannot hold.
    """
    stored = stored_schema(pl.Schema(schema), table)
    described = {**WORKING_COLUMNS, **{name: text for name, text in (descriptions or {}).items() if text}}
    columns = [
        dg.TableColumn(name, _type_name(dtype), description=described.get(name))
        for name, dtype in {"date": pl.Date(), **stored}.items()
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns), "dagster/table_name": table}


def column_lineage(columns: Mapping[str, Collection[tuple[dg.AssetKey, str]]]) -> Metadata:
    """Metadata of a materialisation: where each column comes from, as the UI draws it."""
    deps = {
        name: [dg.TableColumnDep(key, column) for key, column in sorted(set(origins))]
        for name, origins in columns.items()
        if origins
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)} if deps else {}


def _type_name(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Datetime):
        return f"Datetime({', '.join(filter(None, (dtype.time_unit, dtype.time_zone)))})"
    return str(dtype)


def table(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue[Any]:
    """A small table; a row that lacks a column of the others is empty there."""
    columns = dict.fromkeys(name for row in rows for name in row)
    return dg.MetadataValue.table([dg.TableRecord({name: _cell(row.get(name)) for name in columns}) for row in rows])


def _cell(value: object) -> str | int | float | bool | None:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def landing(result: DayResult) -> Metadata:
    """Metadata of a landing partition."""
    report = dict(result.report)
    files = report.pop("files", None)
    shown: Metadata = {"outcome": report.pop("outcome", result.status)}
    for name, value in report.items():
        if isinstance(value, str | int | float | bool):
            shown[name] = value
        elif value is not None:
            shown[name] = dg.MetadataValue.json(value)
    if isinstance(files, list) and files:
        shown["files"] = table([{k: v for k, v in f.items() if not isinstance(v, dict | list)} for f in files[:200]])
    elif isinstance(files, int):
        shown["files"] = files
    return shown


def _account(accounting: Mapping[str, Any]) -> Metadata:
    """What became of the rows that came in; `made` only where rows were."""
    fates = {fate: accounting[fate] for fate in ("made", "quarantined", "removed") if fate in accounting}
    reasons = [
        {"fate": fate, "reason": reason, "rows": n} for fate, counts in fates.items() for reason, n in counts.items()
    ]
    return {
        "rows_in": accounting["rows_in"],
        "rows_out": accounting["rows_out"],
        **{fate: sum(counts.values()) for fate, counts in fates.items()},
        **({"by_reason": table(reasons)} if reasons else {}),
    }


def rows(result: DayResult) -> Metadata:
    """Metadata of a table's partition: rows, accounting, versions."""
    report = dict(result.report)
    accounting = report.pop("accounting", None)
    shown: Metadata = {"status": result.status}
    if "rows" in report:
        shown["dagster/partition_row_count"] = int(report.pop("rows"))
    if accounting:
        shown |= _account(accounting)
    for name, value in sorted(report.items(), key=lambda item: item[0] in LAST):
        if isinstance(value, str) and value.startswith("file://"):
            # A browser opens no file from a page that came over HTTP; a path can be copied.
            shown[name.removesuffix("_url")] = dg.MetadataValue.path(unquote(urlsplit(value).path))
        elif isinstance(value, str) and name.endswith("_url"):
            shown[name] = dg.MetadataValue.url(value)
        elif isinstance(value, str | int | float | bool | dg.MetadataValue):
            shown[name] = value
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            shown[name] = table(value)
        elif value is not None:
            shown[name] = dg.MetadataValue.json(value)
    return shown
