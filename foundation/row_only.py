"""Whether an SQL expression looks at one row alone, found in the expression itself.

What a row is worth must not depend on the rows that happen to be computed with it: days are batched in more than one
way. Polars' own `is_row_separable` holds for less than its name says (it is true of `sum(price)`), so the tree that
`Expr.meta.serialize` gives is read, against a list of what is known to look at one row: what is not on it is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

#: Functions that look at one row, by family, as Polars calls them; first those of no family.
_FUNCTIONS: Mapping[str, str] = {
    "": "Abs Atan2 Ceil Clip Coalesce Exp FillNull Floor Log Log1p MaxHorizontal MinHorizontal Negate Round Sign "
    "Truncate",
    "Bitwise": "CountOnes CountZeros LeadingOnes LeadingZeros TrailingOnes TrailingZeros",
    "Boolean": "AllHorizontal AnyHorizontal IsBetween IsFinite IsIn IsInfinite IsNan IsNotNan IsNotNull IsNull Not",
    "ListExpr": "Contains Get Join Length Max Mean Min Slice Sum",
    "Pow": "Cbrt Generic Sqrt",
    "Sql": "Binary IsIn Round ToFloat",
    "StringExpr": "ConcatHorizontal Contains CountMatches EndsWith Extract Find Head LenBytes LenChars Lowercase "
    "Normalize PadEnd PadStart Replace Reverse Slice Split StartsWith StripChars StripCharsEnd StripCharsStart "
    "StripPrefix StripSuffix Strptime Tail Titlecase Uppercase ZFill",
    "StructExpr": "FieldByName",
    "TemporalExpr": "BaseUtcOffset Century Date Datetime Day Hour IsoYear Microsecond Millennium Millisecond Minute "
    "Month Nanosecond OffsetBy OrdinalDay Quarter Second Time TimeStamp ToString TotalDays TotalHours "
    "TotalMicroseconds TotalMilliseconds TotalMinutes TotalNanoseconds TotalSeconds Truncate Week WeekDay Year",
    "Trigonometry": "ArcCos ArcCosh ArcSin ArcSinh ArcTan ArcTanh Cos Cosh Cot Degrees Radians Sin Sinh Tan Tanh",
}
_ROW_BY_ROW = {family: frozenset(names.split()) for family, names in _FUNCTIONS.items()}
_CHILDREN: Mapping[str, tuple[str, ...]] = {
    "BinaryExpr": ("left", "right"),
    "Cast": ("expr",),
    # `sum` is a sum where something is counted: the sum is what the declaration says.
    "Ternary": ("truthy", "predicate", "falsy"),
    # Within, the elements of one row's list are looked at together, which is the row's own affair.
    "Eval": ("expr",),
}
_IN_WORDS: Mapping[str, str] = {
    "Agg": "an aggregate",
    "AnonymousFunction": "a function of its own",
    "Explode": "rows made of a list",
    "Filter": "a filter",
    "Len": "a count of rows",
    "Over": "a window",
    "Selector": "a choice of columns by pattern",
    "SubPlan": "a query of its own",
}
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\w+|\S", re.DOTALL)
_CLOCK = frozenset(["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"])


def beyond_row(expression: pl.Expr) -> str | None:
    """What in an expression looks, or may look, beyond its row: in words; None if nothing does.

    >>> beyond_row(pl.sql_expr("price * 2 > 5 and upper(name) like 'A%'"))
    >>> beyond_row(pl.sql_expr("price > avg(price)"))
    'an aggregate (mean)'
    """
    return next(_beyond(json.loads(expression.meta.serialize(format="json"))), None)


def reads_clock(sql: str) -> str | None:
    """The word in some SQL that stands for the present, such as `now()`, of which an expression keeps the value alone.

    >>> reads_clock("ts > now() and note = 'now()'")
    'now()'
    """
    words: list[str] = [word.lower() for word in _TOKEN.findall(sql)]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in _CLOCK:
            return word
        if word == "now" and following == "(":
            return "now()"
    return None


def _beyond(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield _named(node, None)
        return
    ((kind, content),) = node.items()
    if kind in ("Column", "Literal"):
        return
    if kind == "Alias":
        yield from _beyond(content[0])
    elif kind in _CHILDREN:
        for child in _CHILDREN[kind]:
            yield from _beyond(content[child])
    elif kind == "Function":
        yield from _function(content["function"])
        for argument in content["input"]:
            yield from _beyond(argument)
    else:
        yield _named(kind, content)


def _function(function: Any) -> Iterator[str]:
    family, name = _family_and_name(function)
    if name not in _ROW_BY_ROW.get(family, ()):
        yield f"the function {family and f'{family}.'}{name}"
    elif name == "Strptime" and function[family][name][1]["format"] is None:
        yield "a time whose format is guessed from the rows (give it, as in date(…, '%Y-%m-%d'))"


def _family_and_name(function: Any) -> tuple[str, str]:
    # Of no family: "Abs", {"Truncate": {…}}. Of one: {"Boolean": "Not"}, {"Sql": {"Round": {…}}}.
    if isinstance(function, str):
        return "", function
    ((first, rest),) = function.items()
    if first not in _ROW_BY_ROW:
        return "", first
    return (first, rest) if isinstance(rest, str) else (first, next(iter(rest)))


def _named(kind: str, content: Any) -> str:
    words = _IN_WORDS.get(kind, f"what Polars calls {kind}")
    if kind == "Agg" and isinstance(content, Mapping):
        return f"{words} ({next(iter(content)).lower()})"
    return words
