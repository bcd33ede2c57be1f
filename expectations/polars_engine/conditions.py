"""Row conditions as Polars expressions: GX's condition objects, and text in pandas' query style or in SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
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

from expectations.polars_engine.errors import PolarsEngineError, missing_column
from expectations.polars_engine.literals import comparable, members
from expectations.polars_engine.nulls import without_nan

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def row_condition(condition: Any, schema: pl.Schema) -> pl.Expr:
    """The rows that a condition keeps, as an expression that is never null."""
    if isinstance(condition, Mapping):
        condition = deserialize_row_condition(dict(condition))
    if isinstance(condition, str):
        return text_condition(condition, schema).fill_null(value=False)
    if isinstance(condition, PassThroughCondition):
        return text_condition(condition.pass_through_filter, schema).fill_null(value=False)
    if isinstance(condition, ComparisonCondition):
        return comparison(condition, schema)
    if isinstance(condition, NullityCondition):
        null = _column(condition.column.name, schema).is_null()
        return null if condition.is_null else ~null
    if isinstance(condition, AndCondition):
        return pl.all_horizontal([row_condition(part, schema) for part in condition.conditions])
    if isinstance(condition, OrCondition):
        return pl.any_horizontal([row_condition(part, schema) for part in condition.conditions])
    raise PolarsEngineError(f"A row_condition of type {type(condition).__name__} is not known; use Column('x') > 0.")


def comparison(condition: Any, schema: pl.Schema) -> pl.Expr:
    """The rows for which one column compares as it should with a constant."""
    name, operator, value = condition.column.name, Operator(condition.operator), condition.parameter
    column = _column(name, schema)
    if operator in (Operator.IN, Operator.NOT_IN):
        found = column.is_in(members(value, schema[name]).implode()).fill_null(value=False)
        return found if operator == Operator.IN else ~found
    left, right = comparable(name, column, schema[name], value)
    # A missing value differs from every constant, and is neither smaller nor larger: pandas' rule.
    compared: pl.Expr = _COMPARE[operator.value](left, right).fill_null(value=operator == Operator.NOT_EQUAL)
    return compared


def text_condition(text: str, schema: pl.Schema) -> pl.Expr:
    """A condition written as text: what pandas' `query` and Python share, else SQL."""
    # pandas quotes odd column names with backticks, which Python does not know.
    quoted = re.findall(r"`([^`]+)`", text)
    source = re.sub(r"`([^`]+)`", lambda found: f"__quoted_{quoted.index(found[1])}", text)
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except SyntaxError:
        return _sql(text, schema)
    names = {f"__quoted_{number}": name for number, name in enumerate(quoted)}
    condition: pl.Expr = _translate(tree.body, schema, names, text)
    return condition


def _sql(text: str, schema: pl.Schema) -> pl.Expr:
    try:
        expression = pl.sql_expr(text)
    except pl.exceptions.PolarsError as error:
        raise PolarsEngineError(f"The row_condition {text!r} is neither pandas' query style nor SQL: {error}") from None
    for name in expression.meta.root_names():
        _column(name, schema)
    return expression


def _column(name: str, schema: pl.Schema) -> pl.Expr:
    if name not in schema:
        raise missing_column(name, schema)
    return without_nan(pl.col(name), schema[name])


_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: lambda a, b: a**b,
}
_ORDER: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_METHODS: Mapping[str, Callable[[Any], Any]] = {
    "isnull": lambda a: a.is_null(),
    "isna": lambda a: a.is_null(),
    "notnull": lambda a: a.is_not_null(),
    "notna": lambda a: a.is_not_null(),
}


def _translate(node: ast.expr, schema: pl.Schema, names: Mapping[str, str], text: str) -> Any:  # noqa: C901, PLR0911
    def down(child: ast.expr) -> Any:
        return _translate(child, schema, names, text)

    match node:
        case ast.BoolOp(op=operator, values=values):
            parts = [down(value) for value in values]
            return pl.all_horizontal(parts) if isinstance(operator, ast.And) else pl.any_horizontal(parts)
        case ast.BinOp(op=operator) if type(operator) in _BINARY:
            return _BINARY[type(operator)](down(node.left), down(node.right))
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            return ~down(node.operand)
        case ast.UnaryOp(op=ast.USub()):
            return -down(node.operand)
        case ast.Compare():
            sides = [node.left, *node.comparators]
            pairs = zip(node.ops, sides, sides[1:], strict=False)
            return pl.all_horizontal([_compare(op, a, b, schema, names, text) for op, a, b in pairs])
        case ast.Call(func=ast.Attribute(value=value, attr=method), args=[]) if method in _METHODS:
            return _METHODS[method](down(value))
        case ast.Call(func=ast.Name(id="col"), args=[ast.Constant(value=str(name))]):
            return _column(name, schema)
        case ast.Name(id=name):
            return _column(names.get(name, name), schema)
        case ast.Constant(value=value):
            return value
        case ast.List() | ast.Tuple():
            return [down(element) for element in node.elts]
    raise PolarsEngineError(f"The row_condition {text!r} uses {ast.unparse(node)!r}, which is not supported.")


def _compare(
    operator: ast.cmpop, left: ast.expr, right: ast.expr, schema: pl.Schema, names: Mapping[str, str], text: str
) -> pl.Expr:
    a, b = (_translate(side, schema, names, text) for side in (left, right))
    name = names.get(left.id, left.id) if isinstance(left, ast.Name) else None
    if isinstance(operator, ast.In | ast.NotIn):
        found: pl.Expr = a.is_in(members(b, schema[name]).implode() if name else b).fill_null(value=False)
        return found if isinstance(operator, ast.In) else ~found
    if name is not None and not isinstance(b, pl.Expr):
        a, b = comparable(name, a, schema[name], b)
    compared: pl.Expr = _COMPARE[_ORDER[type(operator)]](a, b).fill_null(value=isinstance(operator, ast.NotEq))
    return compared
