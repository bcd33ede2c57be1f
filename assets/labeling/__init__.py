"""Weak labels: units, labelling functions, votes, the label model.

Importing this package imports neither Snorkel nor torch; `label` does, when a label model is fitted.
"""

from assets.labeling.analysis import analyse, analysis_schema
from assets.labeling.check import check_labels
from assets.labeling.drift import drift
from assets.labeling.errors import LabelModelError, LabelsError
from assets.labeling.function import FUNCTIONS, LabellingFunction, register_function
from assets.labeling.label import Labeled, label
from assets.labeling.lineage import labels_lineage
from assets.labeling.spec import HistorySpec, LabelsSpec, fit_days, history_days
from assets.labeling.units import units
from assets.labeling.votes import count_patterns, votes

__all__ = [
    "FUNCTIONS",
    "HistorySpec",
    "LabelModelError",
    "Labeled",
    "LabellingFunction",
    "LabelsError",
    "LabelsSpec",
    "analyse",
    "analysis_schema",
    "check_labels",
    "count_patterns",
    "drift",
    "fit_days",
    "history_days",
    "label",
    "labels_lineage",
    "register_function",
    "units",
    "votes",
]
