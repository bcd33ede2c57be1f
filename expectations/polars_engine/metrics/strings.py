"""The text of values: its length and the patterns in it."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Sequence

import polars as pl

from expectations.polars_engine.bundle import Aggregate, Work
from expectations.polars_engine.domain import Column
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.providers import column_aggregate_metric, column_map_metric
from expectations.polars_engine.text import by_distinct_value

LENGTHS = ("min_value", "max_value", "strict_min", "strict_max")


@column_map_metric("column_values.value_length.equals", keys=("value",))
def length_equals(column: Column, value: float) -> pl.Expr:
    """Expected: text of so many characters (code points)."""
    return column.text.str.len_chars() == value


@column_map_metric("column_values.value_length.between", keys=LENGTHS)
def length_between(
    column: Column,
    min_value: float | None = None,
    max_value: float | None = None,
    *,
    strict_min: bool | None = None,
    strict_max: bool | None = None,
) -> pl.Expr:
    """Expected: text with a number of characters within the bounds."""
    if min_value is None and max_value is None:
        raise PolarsEngineError(f"{column.metric} on '{column.name}' needs a min_value or a max_value.")
    length = column.text.str.len_chars().cast(pl.Int64)
    parts = []
    if min_value is not None:
        parts.append(length > min_value if strict_min else length >= min_value)
    if max_value is not None:
        parts.append(length < max_value if strict_max else length <= max_value)
    return pl.all_horizontal(parts)


@column_aggregate_metric("column_values.length.min")
def shortest(column: Column) -> Work:
    """The length of the shortest text."""
    column.need_text()
    return Aggregate(column.domain.frame, (column.values.cast(pl.String).str.len_chars().min(),))


@column_aggregate_metric("column_values.length.max")
def longest(column: Column) -> Work:
    """The length of the longest text."""
    column.need_text()
    return Aggregate(column.domain.frame, (column.values.cast(pl.String).str.len_chars().max(),))


def matches(column: Column, regex: str) -> pl.Expr:
    """Whether a regular expression is found somewhere in a value's text.

    Rust's engine, unless the expression has what that lacks (look-around, back-references) or reads otherwise: then
    Python's, on the distinct values of each chunk. Where the two differ on some texts only, those texts are Python's.
    """
    try:
        with warnings.catch_warnings():
            # That a later Python may read it otherwise is no news about the data.
            warnings.simplefilter("ignore", FutureWarning)
            compiled = re.compile(regex)
    except re.error as error:
        raise PolarsEngineError(
            f"{column.metric} on '{column.name}': {regex!r} is no regular expression: {error}"
        ) from None
    rust = _for_rust(regex)
    text = column.text

    def found(value: str) -> bool:
        return compiled.search(value) is not None

    if rust is None:
        return by_distinct_value(text, found, pl.Boolean())
    if (disputed := _disputed(regex, compiled)) is None:
        return text.str.contains(rust)
    others = text.str.contains(disputed)
    python = by_distinct_value(pl.when(others).then(text), found, pl.Boolean())
    return pl.when(others).then(python).otherwise(text.str.contains(rust))


_CLASSES = re.compile(r"\\[wWdDsSbB]")
_IGNORES_CASE = re.compile(r"\(\?[a-zA-Z]*i")
_SPACES = re.compile(r"\\[sS]")


def _disputed(regex: str, compiled: re.Pattern[str]) -> str | None:
    """A class of characters, in Rust, whose texts the two engines may see differently; None when there are none.

    To Rust a word has combining marks, to Python it has not. Ignoring case, Rust folds İ to itself and Python to i. And
    four separators of ASCII are spaces to Python only.
    """
    ignores_case = bool(compiled.flags & re.IGNORECASE or _IGNORES_CASE.search(regex))
    if not ignores_case and not _CLASSES.search(regex):
        return None
    return r"[^\x00-\x1B\x20-\x7F]" if _SPACES.search(regex) else r"[^\x00-\x7F]"


# What Rust reads in another sense than Python: operations on classes, classes in classes, repetitions without a least.
_OTHERWISE = re.compile(r"&&|--|~~|\[[^\]]*\[|\{,")
_MULTILINE = re.compile(r"\(\?[a-zA-Z]*m")
# Escapes and classes, in which a dollar sign is one; and the dollar signs that are not.
_DOLLAR = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<last>\$(?=[|)]|\Z))|(?P<other>\$)", re.DOTALL)


@functools.cache
def _for_rust(regex: str) -> str | None:
    """The expression as Rust's engine must have it to find what Python's finds; None when it cannot."""
    if _OTHERWISE.search(regex):
        return None
    # Of a character outside ASCII in the expression itself, the cases may be others on texts of ASCII, too.
    if "(?" in regex and not regex.isascii():
        return None
    if not _MULTILINE.search(regex):
        if any(found["other"] for found in _DOLLAR.finditer(regex)):
            return None
        # The end, in Python, is before a last line break as well.
        regex = _DOLLAR.sub(lambda found: r"(?:\n?\z)" if found["last"] else found[0], regex)
    try:
        pl.Series([""]).str.contains(regex)
    except pl.exceptions.ComputeError:
        return None
    return regex


@column_map_metric("column_values.match_regex", keys=("regex",))
def match(column: Column, regex: str) -> pl.Expr:
    """Expected: text in which the expression is found."""
    return matches(column, regex)


@column_map_metric("column_values.not_match_regex", keys=("regex",))
def not_match(column: Column, regex: str) -> pl.Expr:
    """Expected: text in which the expression is not found."""
    return ~matches(column, regex)


@column_map_metric("column_values.match_regex_list", keys=("regex_list", "match_on"))
def match_list(column: Column, regex_list: Sequence[str], match_on: str = "any") -> pl.Expr:
    """Expected: text in which any, or all, of the expressions are found."""
    return _any_or_all([matches(column, regex) for regex in regex_list], match_on)


@column_map_metric("column_values.not_match_regex_list", keys=("regex_list",))
def not_match_list(column: Column, regex_list: Sequence[str]) -> pl.Expr:
    """Expected: text in which none of the expressions is found."""
    return ~pl.any_horizontal([matches(column, regex) for regex in regex_list])


def like(column: Column, pattern: str, escape: str | None = None) -> pl.Expr:
    """Whether the whole text matches a pattern of SQL's LIKE: % for any text, _ for one character."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if escape is not None and character == escape and position + 1 < len(pattern):
            position += 1
            parts.append(re.escape(pattern[position]))
        else:
            parts.append({"%": ".*", "_": "."}.get(character, re.escape(character)))
        position += 1
    return column.text.str.contains(f"(?s)^{''.join(parts)}$")


