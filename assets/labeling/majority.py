"""The majority vote: the fallback of the label model, and what it is always reported beside."""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def votes_by_label(patterns: Matrix, cardinality: int) -> Matrix:
    """Count the votes of each pattern (row) for each label (column)."""
    return np.stack([(patterns == label).sum(axis=1) for label in range(cardinality)], axis=1).astype(np.int64)


def vote_shares(patterns: Matrix, cardinality: int) -> Floats:
    """Share of each pattern's votes by label; a row without votes is all zero."""
    counted = votes_by_label(patterns, cardinality)
    return np.asarray(counted / np.maximum(counted.sum(axis=1, keepdims=True), 1), dtype=np.float64)


def choose(scores: npt.NDArray[np.generic], class_balance: Floats) -> Matrix:
    """Index of the label with the highest score in each row.

    A tie goes to the label that is more frequent by the class balance, then to the one declared first.
    """
    order = np.argsort(-class_balance, kind="stable")
    return np.asarray(order[np.argmax(scores[:, order], axis=1)], dtype=np.int64)
