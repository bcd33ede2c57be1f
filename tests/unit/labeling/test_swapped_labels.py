"""A label model that found the mirror image of the votes is refused, not believed."""

import numpy as np
import pytest

from assets.labeling.errors import LabelModelError
from assets.labeling.method import Window
from assets.labeling.methods.label_model import _refuse_swapped_labels

PATTERNS = np.array([[1, 1, -1], [0, 0, 0], [1, -1, -1], [-1, -1, -1]])
WINDOW = Window(PATTERNS, np.array([10, 20, 5, 100]))


def probabilities(chosen: list[int]) -> np.ndarray:
    return np.eye(2)[chosen]


def test_a_model_that_contradicts_the_majority_is_refused_with_what_to_do():
    with pytest.raises(LabelModelError, match=r"agrees with the majority of votes on 0%.*labelling function"):
        _refuse_swapped_labels(WINDOW, probabilities([0, 1, 0, 1]))


def test_a_model_that_mostly_agrees_is_kept_whatever_it_says_where_nobody_votes():
    _refuse_swapped_labels(WINDOW, probabilities([1, 0, 0, 1]))
