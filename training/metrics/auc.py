"""Area under the ROC curve."""

import numpy as np

from training.evaluate.intervals import interval_of_auc
from training.metrics.metric import Floats, Interval, Metric, register

POSITIVE = 0.5


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


def _positive(labels: Floats, probabilities: Floats) -> float | None:
    return auc((labels >= POSITIVE).astype(np.float64), probabilities)


def _interval(labels: Floats, probabilities: Floats, value: float, seed: int) -> Interval:
    return interval_of_auc(labels >= POSITIVE, probabilities, value, seed=seed)


register(
    Metric(
        name="auc",
        title="AUC",
        better="more",
        describes="How often a positive example scores above a negative one; a label of at least 0.5 is positive.",
        of_scores=_positive,
        interval=_interval,
        each_epoch=auc,
    )
)
