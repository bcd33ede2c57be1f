"""Metrics of probabilities against soft labels, exact and without TensorFlow."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]


def auc(labels: Floats, scores: Floats, weights: Floats | None = None) -> float | None:
    """Area under the ROC curve: how often a positive scores above a negative, ties counting one half.

    A soft label makes an example a positive with weight `label` and a negative with weight `1 - label`; with labels
    of 0 and 1 that is the usual area.

    Args:
        labels: Between 0 and 1, of shape (rows,).
        scores: Of shape (rows,).
        weights: Of shape (rows,); 1 without them.

    Returns:
        The area, or None when there are no positives or no negatives.
    """
    weights = np.ones(len(labels)) if weights is None else weights
    positive = (labels * weights).astype(np.float64)
    negative = ((1 - labels) * weights).astype(np.float64)
    if not positive.sum() > 0 or not negative.sum() > 0:
        return None
    _, group = np.unique(scores, return_inverse=True)
    positives, negatives = np.bincount(group, positive), np.bincount(group, negative)
    below = np.cumsum(negatives) - negatives
    return float(np.sum(positives * (below + negatives / 2)) / (positive.sum() * negative.sum()))


def log_loss(labels: Floats, probabilities: Floats, weights: Floats | None = None) -> float:
    """Weighted mean binary cross-entropy, in nats; probabilities are kept 1e-7 away from 0 and 1."""
    sure = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    losses = -(labels * np.log(sure) + (1 - labels) * np.log1p(-sure))
    return float(np.average(losses, weights=weights))
