"""How well users' items are ranked: NDCG@k and recall@k of each user, without a loop over users or rows.

Items of equal score share their places: each counts with the mean over the orders that they could have, as int8 files
and popularity make ties, and the order of a file is no merit.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Ranked:
    """Of one way to rank.

    Attributes:
        ndcg: Of each user, in their order; NaN for one without a relevant item.
        recall: Likewise.
        found: Relevant items within the first k places, by slice.
    """

    ndcg: Floats
    recall: Floats
    found: Floats


def rank_users(
    users: Integers, scores: Scores, relevance: Scores, *, k: int, slices: Integers | None = None, slice_count: int = 1
) -> Ranked:
    """Rank the items of each user by score.

    Args:
        users: Of each row; the rows of a user stand together.
        scores: Of each row.
        relevance: Of each row, 0 for an item that is not relevant.
        k: How many places count.
        slices: Of each row, which slice its item belongs to.
        slice_count: Number of slices.
    """
    segments, starts = _segments(users)
    count = len(starts)
    order = np.lexsort((-scores, segments))
    user = segments[order]
    place = np.arange(len(order)) - starts[user]
    ties = np.cumsum(_changes(user, scores[order])) - 1
    size = np.bincount(ties)
    gains = (np.bincount(ties, relevance[order]) / size)[ties]
    within = place < k
    discounts = np.where(within, 1 / np.log2(place + 2), 0)
    gained = np.bincount(user, gains * discounts, count)

    best = np.lexsort((-relevance, segments))
    ideal = np.bincount(user, relevance[best] * discounts, count)

    relevant = relevance > 0
    # A row of a tie is within the first k places with the share of the tie's places that are.
    chance = np.where(relevant[order], (np.bincount(ties, within) / size)[ties], 0.0)
    hits = np.bincount(user, chance, count)
    wanted = np.bincount(segments, relevant, count)
    where = np.zeros(len(order), np.int64) if slices is None else slices[order]
    return Ranked(
        _ratio(gained, ideal), _ratio(hits, wanted), np.bincount(where, chance, slice_count).astype(np.float64)
    )


def _segments(users: Integers) -> tuple[Integers, Integers]:
    changes = _changes(users)
    return np.cumsum(changes) - 1, np.flatnonzero(changes)


def _changes(*columns: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    changed = np.zeros(len(columns[0]), np.bool_)
    changed[:1] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return changed


def _ratio(part: Scores | Integers, whole: Scores | Integers) -> Floats:
    share: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0, dtype=np.float64)
    return share
