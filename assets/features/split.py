"""The split of a window by time: the last days are never trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from assets.features.errors import TooFewDaysError
from assets.features.spec import FeaturesSpec, days

TRAIN, VALIDATION, TEST = "train", "validation", "test"


@dataclass(frozen=True)
class Split:
    """The days of each part, in order, none in two."""

    train: tuple[date, ...]
    validation: tuple[date, ...]
    test: tuple[date, ...]

    def items(self) -> tuple[tuple[str, tuple[date, ...]], ...]:
        """Return the name and the days of each part."""
        return ((TRAIN, self.train), (VALIDATION, self.validation), (TEST, self.test))


def split_days(present: Sequence[date], spec: FeaturesSpec) -> Split:
    """Return the split of the days that have examples.

    Days without any (a shop that is closed on Saturdays) take no part in the count, or the test could be empty.
    """
    ordered = sorted(set(present))
    validation, test = days(spec.split.validation), days(spec.split.test)
    least = validation + test + 1
    if len(ordered) < least:
        found = ", ".join(day.isoformat() for day in ordered)
        raise TooFewDaysError(
            f"The window of '{spec.name}' has examples on {len(ordered)} days ({found}), and its split needs {least}: "
            f"{test} to test on, {validation} to validate on and at least one to train on. Materialise more days of "
            f"'{spec.name}', widen the model's window, or shorten 'split'."
        )
    return Split(
        train=tuple(ordered[: -validation - test]),
        validation=tuple(ordered[-validation - test : -test]),
        test=tuple(ordered[-test:]),
    )
