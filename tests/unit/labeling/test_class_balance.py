"""The class balance is found from votes, also where they say little of it."""

import numpy as np
import pytest

from assets.labeling.class_balance import LEAST_SHARE, balance_from_majority, balance_from_votes


def patterns_of(matrix):
    return np.unique(matrix, axis=0, return_counts=True)


def one_sided(rows, share, functions, seed=0):
    """Functions that vote one label each: (label, how often where it is true, how often where it is not)."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(rows) < share).astype(int)
    rates = [np.where(truth == vote, right, wrong) for vote, right, wrong in functions]
    return np.stack(
        [np.where(rng.random(rows) < rate, vote, -1) for rate, (vote, _, _) in zip(rates, functions, strict=True)],
        axis=1,
    )


def test_balance_is_found_where_functions_cover_the_rare_label_far_better():
    functions = [(0, 0.2, 0.05), (1, 0.5, 0.05), (1, 0.6, 0.1), (1, 0.3, 0.02), (1, 0.7, 0.1)]
    matrix = one_sided(20_000, 0.2, functions)
    balance, how = balance_from_votes(*patterns_of(matrix), 2)
    assert how == "votes"
    assert balance[1] == pytest.approx(0.2, abs=0.02)
    assert balance_from_majority(*patterns_of(matrix), 2)[1] > 0.6  # what the votes seem to say


def test_copies_of_one_function_do_not_make_a_label_vanish():
    rng = np.random.default_rng(0)
    vote = np.where(rng.random(5000) < 0.02, 1, 0)
    matrix = np.stack([vote] * 3 + [np.zeros(5000, dtype=int)] * 3, axis=1)
    balance, _ = balance_from_votes(*patterns_of(matrix), 2)
    assert balance[1] >= 0.1 * balance_from_majority(*patterns_of(matrix), 2)[1]


def test_no_voted_label_is_impossible():
    matrix = np.array([[0, 0, 0]] * 9_999 + [[1, 0, 0]])
    balance, _ = balance_from_votes(*patterns_of(matrix), 2)
    assert balance[1] >= LEAST_SHARE / 2
    assert balance.sum() == pytest.approx(1)
