"""Bootstrap confidence intervals, vectorised and seeded."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.floating]

RESAMPLES, CONFIDENCE = 1000, 0.95
_BINS = 400
_CELLS_A_BLOCK = 4_000_000


def interval_of_means(values: Scores, *, seed: int) -> tuple[Floats, Floats]:
    """Ends of the percentile intervals of means.

    Args:
        values: Of shape (units, columns); units are drawn with replacement, the same ones for all columns.
        seed: Of the draws.

    Returns:
        Lower and upper ends, each of shape (columns,).
    """
    units = len(values)
    generator = np.random.default_rng(seed)
    block = max(1, _CELLS_A_BLOCK // units)
    means = []
    for start in range(0, RESAMPLES, block):
        counts = generator.multinomial(units, np.full(units, 1 / units), size=min(block, RESAMPLES - start))
        means.append(counts @ values.astype(np.float64) / units)
    return _ends(np.concatenate(means))


def interval_of_auc(labels: npt.NDArray[np.bool_], scores: Scores, area: float, *, seed: int) -> tuple[float, float]:
    """Ends of the percentile interval of an area under the ROC curve, examples drawn with replacement.

    The examples are binned by their score first, which makes the cost of a resample that of the bins; what binning
    changes of the area is taken off again.

    Args:
        labels: Of shape (rows,), some true and some false.
        scores: Of shape (rows,).
        area: The exact area.
        seed: Of the draws.
    """
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, _BINS + 1)[1:-1]))
    cells = np.searchsorted(edges, scores, side="right") * 2 + labels
    counts = np.bincount(cells, minlength=2 * (len(edges) + 1))
    draws = np.random.default_rng(seed).multinomial(len(scores), counts / len(scores), size=RESAMPLES)
    low, high = _ends(_binned_areas(draws))
    shift = area - float(_binned_areas(counts[None])[0])
    return max(0.0, float(low) + shift), min(1.0, float(high) + shift)


def _binned_areas(counts: npt.NDArray[np.integer]) -> Floats:
    negatives, positives = counts[:, 0::2].astype(np.float64), counts[:, 1::2].astype(np.float64)
    below = np.cumsum(negatives, axis=1) - negatives
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    won = (positives * (below + negatives / 2)).sum(axis=1)
    areas: Floats = np.divide(won, pairs, out=np.full(len(counts), 0.5), where=pairs > 0)
    return areas


def _ends(samples: Floats) -> tuple[Floats, Floats]:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(samples, [tail, 1 - tail], axis=0)
    return low, high
