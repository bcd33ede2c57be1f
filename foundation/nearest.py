"""The nearest right word, for messages about a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST = 20


def nearest(word: object, known: Iterable[object]) -> str | None:
    """The known word that a wrong one was most likely meant to be, or None.

    >>> nearest("usr_id", ["user_id", "ts"])
    'user_id'
    """
    words = [str(each) for each in known]
    text = str(word)
    found = difflib.get_close_matches(text, words, n=1)
    if not found:
        # A capital letter too many is the commonest slip, and counts as another letter above.
        folded = {each.casefold(): each for each in reversed(words)}
        found = [folded[near] for near in difflib.get_close_matches(text.casefold(), list(folded), n=1)]
    return found[0] if found else None


def hint(word: object, known: Iterable[object], *, what: str = "known are") -> str:
    """The end of a message about an unknown word: the nearest right one, or all of them.

    >>> hint("folow", ["start", "follow"])
    "did you mean 'follow'?"
    >>> hint("x", ["start", "follow"])
    'known are: follow, start.'
    >>> hint("x", [], what="declared are")
    'declared are: none.'
    """
    words = sorted({str(each) for each in known})
    near = nearest(word, words)
    if near is not None:
        return f"did you mean '{near}'?"
    shown = ", ".join(words[:_MOST]) or "none"
    return f"{what}: {shown}{f' and {len(words) - _MOST} more' if len(words) > _MOST else ''}."
