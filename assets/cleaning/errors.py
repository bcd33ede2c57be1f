"""What can be wrong with a cleaning declaration."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CleaningError(Exception):
    """A table's declaration does not fit its sources; the message names table, step, culprit and fix."""


class StepError(CleaningError):
    """A step does not fit the columns that it meets; the message names the culprit and the fix, not yet the table."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the nearest right one, or all of them.

    >>> nearest("usr_id", ["user_id", "ts"])
    "did you mean 'user_id'?"
    """
    words = list(known)
    near = difflib.get_close_matches(word, words, n=1)
    return f"did you mean '{near[0]}'?" if near else f"there are {', '.join(words) or 'none'}"
