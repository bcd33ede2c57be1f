"""Recall of the first k places."""

import numpy as np

from training.metrics.metric import Floats, Lists, Metric, register


def recall(lists: Lists) -> Floats:
    """Share of the relevant items that stand on the first k places, of each user."""
    return lists.share(lists.total(np.where(lists.counts, lists.relevant, 0)), lists.total(lists.relevant))


register(
    Metric(
        name="recall",
        title="recall@{k}",
        better="more",
        describes="Share of the items that a user engaged with among the first k of the user's list.",
        of_lists=recall,
    )
)
