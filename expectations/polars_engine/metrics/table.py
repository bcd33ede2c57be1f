"""A table's size, columns and types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expectations.polars_engine.bundle import Aggregate, Query, Work
from expectations.polars_engine.domain import Domain
from expectations.polars_engine.handover import as_pandas
from expectations.polars_engine.providers import table_metric
from expectations.polars_engine.registration import TABLE_KEYS, register_direct


@table_metric("table.row_count")
def row_count(domain: Domain) -> Work:
    """How many rows there are."""
    return Aggregate(domain.frame, (domain.row_count(),), int)


@table_metric("table.head", keys=("n_rows", "fetch_all"))
def head(domain: Domain, n_rows: int = 5, *, fetch_all: bool = False) -> Work:
    """The first rows; all but the last ones when the number is negative."""
    rows = domain.rows()
    if not fetch_all:
        # Negative: all but the last so many, which only the collected rows can tell.
        rows = rows.head(n_rows) if n_rows >= 0 else rows
    return Query(rows, lambda found: as_pandas(found.head(n_rows) if n_rows < 0 and not fetch_all else found))


def _column_types(execution_engine: Any, metric_domain_kwargs: Mapping[str, Any], **_: Any) -> list[dict[str, Any]]:
    schema = execution_engine.batch(metric_domain_kwargs).schema
    return [{"name": name, "type": dtype} for name, dtype in schema.items()]


def _columns(execution_engine: Any, metric_domain_kwargs: Mapping[str, Any], **_: Any) -> list[str]:
    return list(execution_engine.batch(metric_domain_kwargs).schema.names())


def _column_count(**call: Any) -> int:
    return len(_columns(**call))


register_direct("table.column_types", _column_types, domain_keys=TABLE_KEYS, keys=("include_nested",))
register_direct("table.columns", _columns, domain_keys=TABLE_KEYS)
register_direct("table.column_count", _column_count, domain_keys=TABLE_KEYS)
