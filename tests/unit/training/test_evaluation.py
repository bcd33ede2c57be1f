"""The metrics of an evaluation, against scikit-learn and against plain loops."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, ndcg_score, roc_auc_score

from training.evaluate.intervals import interval_of_auc, interval_of_means
from training.evaluate.measure import OnRanking
from training.evaluate.quality import quality
from training.evaluate.ranking import rank_users
from training.evaluate.run import beats_popularity
from training.metrics import calibration_error

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_auc_and_log_loss_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    labels = rng.random(200) < 0.3
    labels[:2] = [False, True]
    # Rounded, so that there are ties.
    scores = np.round(rng.random(200), 2) * 0.98 + 0.01
    found = quality(labels.astype(np.float32), scores, seed=1)
    assert found["auc"] == pytest.approx(roc_auc_score(labels, scores))
    assert found["log_loss"] == pytest.approx(log_loss(labels, scores), rel=1e-5)
    assert found["auc_low"] <= found["auc"] <= found["auc_high"]


def test_a_soft_label_of_one_half_is_positive_in_auc_and_soft_in_log_loss():
    found = quality(np.array([0.5, 0.49]), np.array([0.7, 0.6]), seed=1)
    assert found["auc"] == 1
    assert found["log_loss"] == pytest.approx(
        -np.mean([0.5 * np.log(0.7) + 0.5 * np.log(0.3), 0.49 * np.log(0.6) + 0.51 * np.log(0.4)])
    )


def test_no_examples_and_one_class_alone_have_no_area():
    assert set(quality(np.empty(0), np.empty(0), seed=1).values()) == {None}
    found = quality(np.zeros(3), np.array([0.1, 0.2, 0.3]), seed=1)
    assert (found["auc"], found["auc_low"], found["auc_high"]) == (None, None, None)
    assert found["log_loss"] > 0


def test_calibration_error_is_nothing_for_honest_probabilities_and_the_shift_for_shifted_ones():
    rng = np.random.default_rng(3)
    honest = rng.random(200_000) * 0.8
    labels = (rng.random(200_000) < honest).astype(float)
    assert calibration_error(labels, honest) < 0.01
    assert calibration_error(labels, honest + 0.1) == pytest.approx(0.1, abs=0.01)
    assert calibration_error(np.array([1.0]), np.array([0.25])) == 0.75


def grid(rng, users, items, *, ties):
    scores = rng.integers(0, 5, (users, items)) / 4 if ties else rng.random((users, items))
    relevance = (rng.random((users, items)) < 0.3) * rng.choice([1.0, 2.0], (users, items))
    relevance[:, 0] = 1
    return scores, relevance


@given(seeds, st.booleans(), st.integers(1, 12))
def test_ndcg_is_that_of_scikit_learn_ties_and_grades_included(seed, ties, k):
    rng = np.random.default_rng(seed)
    scores, relevance = grid(rng, 7, 9, ties=ties)
    ranked = rank_users(np.repeat(np.arange(7), 9), scores.ravel(), relevance.ravel(), k=k)
    expected = [ndcg_score(relevance[[u]], scores[[u]], k=k) for u in range(7)]
    np.testing.assert_allclose(ranked.values["ndcg"], expected)


@given(seeds, st.integers(1, 12))
def test_recall_is_the_mean_over_the_orders_that_ties_allow(seed, k):
    rng = np.random.default_rng(seed)
    scores, relevance = grid(rng, 3, 8, ties=True)
    ranked = rank_users(np.repeat([4, 5, 9], 8), scores.ravel(), relevance.ravel(), k=k)
    for user in range(3):
        chances = []
        for item in np.flatnonzero(relevance[user]):
            above = (scores[user] > scores[user, item]).sum()
            equal = (scores[user] == scores[user, item]).sum()
            chances.append(np.clip((k - above) / equal, 0, 1))
        assert ranked.values["recall"][user] == pytest.approx(np.mean(chances))


def test_users_of_unequal_size_keep_apart_and_one_without_relevant_items_is_nan():
    users = np.array([0, 0, 0, 1, 2, 2])
    scores = np.array([0.9, 0.5, 0.1, 0.3, 0.2, 0.8])
    relevance = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 0.0])
    ranked = rank_users(users, scores, relevance, k=1)
    np.testing.assert_array_equal(ranked.values["recall"], [0, np.nan, 0])
    ranked = rank_users(users, scores, relevance, k=2)
    np.testing.assert_allclose(ranked.values["ndcg"], [1 / np.log2(3), np.nan, 1 / np.log2(3)])


def test_slices_count_the_relevant_items_found_in_each():
    users = np.zeros(4, int)
    ranked = rank_users(
        users,
        np.array([4.0, 3, 2, 1]),
        np.array([1.0, 1, 0, 1]),
        k=2,
        slices=np.array([0, 2, 1, 1]),
        slice_count=3,
    )
    np.testing.assert_array_equal(ranked.found, [1, 0, 1])


def test_intervals_of_means_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(5)
    values = rng.exponential(1.0, (200, 200))
    low, high = interval_of_means(values, seed=3)
    covered = np.mean((low <= 1) & (high >= 1))
    assert 0.88 < covered < 0.99
    again = interval_of_means(values, seed=3)
    np.testing.assert_array_equal((low, high), again)


def test_intervals_of_auc_are_as_wide_as_resampling_rows_makes_them():
    rng = np.random.default_rng(6)
    labels = rng.random(2000) < 0.3
    scores = (rng.normal(size=2000) + labels).astype(np.float32)
    area = roc_auc_score(labels, scores)
    areas = []
    for _ in range(300):
        drawn = rng.integers(0, 2000, 2000)
        areas.append(roc_auc_score(labels[drawn], scores[drawn]))
    expected = np.quantile(areas, [0.025, 0.975])
    np.testing.assert_allclose(interval_of_auc(labels, scores, area, seed=1), expected, atol=0.005)


def compared(model, popularity):
    return beats_popularity(
        OnRanking(values={"ndcg": {"float": np.array(model), "popularity": np.array(popularity)}}), k=10, seed=1
    )


def test_popularity_is_beaten_only_beyond_chance():
    rng = np.random.default_rng(7)
    popularity = rng.random(400)
    better = compared(popularity + 0.05 + rng.normal(0, 0.1, 400), popularity)
    assert better["passed"]
    assert better["low"] > 0
    assert "better than" in better["message"]
    equal = compared(popularity + rng.normal(0, 0.3, 400), popularity)
    assert not equal["passed"]
    assert "not clearly better than" in equal["message"]
    assert "worse than" in compared(popularity - 0.1, popularity)["message"]


def test_users_without_relevant_items_and_days_without_users_are_no_evidence():
    one = compared([0.9, np.nan], [0.1, np.nan])
    assert one["users"] == 1
    nobody = beats_popularity(OnRanking(), k=10, seed=1)
    assert not nobody["passed"]
    assert nobody["ndcg"] is None
    assert "Nobody could be ranked" in nobody["message"]


LIGHT = """
import sys, training.evaluate.run, training.predict
sys.exit(", ".join({"tensorflow", "tf_keras", "keras", "tensorflow_model_optimization"} & set(sys.modules)))
"""


def test_evaluating_and_predicting_import_no_tensorflow():
    found = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False, timeout=60)
    assert found.stderr.strip() == ""
