"""What the votes come to, by the declared method or by the majority where it can learn nothing."""

from assets.labeling.errors import LabelModelError
from assets.labeling.majority import Floats, Matrix
from assets.labeling.method import METHODS, Outcome, Window
from assets.labeling.spec import LabelsSpec

FALLBACK = "majority_vote"


def find_outcome(window: Window, patterns: Matrix, class_balance: Floats, spec: LabelsSpec) -> Outcome:
    """Score patterns by the declared method, or by shares of votes where it can learn nothing from the window."""
    try:
        return METHODS[spec.method].outcome(window, patterns, class_balance, spec)
    except LabelModelError as error:
        fallback = METHODS[FALLBACK].outcome(window, patterns, class_balance, spec)
        return Outcome(fallback.scores, fallback.by, why=str(error))
