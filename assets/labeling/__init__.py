"""Weak labels: units, labelling functions, votes, the label model.

Importing this package imports neither Snorkel nor torch; `label` does, when a label model is fitted.
"""

from assets.labeling.analysis import analyse, analysis_schema
from assets.labeling.check import check_labels
from assets.labeling.drift import drift
from assets.labeling.errors import LabelModelError, LabelsError
from assets.labeling.label import Labeled, label
from assets.labeling.spec import HistorySpec, LabelsSpec, PythonFunction, SqlFunction, fit_days, history_days
from assets.labeling.units import units
from assets.labeling.votes import count_patterns, votes

__all__ = [
    "HistorySpec",
    "LabelModelError",
    "Labeled",
    "LabelsError",
    "LabelsSpec",
    "PythonFunction",
    "SqlFunction",
    "analyse",
    "analysis_schema",
    "check_labels",
    "count_patterns",
    "drift",
    "fit_days",
    "history_days",
    "label",
    "units",
    "votes",
]
