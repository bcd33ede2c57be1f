"""Binary cross-entropy."""

import numpy as np

from training.metrics.metric import Floats, Metric, register


def log_loss(labels: Floats, probabilities: Floats, weights: Floats | None = None) -> float:
    """Weighted mean binary cross-entropy, in nats; probabilities are kept 1e-7 away from 0 and 1."""
    sure = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    losses = -(labels * np.log(sure) + (1 - labels) * np.log1p(-sure))
    return float(np.average(losses, weights=weights))


register(
    Metric(
        name="log_loss",
        title="log loss",
        better="less",
        describes="Mean binary cross-entropy in nats, of labels as they are.",
        of_scores=log_loss,
        each_epoch=log_loss,
    )
)
