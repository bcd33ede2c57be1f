"""Snorkel's label model: functions are weighed by how they agree with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assets.labeling.class_balance import balance_from_votes
from assets.labeling.errors import LabelModelError
from assets.labeling.majority import Floats, Matrix, vote_shares
from assets.labeling.method import LabelMethod, Outcome, Window, register_method

if TYPE_CHECKING:
    from assets.labeling.spec import LabelsSpec

FEWEST_FUNCTIONS = 3
"""The label model learns from how functions agree pair by pair; two of them do not tell who is right."""


@register_method("label_model")
class LabelModel(LabelMethod):
    """Probabilities by the label model, fitted on the window; see `assets.labeling.label_model`."""

    def check(self, spec: LabelsSpec) -> None:
        """There are functions enough, and something to weigh against."""
        if len(spec.functions) < FEWEST_FUNCTIONS:
            raise spec.fail(
                f"the label model needs at least {FEWEST_FUNCTIONS} labelling functions, and {len(spec.functions)} "
                "declared; add some, or declare `method: majority_vote`."
            )
        known = [function.polarity for function in spec.functions]
        silent = [label for label in spec.labels if all(votes is not None and label not in votes for votes in known)]
        if silent:
            raise spec.fail(
                f"no labelling function votes '{silent[0]}', so the label model would have nothing to weigh "
                f"against; add a function that votes it{', remove the label' if len(spec.labels) > 2 else ''}, "
                "or declare `method: majority_vote`."
            )

    def class_balance(self, patterns: Matrix, rows: Matrix, cardinality: int) -> tuple[Floats, str]:
        """Estimated from the votes: without it the model would assume equal shares."""
        return balance_from_votes(patterns, rows, cardinality)

    def outcome(self, window: Window, patterns: Matrix, class_balance: Floats, spec: LabelsSpec) -> Outcome:
        """The model's probabilities.

        A label that nobody votes in the window gets no probability, and a function that never votes no part in the
        model: nothing could be learned of either.
        """
        if why := _why_not(window, spec):
            raise LabelModelError(why)
        try:
            return _fit(window, patterns, class_balance, spec)
        except LabelModelError as error:
            raise LabelModelError(f"the label model could not be fitted: {error}") from error


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
    return Outcome(scores, "label_model", accuracies)


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
