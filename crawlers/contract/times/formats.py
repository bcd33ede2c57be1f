"""From what a declaration writes to a time format."""

from __future__ import annotations

from crawlers.contract.times.pattern import Pattern, pattern
from crawlers.contract.times.registry import TIME_FORMATS, TimeFormat
from foundation.located import LocatedError
from foundation.nearest import hint


def time_format(spelling: str) -> TimeFormat | Pattern:
    """The format that a declaration names or spells.

    Raises:
        LocatedError: there is none of that name, or the pattern cannot be read exactly.
    """
    if spelling in TIME_FORMATS:
        return TIME_FORMATS[spelling]
    if "%" not in spelling:
        raise LocatedError(
            f"format '{spelling}' is neither known nor a strptime pattern such as '%Y-%m-%d'; "
            f"{hint(spelling, TIME_FORMATS)}"
        )
    return pattern(spelling)


def check_format(spelling: str) -> None:
    """Refuse a format that cannot be read; see `time_format`."""
    time_format(spelling)
