"""The directives of time patterns, with the meaning that Python's `strptime` gives them, in English.

Besides those of Python there are the spellings of C and of chrono that mean the same: `%-H`, `%_H`, `%k`, `%e`, `%T`.
Those whose meaning depends on a locale, or that no date follows from, are refused.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass

MONTHS = tuple(calendar.month_name[1:])
DAYS = tuple(calendar.day_name)


@dataclass(frozen=True)
class Directive:
    """What a directive stands for.

    Attributes:
        part: what it says of a time: `year`, `short_year`, `month`, `named_month`, `day`, `day_of_year`, `hour`,
            `half_day_hour`, `half`, `minute`, `second`, `fraction`, `point_fraction`, `offset`, `zone_name`; nothing
            for what is only passed over.
        pattern: a regular expression without groups that capture, tried from its first alternative on.
        padded: the same for texts of the usual width, which the fast path takes; nothing when it takes none.
        fast: how the fast path's parser spells the directive.
    """

    part: str | None
    pattern: str
    padded: str | None = None
    fast: str | None = None


def _names(names: tuple[str, ...]) -> str:
    # The longest first, as Python tries them.
    return "|".join(sorted(names, key=len, reverse=True))


_SHORT_MONTHS = tuple(name[:3] for name in MONTHS)
_DAY = Directive("day", "3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9]", "3[0-1]|[1-2][0-9]|0[1-9]", "%d")
_HOUR = Directive("hour", "2[0-3]|[0-1][0-9]|[0-9]", "2[0-3]|[0-1][0-9]", "%H")
_HALF_DAY_HOUR = Directive("half_day_hour", "1[0-2]|0[1-9]|[1-9]", "1[0-2]|0[1-9]", "%I")
_OFFSET = Directive(
    "offset",
    r"[+-][0-9]{2}:?[0-5][0-9](?::?[0-5][0-9](?:\.[0-9]{1,6})?)?|(?-i:Z)",
    "[+-](?:[0-1][0-9]|2[0-3]):?[0-5][0-9]",
    "%z",
)
_SHORT_MONTH = Directive("named_month", _names(_SHORT_MONTHS), "|".join(_SHORT_MONTHS), "%b")

DIRECTIVES: Mapping[str, Directive] = {
    "Y": Directive("year", "[0-9]{4}", "[0-9]{4}", "%Y"),
    "y": Directive("short_year", "[0-9]{2}"),
    "m": Directive("month", "1[0-2]|0[1-9]|[1-9]", "1[0-2]|0[1-9]", "%m"),
    "b": _SHORT_MONTH,
    "h": _SHORT_MONTH,
    "B": Directive("named_month", _names(MONTHS), "|".join(MONTHS), "%B"),
    "d": _DAY,
    "e": _DAY,
    "j": Directive("day_of_year", "36[0-6]|3[0-5][0-9]|[1-2][0-9]{2}|0[1-9][0-9]|00[1-9]|[1-9][0-9]|0[1-9]|[1-9]"),
    "a": Directive(None, _names(tuple(name[:3] for name in DAYS))),
    "A": Directive(None, _names(DAYS)),
    "H": _HOUR,
    "k": Directive("hour", f"{_HOUR.pattern}| [0-9]"),
    "I": _HALF_DAY_HOUR,
    "l": Directive("half_day_hour", f"{_HALF_DAY_HOUR.pattern}| [1-9]"),
    "p": Directive("half", "AM|PM", "AM|PM", "%p"),
    "M": Directive("minute", "[0-5][0-9]|[0-9]", "[0-5][0-9]", "%M"),
    "S": Directive("second", "6[0-1]|[0-5][0-9]|[0-9]", "[0-5][0-9]", "%S"),
    "f": Directive("fraction", "[0-9]{1,6}", "[0-9]{6}", "%6f"),
    "3f": Directive("fraction", "[0-9]{3}"),
    "6f": Directive("fraction", "[0-9]{6}", "[0-9]{6}", "%6f"),
    "9f": Directive("fraction", "[0-9]{9}"),
    ".f": Directive("point_fraction", r"(?:\.[0-9]{1,9})?"),
    ".3f": Directive("point_fraction", r"\.[0-9]{3}"),
    ".6f": Directive("point_fraction", r"\.[0-9]{6}"),
    ".9f": Directive("point_fraction", r"\.[0-9]{9}"),
    "z": _OFFSET,
    ":z": _OFFSET,
    "#z": Directive("offset", rf"{_OFFSET.pattern}|[+-][0-9]{{2}}"),
    "Z": Directive("zone_name", "[A-Za-z]{1,5}"),
}

#: Written for several others.
COMPOSED: Mapping[str, str] = {
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "R": "%H:%M",
    "D": "%m/%d/%y",
    "r": "%I:%M:%S %p",
    "n": "\n",
    "t": "\t",
    # Numbers without padding, or padded with spaces or zeros; the plain directives take the first and the last.
    **{f"-{letter}": f"%{letter}" for letter in "dmHIMSyj"},
    **{f"0{letter}": f"%{letter}" for letter in "dmHIMSyj"},
    "_d": "%e",
    "-e": "%e",
    "_H": "%k",
    "_I": "%l",
    "-k": "%H",
    "-l": "%I",
}

#: Why a directive that other tools know is not read.
REFUSED: Mapping[str, str] = {
    "c": "its spelling depends on a locale; write it out",
    "x": "its spelling depends on a locale; write it out",
    "X": "its spelling depends on a locale; write it out",
    "s": "it counts seconds; use the named format epoch_s",
    "+": "it is ISO 8601; use the named format iso8601",
    "v": "write %e-%b-%Y",
    "C": "a century alone gives no year",
    "P": "write %p, which takes am and pm in either case",
    **dict.fromkeys("GVgUWuw", "dates of weeks are not read; have the source send a date"),
}
