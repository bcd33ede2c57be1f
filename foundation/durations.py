"""Durations as declarations write them: `30m`, `1d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def parse_duration(text: str) -> timedelta:
    """The length of a duration.

    Raises:
        ValueError: It is not one.

    >>> parse_duration("30m")
    datetime.timedelta(seconds=1800)
    """
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a duration; write a number and one of s, m, h, d, w, such as 30m or 28d")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def format_duration(length: timedelta) -> str:
    """A duration as declarations write it, in the largest unit that leaves no rest; never in weeks.

    >>> format_duration(timedelta(days=28))
    '28d'
    >>> format_duration(timedelta(seconds=90))
    '90s'
    """
    seconds = length.total_seconds()
    unit = next(unit for unit in "dhms" if unit == "s" or (seconds and seconds % _SECONDS[unit] == 0))
    count = seconds / _SECONDS[unit]
    return f"{int(count) if count.is_integer() else count}{unit}"


def parse_days(text: str) -> int:
    """The whole number of days of a duration such as `28d`.

    Raises:
        ValueError: It is no duration, or not of whole days.
    """
    return _whole_days(parse_duration(text)).days


def _read(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _whole_days(value: timedelta) -> timedelta:
    if value.seconds or value.microseconds or value < timedelta(0):
        raise ValueError(f"{format_duration(value)} is not a whole number of days; write it as 1d, 7d or 28d")
    return value


def _a_day_at_least(value: timedelta) -> timedelta:
    if value < timedelta(days=1):
        raise ValueError(f"{format_duration(value)} is less than a day; write it as 1d, 7d or 28d")
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(_read, json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
]
"""A duration in a declaration; serialised as it is written in YAML."""

WholeDays = Annotated[Duration, AfterValidator(_whole_days)]
"""A duration of whole days, of none at all too."""

Days = Annotated[WholeDays, AfterValidator(_a_day_at_least)]
"""A duration of one or more whole days."""
