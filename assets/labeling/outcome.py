"""The choice between the label model and the majority vote, and what comes of it for each pattern of votes."""

from dataclasses import dataclass, field

import numpy as np

from assets.labeling.errors import LabelModelError
from assets.labeling.majority import Floats, Matrix, vote_shares
from assets.labeling.spec import FEWEST_FUNCTIONS, LabelsSpec


@dataclass(frozen=True)
class Window:
    """Distinct patterns of votes that the label model learns from.

    Attributes:
        patterns: One pattern a row, -1 abstains.
        rows: How many units have each.
        labels: Indices of the labels that somebody votes.
        functions: Indices of the functions that vote at all.
    """

    patterns: Matrix
    rows: Matrix
    labels: Matrix = field(init=False)
    functions: Matrix = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", np.unique(self.patterns[self.patterns >= 0]))
        object.__setattr__(self, "functions", np.flatnonzero((self.patterns >= 0).any(axis=0)))

    def reduced(self, patterns: Matrix) -> Matrix:
        """Patterns of the functions that vote, with labels renumbered to those that are voted."""
        active = patterns[:, self.functions]
        return np.asarray(np.where(active >= 0, np.searchsorted(self.labels, active), -1), dtype=np.int64)


@dataclass(frozen=True)
class Outcome:
    """What the votes come to.

    Attributes:
        scores: Probability of each label (column) for each pattern (row); meaningless where nobody votes.
        accuracies: Learned accuracy of each function, NaN for one that never voted; None by majority vote.
        why: Why the majority decided although the label model was to; else empty.
    """

    scores: Floats
    accuracies: Floats | None = None
    why: str = ""


def find_outcome(window: Window, patterns: Matrix, class_balance: Floats, spec: LabelsSpec) -> Outcome:
    """Score patterns by the label model fitted on a window, or by shares of votes where it cannot be.

    A label that nobody votes in the window gets no probability, and a function that never votes no part in the model:
    nothing could be learned of either.
    """
    why = "" if spec.method == "majority_vote" else _why_not(window, spec)
    if not why and spec.method == "label_model":
        try:
            return _fit(window, patterns, class_balance, spec)
        except LabelModelError as error:
            why = f"the label model could not be fitted: {error}"
    return Outcome(vote_shares(patterns, len(spec.labels)), why=why)


def _why_not(window: Window, spec: LabelsSpec) -> str:
    covered = (window.patterns >= 0).any(axis=1)
    covered_rows = int(window.rows[covered].sum())
    if covered_rows < spec.minimum_rows_to_fit:
        return f"{covered_rows} units have a vote, fewer than {spec.minimum_rows_to_fit} (minimum_rows_to_fit)"
    if len(window.labels) < 2:
        return f"every vote is for '{spec.labels[int(window.labels[0])]}', so there is nothing to weigh against"
    if len(window.functions) < FEWEST_FUNCTIONS:
        return f"{len(window.functions)} functions vote, and the label model needs {FEWEST_FUNCTIONS}"
    if int(covered.sum()) < 2:
        return "all units with a vote have the same votes"
    return ""


def _fit(window: Window, patterns: Matrix, class_balance: Floats, spec: LabelsSpec) -> Outcome:
    from assets.labeling.random_state import preserved_random_state

    kept = (window.patterns >= 0).any(axis=1) | (spec.fit_on == "all")
    share = class_balance[window.labels]
    with preserved_random_state():
        from assets.labeling.label_model import fit

        fitted = fit(
            window.reduced(window.patterns[kept]),
            window.rows[kept],
            class_balance=share / share.sum(),
            seed=spec.seed,
            epochs=spec.epochs,
        )
    _refuse_swapped_labels(window, fitted.probabilities(window.reduced(window.patterns)))
    scores = np.zeros((len(patterns), len(spec.labels)))
    scores[:, window.labels] = fitted.probabilities(window.reduced(patterns))
    accuracies = np.full(len(spec.functions), np.nan)
    accuracies[window.functions] = fitted.accuracies
    return Outcome(scores, accuracies)


def _refuse_swapped_labels(window: Window, probabilities: Floats) -> None:
    """Votes alone do not tell a model from its mirror image, in which every function is worse than chance.

    Functions are written to be better than chance, so a model that contradicts the majority more often than chance
    would has found the mirror image.
    """
    covered = (window.patterns >= 0).any(axis=1)
    reduced = window.reduced(window.patterns[covered])
    majority = vote_shares(reduced, len(window.labels)).argmax(axis=1)
    agrees = probabilities[covered].argmax(axis=1) == majority
    agreement = float(np.average(agrees, weights=window.rows[covered]))
    if agreement < 1 / len(window.labels):
        raise LabelModelError(
            f"it agrees with the majority of votes on {agreement:.0%} of the units only, so it has taken the labels "
            "for one another; add a labelling function that is often right, or remove one that contradicts the others"
        )
