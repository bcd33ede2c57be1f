"""Normalised discounted cumulative gain of the first k places."""

import numpy as np

from training.metrics.metric import Floats, Lists, Metric, register


def ndcg(lists: Lists) -> Floats:
    """Discounted gain of the first k places as a share of that of the ideal order, of each user."""
    discounts = np.where(lists.counts, 1 / np.log2(lists.place + 2), 0)
    return lists.share(lists.total(lists.gain * discounts), lists.total(lists.ideal * discounts))


register(
    Metric(
        name="ndcg",
        title="NDCG@{k}",
        better="more",
        describes="How well the items that a user engaged with stand at the top of the user's list.",
        of_lists=ndcg,
    )
)
