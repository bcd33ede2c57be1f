"""Snorkel's label model, fitted on the distinct patterns of votes with their counts.

The only module that imports Snorkel (and with it torch): import it where a label model is fitted, within
`preserved_random_state`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from snorkel.labeling.model.label_model import LabelModel

from assets.labeling.errors import LabelModelError, first_line
from assets.labeling.majority import Floats, Matrix


class PatternLabelModel(LabelModel):  # type: ignore[misc]  # Snorkel has no types
    """`LabelModel` that takes distinct patterns for rows, each standing for many.

    Snorkel learns from three things only: the number of rows, the overlap matrix, which is a mean over rows, and each
    function's coverage. All are had from patterns and counts, to the same bits: the sums are of whole numbers.

    Attributes:
        counts: How many rows each pattern stands for.
    """

    def __init__(self, cardinality: int, counts: Matrix) -> None:
        super().__init__(cardinality=cardinality, verbose=False)
        self.counts = counts

    def _set_constants(self, L: Matrix) -> None:  # noqa: N803 - Snorkel's name
        super()._set_constants(L)
        self.n = int(self.counts.sum())

    def _create_L_ind(self, L: Matrix) -> Floats:  # noqa: N802, N803 - Snorkel's names
        voted = np.zeros((len(L), self.m * self.cardinality))
        for label in range(1, self.cardinality + 1):
            voted[:, (label - 1) :: self.cardinality] = label == L
        return voted

    def _generate_O(self, L: Matrix, higher_order: bool = False) -> None:  # noqa: FBT001, FBT002, N802, N803
        voted = self._get_augmented_label_matrix(L, higher_order=higher_order)
        self.d = voted.shape[1]
        overlaps = (voted * self.counts[:, None]).T @ voted / self.n
        self.O = torch.from_numpy(overlaps).float().to(self.config.device)

    def fit_counts(self, patterns: Matrix, *, class_balance: Floats, seed: int, epochs: int) -> None:
        """Fit the patterns as Snorkel would fit the rows they stand for."""
        self.fit(patterns, class_balance=list(class_balance), n_epochs=epochs, seed=seed, progress_bar=False)
        # `fit` takes the coverage from the rows that it is given.
        self.coverage = ((patterns >= 0) * self.counts[:, None]).sum(axis=0) / self.n


@dataclass(frozen=True)
class Fitted:
    """What a label model learned.

    Attributes:
        parameters: P(function votes label | true label): [functions, labels voted, true labels].
        class_balance: Share of each label.
        accuracies: Learned accuracy of each function where it votes.
    """

    parameters: Floats
    class_balance: Floats
    accuracies: Floats

    def probabilities(self, patterns: Matrix) -> Floats:
        """Probability of each label (column) given each pattern (row), as `LabelModel.predict_proba` has it.

        The logarithms are added function by function, so that a pattern's probabilities depend on no other pattern.
        """
        logarithms = np.log(self.parameters)
        joint = np.tile(np.log(self.class_balance), (len(patterns), 1))
        for function, votes in enumerate(patterns.T):
            voted = votes >= 0
            joint[voted] += logarithms[function, votes[voted]]
        weights = np.exp(joint)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)


def fit(patterns: Matrix, counts: Matrix, *, class_balance: Floats, seed: int, epochs: int) -> Fitted:
    """Fit Snorkel's label model.

    Args:
        patterns: Distinct patterns of votes [patterns, functions], -1 abstains; at least three functions.
        counts: How many units have each pattern.
        class_balance: Share of each label, all positive.
        seed: Seeds the initial parameters.
        epochs: Steps of stochastic gradient descent.

    Raises:
        LabelModelError: The loss or the parameters are not finite.
    """
    cardinality = len(class_balance)
    model = PatternLabelModel(cardinality, counts)
    try:
        model.fit_counts(patterns, class_balance=class_balance, seed=seed, epochs=epochs)
    except Exception as error:
        # Snorkel raises a bare Exception when the loss is not a number; anything more specific is a fault of ours.
        if type(error) is not Exception:
            raise
        raise LabelModelError(first_line(error)) from error
    learned = model.mu.cpu().detach().numpy()
    if not np.isfinite(learned).all():
        raise LabelModelError("The learned parameters are not finite.")
    return Fitted(
        parameters=learned.reshape(-1, cardinality, cardinality),
        class_balance=class_balance,
        accuracies=np.asarray(model.get_weights(), dtype=np.float64),
    )
