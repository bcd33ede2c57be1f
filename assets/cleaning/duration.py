"""Durations as declarations write them: `30m`, `1d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PATTERN = re.compile(r"(\d+)([smhd])")


def parse_duration(text: str) -> timedelta:
    """The length of a duration.

    >>> parse_duration("30m")
    datetime.timedelta(seconds=1800)
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a duration; write a whole number and s, m, h or d, such as 30m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _check(text: str) -> str:
    parse_duration(text)
    return text


Duration = Annotated[str, AfterValidator(_check)]
"""A duration in a declaration, kept as written."""
