"""Row conditions written as text, as Polars expressions: in pandas' `query` style, else in SQL."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from expectations.polars_engine.errors import PolarsEngineError, missing_column, plain
from expectations.polars_engine.literals import COMPARE, comparable, members
from expectations.polars_engine.nulls import without_nan


def text_condition(text: str, schema: pl.Schema) -> pl.Expr:
    """The rows that a condition keeps.

    What pandas understands is taken in pandas' sense: `&` and `|` bind like `and` and `or`.

    Raises:
        PolarsEngineError: It is neither, names a column that is not there, or is no condition.
    """
    try:
        return _checked(_query(text, schema), text, schema)
    except _FormError as refused:
        try:
            return _checked(_sql(text, schema), text, schema)
        except PolarsEngineError as error:
            # Whoever writes what Python can read means pandas.
            raise (refused if isinstance(refused, _UnsupportedError) else error) from None


class _FormError(PolarsEngineError):
    """The text is not in pandas' style; it may be SQL."""


class _UnsupportedError(_FormError):
    """The text is Python, but not of the kind that is known here."""


def column_named(name: str, schema: pl.Schema) -> pl.Expr:
    """A column, NaN as null.

    Raises:
        PolarsEngineError: The frame does not have it.
    """
    if name not in schema:
        raise missing_column(name, schema)
    return without_nan(pl.col(name), schema[name])


def _checked(condition: Any, text: str, schema: pl.Schema) -> pl.Expr:
    if not isinstance(condition, pl.Expr):
        raise PolarsEngineError(f"The row_condition {text!r} is a constant; it must say something of a column.")
    try:
        dtype = pl.LazyFrame(schema=schema).select(condition.alias("condition")).collect_schema()["condition"]
    except pl.exceptions.PolarsError as error:
        raise PolarsEngineError(f"The row_condition {text!r} cannot be evaluated: {plain(error)}") from None
    if dtype not in (pl.Boolean, pl.Null):
        raise PolarsEngineError(f"The row_condition {text!r} gives {dtype} and not true or false; compare it.")
    return condition


def _sql(text: str, schema: pl.Schema) -> pl.Expr:
    try:
        expression = pl.sql_expr(text)
    except pl.exceptions.PolarsError as error:
        raise PolarsEngineError(
            f"The row_condition {text!r} is neither in pandas' query style nor SQL: {plain(error)}"
        ) from None
    for name in expression.meta.root_names():
        column_named(name, schema)
    return expression


# pandas gives these operators the meaning, and so the precedence, of the words.
_WORDS = {"&": (tokenize.NAME, "and"), "|": (tokenize.NAME, "or")}


def _query(text: str, schema: pl.Schema) -> Any:
    # pandas quotes odd column names with backticks, which Python does not know.
    quoted = re.findall(r"`([^`]+)`", text)
    source = re.sub(r"`([^`]+)`", lambda found: f"__quoted_{quoted.index(found[1])}", text)
    try:
        tokens = tokenize.generate_tokens(io.StringIO(source.strip()).readline)
        words = tokenize.untokenize(_WORDS.get(token.string, (token.type, token.string)) for token in tokens)
        tree = ast.parse(words.strip(), mode="eval")
    except (SyntaxError, tokenize.TokenError):
        raise _FormError(f"The row_condition {text!r} is not in pandas' query style.") from None
    names = {f"__quoted_{number}": name for number, name in enumerate(quoted)}
    try:
        return _Query(text, schema, names).expression(tree.body)
    except (TypeError, AttributeError) as error:
        raise _UnsupportedError(f"The row_condition {text!r} cannot be evaluated: {error}") from None


_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
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
_METHODS: Mapping[str, Callable[..., Any]] = {
    "isnull": lambda a: a.is_null(),
    "isna": lambda a: a.is_null(),
    "notnull": lambda a: a.is_not_null(),
    "notna": lambda a: a.is_not_null(),
    "between": lambda a, low, high: a.is_between(low, high),
    "abs": lambda a: a.abs(),
}
_TEXT_METHODS: Mapping[str, Callable[..., Any]] = {
    "contains": lambda a, regex: a.str.contains(regex),
    "startswith": lambda a, prefix: a.str.starts_with(prefix),
    "endswith": lambda a, suffix: a.str.ends_with(suffix),
    "lower": lambda a: a.str.to_lowercase(),
    "upper": lambda a: a.str.to_uppercase(),
    "len": lambda a: a.str.len_chars(),
}


