"""The class balance: the share of each label among all units, without which the label model would assume equal ones."""

import numpy as np

from assets.labeling.majority import Floats, Matrix, vote_shares

LEAST_SHARE = 0.001
"""No label that somebody votes is taken for impossible."""

_COLLAPSED = 0.1
_STEPS = 200
_CONVERGED = 1e-7


def balance_from_gold(counts: Matrix) -> Floats:
    """Class balance of a gold set, from the number of rows of each label, with one row more of each."""
    return _bounded((counts + 1) / (counts + 1).sum())


def balance_from_majority(patterns: Matrix, rows: Matrix, cardinality: int) -> Floats:
    """Class balance as the mean share of votes over the units that have a vote."""
    weighted = vote_shares(patterns, cardinality) * rows[:, None]
    return _bounded(weighted.sum(axis=0) / max(weighted.sum(), 1.0))


def balance_from_votes(patterns: Matrix, rows: Matrix, cardinality: int) -> tuple[Floats, str]:
    """Estimate the class balance from votes alone.

    Expectation-maximisation of a latent class model (Dawid and Skene, 1979) in which the functions vote independently
    given the label, and to abstain is an answer like any other. So units without a vote count too: where functions for
    one label cover more than those for another, the share of votes says little of the share of units. It starts from
    the vote shares and works on distinct patterns. Should it all but lose a label that has votes (functions that
    depend on each other can do that), the vote shares are taken instead.

    Args:
        patterns: Distinct patterns of votes (-1 abstains), one a row.
        rows: How many units have each pattern.
        cardinality: Number of labels.

    Returns:
        The balance, and how it was found: `votes` or `vote shares`.
    """
    shares = balance_from_majority(patterns, rows, cardinality)
    answers = np.stack([patterns == answer for answer in range(-1, cardinality)], axis=2).astype(np.float64)
    posterior = vote_shares(patterns, cardinality)
    posterior[(patterns < 0).all(axis=1)] = shares
    balance = shares
    for _ in range(_STEPS):
        weighted = posterior * rows[:, None]
        answered = np.tensordot(answers, weighted, axes=(0, 0)) + 1.0
        conditional = answered / answered.sum(axis=1, keepdims=True)
        joint = np.log(balance) + np.tensordot(answers, np.log(conditional), axes=2)
        joint = np.exp(joint - joint.max(axis=1, keepdims=True))
        posterior = joint / joint.sum(axis=1, keepdims=True)
        previous, balance = balance, _bounded((posterior * rows[:, None]).sum(axis=0) / rows.sum())
        if np.abs(balance - previous).max() < _CONVERGED:
            break
    if (balance < _COLLAPSED * shares).any():
        return shares, "vote shares"
    return balance, "votes"


def _bounded(balance: Floats) -> Floats:
    bounded = np.maximum(balance, LEAST_SHARE)
    return np.asarray(bounded / bounded.sum(), dtype=np.float64)
