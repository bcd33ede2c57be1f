"""Row conditions as Polars expressions: Great Expectations' condition objects, and text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from great_expectations.expectations.row_conditions import (
    AndCondition,
    ComparisonCondition,
    NullityCondition,
    Operator,
    OrCondition,
    PassThroughCondition,
    deserialize_row_condition,
)

from expectations.polars_engine.condition_text import column_named, text_condition
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.literals import COMPARE, comparable, members


def row_condition(condition: Any, schema: pl.Schema) -> pl.Expr:
    """The rows that a condition keeps, as an expression that is never null."""
    if isinstance(condition, Mapping):
        condition = deserialize_row_condition(dict(condition))
    if isinstance(condition, PassThroughCondition):
        condition = condition.pass_through_filter
    if isinstance(condition, str):
        return text_condition(condition, schema).fill_null(value=False)
    if isinstance(condition, ComparisonCondition):
        return comparison(condition, schema)
    if isinstance(condition, NullityCondition):
        null = column_named(condition.column.name, schema).is_null()
        return null if condition.is_null else ~null
    if isinstance(condition, AndCondition):
        return pl.all_horizontal([row_condition(part, schema) for part in condition.conditions])
    if isinstance(condition, OrCondition):
        return pl.any_horizontal([row_condition(part, schema) for part in condition.conditions])
    raise PolarsEngineError(f"A row_condition of type {type(condition).__name__} is not known; use Column('x') > 0.")


def comparison(condition: Any, schema: pl.Schema) -> pl.Expr:
    """The rows for which one column compares as it should with a constant."""
    name, operator, value = condition.column.name, Operator(condition.operator), condition.parameter
    column = column_named(name, schema)
    if operator in (Operator.IN, Operator.NOT_IN):
        found = column.is_in(members(value, schema[name]).implode()).fill_null(value=False)
        return found if operator == Operator.IN else ~found
    left, right = comparable(name, column, schema[name], value)
    # A missing value differs from every constant, and is neither smaller nor larger: pandas' rule.
    compared: pl.Expr = COMPARE[operator.value](left, right).fill_null(value=operator == Operator.NOT_EQUAL)
    return compared
