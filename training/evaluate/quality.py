"""How good probabilities are, example by example: every registered metric that is computed from scores.

Labels are soft; each metric says how it takes them. Weights balance training, and are ignored here: every example of
the test days counts once.
"""

from training.metrics.metric import Floats, needing


def quality(labels: Floats, probabilities: Floats, *, seed: int) -> dict[str, float | None]:
    """The columns of all metrics of scores; all None without examples.

    Args:
        labels: Between 0 and 1, of shape (rows,).
        probabilities: Of shape (rows,).
        seed: Of the resamples.
    """
    found: dict[str, float | None] = {}
    for metric in needing("scores"):
        found |= dict.fromkeys(metric.columns)
        if metric.of_scores is None or not len(labels):
            continue
        found[metric.name] = value = metric.of_scores(labels, probabilities)
        if metric.interval is not None and value is not None:
            ends = metric.interval(labels, probabilities, value, seed)
            found |= dict(zip(metric.columns[1:], ends, strict=True))
    return found
