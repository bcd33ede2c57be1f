"""Constants of a declaration, brought to the type of the column that they are compared with."""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl
from dateutil import parser  # type: ignore[import-untyped]

from expectations.polars_engine.errors import PolarsEngineError

_MOST_DIGITS = 38  # of a decimal in Polars
# A column of nulls only has the type Null: it may be meant as text and as numbers alike.
_TEXT = (pl.String, pl.Categorical, pl.Enum, pl.Null)


COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def is_text(dtype: pl.DataType) -> bool:
    """Whether values of a type are text to a person: strings, categories, enums."""
    return isinstance(dtype, _TEXT)


def is_number(dtype: pl.DataType) -> bool:
    """Whether values of a type can be compared with numbers; pandas counts booleans among them."""
    return dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)


def wide(numbers: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Numbers in a type in which sums neither wrap round nor lose digits that the numbers have."""
    if dtype.is_decimal():
        return numbers
    whole = dtype.is_integer() or dtype == pl.Boolean
    return numbers.cast(pl.Int128 if whole else pl.Float64)


def comparable(  # noqa: PLR0911 - one branch a type
    name: str, column: pl.Expr, dtype: pl.DataType, value: Any
) -> tuple[pl.Expr, pl.Expr]:
    """A column and a constant, both of a type in which they can be compared.

    Raises:
        PolarsEngineError: Values of the column can never compare with the constant.
    """
    if dtype == pl.Null:
        return column.cast(pl.Boolean), pl.lit(value=True)
    if is_text(dtype) and isinstance(value, str):
        return column.cast(pl.String), pl.lit(value)
    if isinstance(value, bool) and dtype == pl.Boolean:
        return column, pl.lit(value)
    if is_number(dtype) and isinstance(value, int | float | Decimal):
        return _numeric(column, dtype, value)
    if isinstance(dtype, pl.Datetime | pl.Date):
        moment = as_moment(value)
        if moment is not None:
            unit = dtype.time_unit if isinstance(dtype, pl.Datetime) else "us"
            zone = dtype.time_zone if isinstance(dtype, pl.Datetime) else None
            column = column if isinstance(dtype, pl.Datetime) else column.cast(pl.Datetime("us"))
            return column, pl.lit(_in_zone(moment, zone)).cast(pl.Datetime(unit, zone))
    if dtype == pl.Time and isinstance(value, str | dt.time):
        return column, pl.lit(dt.time.fromisoformat(value) if isinstance(value, str) else value)
    if dtype == pl.Duration and isinstance(value, dt.timedelta):
        return column, pl.lit(value)
    raise PolarsEngineError(
        f"Column '{name}' of type {dtype} cannot be compared with {value!r} ({type(value).__name__}); "
        "give a value of the column's type, or cast the column."
    )


def _numeric(column: pl.Expr, dtype: pl.DataType, value: float | Decimal) -> tuple[pl.Expr, pl.Expr]:
    if isinstance(dtype, pl.Decimal):
        # As written: 0.1 in a declaration means a tenth, not the nearest binary fraction.
        if isinstance(value, float) and not math.isfinite(value):
            return column.cast(pl.Float64), pl.lit(value, dtype=pl.Float64)
        return column, pl.lit(Decimal(str(value)))
    if dtype.is_integer() and not isinstance(value, int) and math.isfinite(value):
        if value == int(value):
            # Beyond 2^53 a float no longer tells neighbouring integers apart, so both sides are compared as integers.
            value = int(value)
        elif isinstance(value, Decimal) and (scale := -int(value.as_tuple().exponent)) <= _MOST_DIGITS - 20:
            return column.cast(pl.Decimal(_MOST_DIGITS, scale)), pl.lit(value, dtype=pl.Decimal(_MOST_DIGITS, scale))
    if isinstance(value, float | Decimal) or dtype.is_float():
        return column.cast(pl.Float64), pl.lit(float(value), dtype=pl.Float64)
    if dtype.is_integer():
        low, high = _bounds(dtype)
        if low <= value <= high:
            return column, pl.lit(value, dtype=dtype)
    # Wide enough for a constant that the column's own type cannot hold.
    return column.cast(pl.Int128), pl.lit(int(value), dtype=pl.Int128)


def as_moment(value: Any) -> dt.datetime | None:
    """A moment from a datetime, a date or text, else None."""
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the column's zone is added later
    if isinstance(value, str):
        try:
            moment: dt.datetime = parser.parse(value)
        except (ValueError, OverflowError):
            return None
        return moment
    return None


def _in_zone(moment: dt.datetime, zone: str | None) -> dt.datetime | pl.Expr:
    if zone is None:
        return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
    from zoneinfo import ZoneInfo

    return moment.replace(tzinfo=ZoneInfo(zone)) if moment.tzinfo is None else moment.astimezone(ZoneInfo(zone))


def members(values: Iterable[Any], dtype: pl.DataType) -> pl.Series:
    """Those of the values that a column of this type can hold, without nulls.

    A value of another type is equal to none of the column's, so it is left out: the text "1" is not the number 1.
    """
    kept = [found for value in values if (found := member(value, dtype)) is not None]
    return pl.Series("members", kept, dtype=member_type(dtype))


def member_type(dtype: pl.DataType) -> pl.DataType:
    """The type in which values of a column are compared with a set: text of every kind as strings."""
    return pl.String() if is_text(dtype) else dtype


def member(value: Any, dtype: pl.DataType) -> Any:  # noqa: C901, PLR0911 - one line a type
    """The value as a column of this type would hold it; None when it cannot.

    Raises:
        PolarsEngineError: Values of the type are made of values.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if is_text(dtype):
        return value if isinstance(value, str) else None
    if dtype == pl.Boolean:
        return bool(value) if isinstance(value, int | float) and value in (0, 1) else None
    if dtype.is_integer():
        if not isinstance(value, int | float | Decimal) or not math.isfinite(value) or value != int(value):
            return None
        low, high = _bounds(dtype)
        return int(value) if low <= int(value) <= high else None
    if dtype.is_float():
        return float(value) if isinstance(value, int | float | Decimal) else None
    if isinstance(dtype, pl.Decimal):
        return _as_decimal(value, dtype)
    if isinstance(dtype, pl.Datetime):
        moment = as_moment(value)
        return None if moment is None else _in_zone(moment, dtype.time_zone)
    if dtype == pl.Date:
        moment = as_moment(value)
        return moment.date() if moment is not None and moment.time() == dt.time() else None
    if dtype == pl.Time:
        return value if isinstance(value, dt.time) else None
    if dtype == pl.Duration:
        return value if isinstance(value, dt.timedelta) else None
    if dtype == pl.Binary:
        return value if isinstance(value, bytes) else None
    raise PolarsEngineError(f"Values of type {dtype} cannot be compared with a set; compare a field of theirs.")


@functools.cache
def _bounds(dtype: pl.DataType) -> tuple[int, int]:
    limits = pl.select(low=dtype.min(), high=dtype.max())  # type: ignore[attr-defined]
    return int(limits["low"][0]), int(limits["high"][0])


def _as_decimal(value: Any, dtype: pl.Decimal) -> Decimal | None:
    if not isinstance(value, int | float | Decimal):
        return None
    try:
        exact = Decimal(str(value))
        quantized = exact.quantize(Decimal(1).scaleb(-dtype.scale))
    except InvalidOperation:
        return None
    return quantized if quantized == exact else None
