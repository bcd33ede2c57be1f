"""What the UI shows of a partition: numbers, tables, schemas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from assets.stages.day import DayResult

Metadata = dict[str, Any]


def definition(schema: Mapping[str, pl.DataType], table: str) -> Metadata:
    """Metadata of an asset's definition: its columns and its table in the lake."""
    columns = [dg.TableColumn("date", "Date", description="The partition.")]
    columns += [dg.TableColumn(name, str(dtype)) for name, dtype in schema.items()]
    return {"dagster/column_schema": dg.TableSchema(columns=columns), "dagster/table_name": table}


def table(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue[Any]:
    """A small table; a row that lacks a column of the others is empty there."""
    columns = dict.fromkeys(name for row in rows for name in row)
    return dg.MetadataValue.table([dg.TableRecord({name: _cell(row.get(name)) for name in columns}) for row in rows])


def _cell(value: object) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


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


def rows(result: DayResult) -> Metadata:
    """Metadata of a table's partition: rows, accounting, versions."""
    report = dict(result.report)
    accounting = report.pop("accounting", None)
    shown: Metadata = {"status": result.status}
    if "rows" in report:
        shown["dagster/partition_row_count"] = int(report.pop("rows"))
    if accounting:
        shown["rows_in"] = accounting["rows_in"]
        shown["rows_out"] = accounting["rows_out"]
        shown["quarantined"] = sum(accounting["quarantined"].values())
        shown["removed"] = sum(accounting["removed"].values())
        reasons = [
            {"fate": fate, "reason": r, "rows": n}
            for fate in ("quarantined", "removed")
            for r, n in accounting[fate].items()
        ]
        if reasons:
            shown["by_reason"] = table(reasons)
    for name, value in report.items():
        if isinstance(value, str) and name.endswith("_url"):
            shown[name] = dg.MetadataValue.url(value)
        elif isinstance(value, str | int | float | bool | dg.MetadataValue):
            shown[name] = value
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            shown[name] = table(value)
        elif value is not None:
            shown[name] = dg.MetadataValue.json(value)
    return shown
