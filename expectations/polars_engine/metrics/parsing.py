"""Text that can be read as something: a moment, JSON, JSON of a schema."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import polars as pl
from dateutil import parser  # type: ignore[import-untyped]

from expectations.polars_engine.domain import Column
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.providers import column_map_metric
from expectations.polars_engine.text import by_distinct_value

# Fields that strptime and Rust's chrono read alike once their digits are all there.
_DIGITS = {"%Y": r"\d{4}", "%m": r"\d{2}", "%d": r"\d{2}", "%H": r"\d{2}", "%M": r"\d{2}", "%S": r"\d{2}"}


@column_map_metric("column_values.match_strftime_format", keys=("strftime_format",))
def match_strftime(column: Column, strftime_format: str) -> pl.Expr:
    """Expected: text that Python's strptime reads by the format."""
    column.need_text()
    text = column.text
    try:
        dt.datetime.strptime(dt.datetime(2000, 1, 2, tzinfo=dt.UTC).strftime(strftime_format), strftime_format)  # noqa: DTZ007
    except ValueError as error:
        raise PolarsEngineError(
            f"{column.metric} on '{column.name}': {strftime_format!r} is no format: {error}"
        ) from None

    def reads(value: str) -> bool:
        return _reads(value, strftime_format)

    fast = _plainly_reads(text, strftime_format)
    # Python is asked only about what is not obviously right; null takes the fast path, so nothing is asked about it.
    if fast is None:
        return by_distinct_value(text, reads, pl.Boolean())
    return fast | by_distinct_value(pl.when(~fast).then(text), reads, pl.Boolean())


def _plainly_reads(text: pl.Expr, pattern: str) -> pl.Expr | None:
    """Text with all its digits that is a real moment; None for a format with other fields."""
    fields = [pattern[place : place + 2] for place, character in enumerate(pattern) if character == "%"]
    if not {"%Y", "%m", "%d"} <= set(fields) <= set(_DIGITS) or len(fields) != len(set(fields)):
        return None
    regex = pl.Series([pattern]).str.escape_regex()[0]
    for field, digits in _DIGITS.items():
        regex = regex.replace(field, digits)
    # Python has no year 0 and no second 60 in a moment; chrono knows both.
    real = text.str.strptime(pl.Datetime("us"), pattern, strict=False)
    return text.str.contains(f"^{regex}$") & real.is_not_null() & (real.dt.year() > 0)


def _reads(value: str, pattern: str) -> bool:
    try:
        dt.datetime.strptime(value, pattern)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True


@column_map_metric("column_values.dateutil_parseable")
def dateutil_parseable(column: Column) -> pl.Expr:
    """Expected: text that dateutil reads as a moment."""
    column.need_text()
    return by_distinct_value(column.text, _is_moment, pl.Boolean())


def _is_moment(value: str) -> bool:
    try:
        parser.parse(value)
    except (ValueError, OverflowError):
        return False
    return True


@column_map_metric("column_values.json_parseable")
def json_parseable(column: Column) -> pl.Expr:
    """Expected: text that is JSON."""
    column.need_text()
    return by_distinct_value(column.text, _is_json, pl.Boolean())


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True


@column_map_metric("column_values.match_json_schema", keys=("json_schema",))
def match_json_schema(column: Column, json_schema: Mapping[str, Any]) -> pl.Expr:
    """Expected: JSON that fits the schema."""
    column.need_text()
    kind = jsonschema.validators.validator_for(json_schema)
    try:
        kind.check_schema(json_schema)
    except jsonschema.SchemaError as error:
        raise PolarsEngineError(f"{column.metric} on '{column.name}': the schema is wrong: {error.message}") from None
    validator = kind(json_schema)

    def fits(value: str) -> bool:
        try:
            return bool(validator.is_valid(json.loads(value)))
        except (ValueError, RecursionError):
            return False

    return by_distinct_value(column.text, fits, pl.Boolean())