@column_map_metric("column_values.match_like_pattern", keys=("like_pattern", "escape"))
def match_like(column: Column, like_pattern: str, escape: str | None = None) -> pl.Expr:
    """Expected: text like the pattern."""
    return like(column, like_pattern, escape)


@column_map_metric("column_values.not_match_like_pattern", keys=("like_pattern", "escape"))
def not_match_like(column: Column, like_pattern: str, escape: str | None = None) -> pl.Expr:
    """Expected: text unlike the pattern."""
    return ~like(column, like_pattern, escape)


@column_map_metric("column_values.match_like_pattern_list", keys=("like_pattern_list", "match_on", "escape"))
def match_like_list(
    column: Column, like_pattern_list: Sequence[str], match_on: str | None = "any", escape: str | None = None
) -> pl.Expr:
    """Expected: text like any, or all, of the patterns."""
    return _any_or_all([like(column, pattern, escape) for pattern in like_pattern_list], match_on or "any")


@column_map_metric("column_values.not_match_like_pattern_list", keys=("like_pattern_list", "escape"))
def not_match_like_list(column: Column, like_pattern_list: Sequence[str], escape: str | None = None) -> pl.Expr:
    """Expected: text unlike all of the patterns."""
    return ~pl.any_horizontal([like(column, pattern, escape) for pattern in like_pattern_list])


def _any_or_all(parts: Sequence[pl.Expr], match_on: str) -> pl.Expr:
    if match_on not in ("any", "all"):
        raise PolarsEngineError(f"match_on cannot be {match_on!r}; choose any or all.")
    return pl.any_horizontal(parts) if match_on == "any" else pl.all_horizontal(parts)