@dataclass(frozen=True)
class _Query:
    """A condition in pandas' style.

    Attributes:
        text: As written, for messages.
        schema: The frame's.
        names: What stands for which column that was written in backticks.
    """

    text: str
    schema: pl.Schema
    names: Mapping[str, str]

    def expression(self, node: ast.expr) -> Any:  # noqa: C901, PLR0911 - one branch a form
        match node:
            case ast.Name() | ast.Call(func=ast.Name(id="col"), args=[ast.Constant(value=str())]):
                return column_named(str(self.name(node)), self.schema)
            case ast.Constant(value=value):
                return value
            case ast.List() | ast.Tuple():
                return [self.expression(element) for element in node.elts]
            case ast.BoolOp(op=operator, values=values):
                parts = [self.expression(value) for value in values]
                return pl.all_horizontal(parts) if isinstance(operator, ast.And) else pl.any_horizontal(parts)
            case ast.BinOp(op=operator) if type(operator) in _BINARY:
                return _BINARY[type(operator)](self.expression(node.left), self.expression(node.right))
            case ast.UnaryOp(op=ast.Not() | ast.Invert()):
                return ~self.expression(node.operand)
            case ast.UnaryOp(op=ast.USub()):
                return -self.expression(node.operand)
            case ast.Compare(ops=operators):
                sides = [node.left, *node.comparators]
                pairs = zip(operators, sides, sides[1:], strict=False)
                return pl.all_horizontal([self.compared(operator, a, b) for operator, a, b in pairs])
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(value=value, attr="str"), attr=method), keywords=[]
            ) if method in _TEXT_METHODS:
                return _TEXT_METHODS[method](self.expression(value).cast(pl.String), *map(self.expression, node.args))
            case ast.Call(func=ast.Attribute(value=value, attr="isin"), args=[values], keywords=[]):
                return self.compared(ast.In(), value, values)
            case ast.Call(func=ast.Attribute(value=value, attr=method), keywords=[]) if method in _METHODS:
                return _METHODS[method](self.expression(value), *map(self.expression, node.args))
        raise self.unsupported(node)

    def compared(self, operator: ast.cmpop, left: ast.expr, right: ast.expr) -> pl.Expr:
        """One comparison; a missing value differs from everything, and is neither smaller nor larger."""
        if not isinstance(operator, (ast.In, ast.NotIn, *_ORDER)):
            raise self.unsupported(ast.Compare(left, [operator], [right]))
        a, b = self.expression(left), self.expression(right)
        if isinstance(operator, ast.In | ast.NotIn):
            name = self.name(left)
            found: pl.Expr = a.is_in(b if name is None else members(b, self.schema[name]).implode())
            return found.fill_null(value=False) if isinstance(operator, ast.In) else ~found.fill_null(value=False)
        if (name := self.name(left)) is not None and not isinstance(b, pl.Expr):
            a, b = comparable(name, a, self.schema[name], b)
        elif (name := self.name(right)) is not None and not isinstance(a, pl.Expr):
            b, a = comparable(name, b, self.schema[name], a)
        compared: pl.Expr = COMPARE[_ORDER[type(operator)]](a, b)
        return compared.fill_null(value=isinstance(operator, ast.NotEq))

    def name(self, node: ast.expr) -> str | None:
        """The column that something in the condition is, if it is one."""
        match node:
            case ast.Name(id=name):
                return self.names.get(name, name)
            case ast.Call(func=ast.Name(id="col"), args=[ast.Constant(value=str(name))]):
                return name
        return None

    def unsupported(self, node: ast.expr) -> _UnsupportedError:
        return _UnsupportedError(
            f"The row_condition {self.text!r} uses {ast.unparse(node)!r}, which is not supported; write it in SQL."
        )
