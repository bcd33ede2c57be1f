"""How a metric is told to Great Expectations: decorators that register a function for the Polars engine.

They serve this package's own metrics and anybody's custom ones alike:

    @column_map_metric("column_values.even")
    def even(column: Column) -> pl.Expr:
        return column.expr % 2 == 0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import polars as pl

from expectations.polars_engine.bundle import Work
from expectations.polars_engine.domain import Domain
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.registration import (
    COLUMN_KEYS,
    LIST_KEYS,
    PAIR_KEYS,
    TABLE_KEYS,
    Requires,
    register_map,
    register_planned,
)
from expectations.polars_engine.unexpected import RowWise, Unexpected

# What a map metric's function gives: true where a value is as expected, or a plan of its own for the unexpected rows.
Met = pl.Expr | Unexpected
MetFunction = TypeVar("MetFunction", bound=Callable[..., Met])
WorkFunction = TypeVar("WorkFunction", bound=Callable[..., Work])


def column_map_metric(
    name: str, *, keys: tuple[str, ...] = (), requires: Requires = (), ignore_missing: bool = True
) -> Callable[[MetFunction], MetFunction]:
    """Register what makes a value of a column expected: `function(column, **values)`, true where it is.

    Args:
        name: GX's name of the metric, the `map_metric` of the expectation.
        keys: Names of the metric's arguments.
        requires: Names of metrics of the same domain whose results are passed as the argument `metrics`, or a mapping
            of such names to arguments, or a function from the metric's own arguments to either.
        ignore_missing: Whether rows without a value are left out, which is so for all but the tests of missingness.
    """

    def decorate(function: MetFunction) -> MetFunction:
        def condition(domain: Domain, kwargs: Mapping[str, Any], values: dict[str, Any]) -> Unexpected:
            column = domain.column(kwargs["column"], name)
            met = function(column, **values)
            ignored = column.expr.is_null() if ignore_missing else None
            return met if not isinstance(met, pl.Expr) else _row_wise(name, domain, met, ignored)

        register_map(name, COLUMN_KEYS, keys, requires, condition)
        return function

    return decorate


def column_pair_map_metric(name: str, *, keys: tuple[str, ...] = ()) -> Callable[[MetFunction], MetFunction]:
    """Register what makes a pair of values expected: `function(column_a, column_b, **values)`, true where it is."""

    def decorate(function: MetFunction) -> MetFunction:
        def condition(domain: Domain, kwargs: Mapping[str, Any], values: dict[str, Any]) -> Unexpected:
            a, b = domain.columns([kwargs["column_A"], kwargs["column_B"]], name)
            met = function(a, b, **values)
            return met if not isinstance(met, pl.Expr) else _row_wise(name, domain, met)

        register_map(name, PAIR_KEYS, keys, (), condition, filtered=True)
        return function

    return decorate


def multicolumn_map_metric(name: str, *, keys: tuple[str, ...] = ()) -> Callable[[MetFunction], MetFunction]:
    """Register what makes a record's values expected: `function(columns, **values)`, true where they are."""

    def decorate(function: MetFunction) -> MetFunction:
        def condition(domain: Domain, kwargs: Mapping[str, Any], values: dict[str, Any]) -> Unexpected:
            met = function(domain.columns(kwargs["column_list"], name), **values)
            return met if not isinstance(met, pl.Expr) else _row_wise(name, domain, met)

        register_map(name, LIST_KEYS, keys, (), condition, filtered=True)
        return function

    return decorate


def column_aggregate_metric(
    name: str, *, keys: tuple[str, ...] = (), requires: Requires = ()
) -> Callable[[WorkFunction], WorkFunction]:
    """Register what is computed of a column: `function(column, **values)` gives a plan."""

    def decorate(function: WorkFunction) -> WorkFunction:
        def plan(domain: Domain, kwargs: Mapping[str, Any], values: dict[str, Any]) -> Work:
            return function(domain.column(kwargs["column"], name), **values)

        register_planned(name, COLUMN_KEYS, keys, requires, plan)
        return function

    return decorate


def table_metric(name: str, *, keys: tuple[str, ...] = ()) -> Callable[[WorkFunction], WorkFunction]:
    """Register what is computed of a table: `function(domain, **values)` gives a plan."""

    def decorate(function: WorkFunction) -> WorkFunction:
        def plan(domain: Domain, kwargs: Mapping[str, Any], values: dict[str, Any]) -> Work:  # noqa: ARG001
            return function(domain, **values)

        register_planned(name, TABLE_KEYS, keys, (), plan)
        return function

    return decorate


def _row_wise(name: str, domain: Domain, met: pl.Expr, ignored: pl.Expr | None = None) -> RowWise:
    """The unexpected rows of a domain, of which `ignored` ones are none.

    The plan is resolved now, so that a condition that cannot be evaluated fails by itself and not in the bundle.
    """
    dtype = domain.frame.select(met.alias("met")).collect_schema()["met"]
    if dtype not in (pl.Boolean, pl.Null):
        raise PolarsEngineError(f"{name} must say true or false of each value; its function gives {dtype}.")
    unexpected = ~met.fill_null(value=False)
    if not unexpected.meta.root_names():
        # A constant is one value; it must be one for each row.
        unexpected = pl.repeat(pl.select(unexpected).item(), pl.len(), dtype=pl.Boolean)
    if ignored is not None:
        unexpected = ~ignored & unexpected
    unexpected = domain.keep(unexpected)
    domain.frame.select(unexpected).collect_schema()
    return RowWise(domain, unexpected)
