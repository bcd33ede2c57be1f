import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import auc, log_loss


def pairwise(labels, scores, weights):
    positive, negative = labels * weights, (1 - labels) * weights
    wins = (scores[:, None] > scores[None, :]) + 0.5 * (scores[:, None] == scores[None, :])
    pairs = positive[:, None] * negative[None, :]
    return (wins * pairs).sum() / pairs.sum()


@given(st.integers(0, 10_000))
def test_auc_is_the_share_of_pairs_in_order_also_with_ties_weights_and_soft_labels(seed):
    rng = np.random.default_rng(seed)
    labels = rng.choice([0.0, 0.3, 1.0], 20)
    labels[:2] = [0, 1]
    scores, weights = rng.integers(0, 6, 20) / 5, rng.random(20) + 0.1
    assert auc(labels, scores, weights) == pytest.approx(pairwise(labels, scores, weights))


def test_auc_of_one_class_alone_is_none():
    assert auc(np.ones(3), np.array([0.1, 0.2, 0.3])) is None
    assert auc(np.zeros(3), np.array([0.1, 0.2, 0.3])) is None


def test_log_loss_is_the_weighted_cross_entropy_and_finite_at_the_ends():
    found = log_loss(np.array([1.0, 0.0]), np.array([0.8, 0.4]), np.array([3.0, 1.0]))
    assert found == pytest.approx(-(3 * math.log(0.8) + math.log(0.6)) / 4)
    assert math.isfinite(log_loss(np.array([1.0, 0.0]), np.array([0.0, 1.0], np.float32)))
