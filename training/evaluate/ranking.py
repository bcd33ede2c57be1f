"""How well users' items are ranked: every registered metric of lists for each user, without a loop over rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.metrics.metric import Lists, needing

Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Ranked:
    """Of one way to rank.

    Attributes:
        values: By metric, of each user, in their order; NaN for one without a relevant item.
        found: Relevant items within the first k places, by slice.
    """

    values: Mapping[str, Scores]
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
    order = np.lexsort((-scores, segments))
    user = segments[order]
    ties = np.cumsum(_changes(user, scores[order])) - 1
    size = np.bincount(ties)
    relevant = relevance[order] > 0
    lists = Lists(
        user=user,
        place=np.arange(len(order)) - starts[user],
        gain=(np.bincount(ties, relevance[order]) / size)[ties],
        relevant=(np.bincount(ties, relevant) / size)[ties],
        ideal=relevance[np.lexsort((-relevance, segments))],
        users=len(starts),
        k=k,
    )
    # A row of a tie is within the first k places with the share of the tie's places that are.
    chance = np.where(relevant, (np.bincount(ties, lists.counts) / size)[ties], 0.0)
    where = np.zeros(len(order), np.int64) if slices is None else slices[order]
    return Ranked(
        {metric.name: metric.of_lists(lists) for metric in needing("lists") if metric.of_lists is not None},
        np.bincount(where, chance, slice_count).astype(np.float64),
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
