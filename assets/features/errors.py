"""What can be wrong with a declaration of features, or with the days that it is asked about."""

from collections.abc import Iterable
from difflib import get_close_matches


class FeaturesError(ValueError):
    """A declaration of features that cannot be met; the message names the fix."""


class NoExamplesError(FeaturesError):
    """A window of days without one example."""


class NoPositivesError(FeaturesError):
    """A window of days without one positive label: nothing could be learned."""


class TooFewDaysError(FeaturesError):
    """A window with fewer days of examples than the split needs."""


class MissingCatalogueError(FeaturesError):
    """A feature of the catalogue was asked for without the catalogue, or without its key."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest known word, or the known words where none is near."""
    words = sorted(known)
    near = get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known: {', '.join(words)}." if words else "."
