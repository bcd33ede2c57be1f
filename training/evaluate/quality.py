"""How good probabilities are, example by example.

Labels are soft. The area under the ROC curve asks who is above whom, and takes a label of at least one half as
positive; log loss and calibration take labels as they are. Weights balance training, and are ignored here: every
example of the test days counts once.
"""

import numpy as np
import numpy.typing as npt

from training.evaluate.intervals import interval_of_auc
from training.metrics import auc, log_loss

Floats = npt.NDArray[np.floating]

POSITIVE = 0.5
_BINS = 20


def quality(labels: Floats, probabilities: Floats, *, seed: int) -> dict[str, float | None]:
    """AUC with its interval, log loss and calibration error; all None without examples.

    Args:
        labels: Between 0 and 1, of shape (rows,).
        probabilities: Of shape (rows,).
        seed: Of the resamples.
    """
    if not len(labels):
        return dict.fromkeys(("auc", "auc_low", "auc_high", "log_loss", "calibration_error"))
    positive = labels >= POSITIVE
    area = auc(positive.astype(np.float64), probabilities)
    low, high = (None, None) if area is None else interval_of_auc(positive, probabilities, area, seed=seed)
    return {
        "auc": area,
        "auc_low": low,
        "auc_high": high,
        "log_loss": log_loss(labels, probabilities),
        "calibration_error": calibration_error(labels, probabilities),
    }


def calibration_error(labels: Floats, probabilities: Floats) -> float:
    """Expected calibration error: mean distance of probability and label over bins of equally many examples."""
    order = np.argsort(probabilities, kind="stable")
    bins = np.arange(len(order)) * min(_BINS, len(order)) // len(order)
    distances = np.bincount(bins, (probabilities - labels)[order].astype(np.float64))
    return float(np.abs(distances).sum() / len(order))
