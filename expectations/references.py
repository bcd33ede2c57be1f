"""`expect_column_values_to_be_in_table`: every value is a key of another table, as items are of a catalogue.

A custom expectation of Great Expectations, with a metric for the Polars engine. Great Expectations writes an
expectation's arguments down, so that they can name the other table but not hold it: it is laid out for the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ClassVar

import polars as pl
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.expectations.expectation import ColumnMapExpectation

from expectations.polars_engine import Column, PolarsEngineError, column_map_metric

_TABLES: ContextVar[Mapping[str, pl.LazyFrame] | None] = ContextVar("tables", default=None)


@contextmanager
def looking_into(tables: Mapping[str, pl.LazyFrame]) -> Iterator[None]:
    """Lay other tables out for the expectations that are evaluated meanwhile."""
    token = _TABLES.set(tables)
    try:
        yield
    finally:
        _TABLES.reset(token)


@column_map_metric("column_values.in_table", keys=("other_table", "key"))
def in_table(column: Column, other_table: str, key: str) -> pl.Expr:
    """Expected: a value that the other table's key column has.

    Raises:
        PolarsEngineError: The other table is not at hand.
    """
    tables = _TABLES.get() or {}
    if other_table not in tables:
        raise PolarsEngineError(f"{column.metric} on '{column.name}': the table '{other_table}' is not at hand.")
    keys = tables[other_table].select(pl.col(key).cast(column.dtype, strict=False)).drop_nulls().unique()
    return column.expr.is_in(keys.collect(engine="streaming")[key].implode())


class ExpectColumnValuesToBeInTable(ColumnMapExpectation):  # type: ignore[misc]
    """Expect the values of a column to be keys of another table."""

    other_table: str
    key: str

    map_metric: ClassVar[str] = "column_values.in_table"
    domain_type: ClassVar[MetricDomainTypes] = MetricDomainTypes.COLUMN
    success_keys: ClassVar[tuple[str, ...]] = ("other_table", "key", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "other_table", "key")
