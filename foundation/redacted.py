"""Errors without the values that they were raised over: those may be a person's, and what is logged is kept."""

from __future__ import annotations

import re
import traceback

# What libraries quote of the data that they choke on stands in brackets or in quotes: `invalid literal for int() with
# base 10: 'ann'`, `conversion from `str` to `f64` failed in column 'x' for 1 out of 2 values: ["ann"]`.
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
# Types stand in backticks. A bare word with a digit or an `@` is one that a program put into its message.
_QUOTED = re.compile(r"`[^`]*`|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\S*[\d@]\S*")
_COLUMN = re.compile(r"(?:column|field|name|dtype)s?:?\s+\(?$", re.IGNORECASE)


def without_values(error: BaseException) -> str:
    """An error in one line: its type and message, without what may have been taken from the data.

    An error of the project's own is told as it is: it names columns, days and fixes. Of any other, which may quote what
    it was raised over, all that stands in brackets or quotes is left out, but for what is named as a column; so are
    words with digits.

    Args:
        error: What was raised.

    >>> without_values(ValueError("invalid literal for int() with base 10: 'ann@shop.example'"))
    'ValueError: invalid literal for int() with base … …'
    """
    text = str(error).strip()
    if _is_own(error):
        return f"{type(error).__name__}: {text}"
    # Below the first line stand plans and contexts, with literals of their own.
    first = text.split("\n", maxsplit=1)[0]
    return f"{type(error).__name__}: {_QUOTED.sub(_unless_a_column, _BRACKETS.sub('…', first))}".rstrip(": ")


def frames_of(error: BaseException) -> str:
    """Where an error was raised: files, lines and code, without messages."""
    return "Traceback (most recent call last):\n" + "".join(traceback.format_tb(error.__traceback__))


def _is_own(error: BaseException) -> bool:
    own = __name__.split(".", maxsplit=1)[0]
    return type(error).__module__.split(".", maxsplit=1)[0] in {own, *_OWN} or isinstance(error, OSError)


_OWN = ("assets", "crawlers", "expectations", "orchestration", "training")


def _unless_a_column(match: re.Match[str]) -> str:
    is_a_type = match[0].startswith("`")
    return match[0] if is_a_type or _COLUMN.search(match.string[: match.start()]) else "…"
