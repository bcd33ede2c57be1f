"""Expected calibration error."""

import numpy as np

from training.metrics.metric import Floats, Metric, register

_BINS = 20


def calibration_error(labels: Floats, probabilities: Floats) -> float:
    """Expected calibration error: mean distance of probability and label over bins of equally many examples."""
    order = np.argsort(probabilities, kind="stable")
    bins = np.arange(len(order)) * min(_BINS, len(order)) // len(order)
    distances = np.bincount(bins, (probabilities - labels)[order].astype(np.float64))
    return float(np.abs(distances).sum() / len(order))


register(
    Metric(
        name="calibration_error",
        title="calibration error",
        better="less",
        describes="Mean distance of probability and label, over bins of equally many examples.",
        of_scores=calibration_error,
    )
)
