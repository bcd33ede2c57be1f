"""What can be wrong with a declaration of labels, or with what a labelling function returns."""

from collections.abc import Iterable
from difflib import get_close_matches


class LabelsError(ValueError):
    """A declaration of labels that cannot be met; the message names the subject, the culprit and the fix."""


class LabelModelError(RuntimeError):
    """The label model could not be fitted to these votes; labels fall back on the majority vote."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the end of a message: the nearest known word, or all of them where none is near.

    >>> nearest("engagd", ["ignored", "engaged"])
    "; did you mean 'engaged'?"
    >>> nearest("x", ["ignored", "engaged"])
    '; known: engaged, ignored.'
    """
    words = sorted(known)
    near = get_close_matches(word, words, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known: {', '.join(words)}." if words else "."


def first_line(error: BaseException) -> str:
    """Return what an error says, without the query plan that Polars adds to it."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
