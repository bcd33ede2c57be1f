"""Metrics: one file each, named in the registry, where bounds, evaluations, cards, plots and messages find them."""

from training.metrics.auc import auc
from training.metrics.calibration_error import calibration_error
from training.metrics.log_loss import log_loss
from training.metrics.metric import METRICS, Floats, Lists, Metric, MetricName
from training.metrics.ndcg import ndcg
from training.metrics.recall import recall

__all__ = [
    "METRICS",
    "Floats",
    "Lists",
    "Metric",
    "MetricName",
    "auc",
    "calibration_error",
    "log_loss",
    "ndcg",
    "recall",
]
