"""What each labelling function did: how often it votes, agrees, disagrees, and is right."""

import numpy as np
import polars as pl

from assets.labeling.majority import Floats, Matrix, votes_by_label
from assets.labeling.spec import LabelsSpec
from assets.labeling.votes import ROWS

DIGITS = 6
"""Digits kept of shares and probabilities: the label model's parameters are 32-bit floats and hold no more."""


def analyse(
    patterns: pl.DataFrame,
    spec: LabelsSpec,
    *,
    learned_accuracies: Floats | None = None,
    gold: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Describe each labelling function on one partition, as Snorkel's `LFAnalysis` does, from patterns of votes.

    Args:
        patterns: Distinct patterns of votes with their `rows`, as `count_patterns` gives them.
        spec: The declaration.
        learned_accuracies: What the label model believes of each function; NaN where it did not take part.
        gold: Patterns with `rows` by true label: the vote columns, `gold` (index of the label) and `rows`.

    Returns:
        One row a function: `function`, `polarity` (the labels that it voted), `rows` (units of the partition),
        `votes`, `votes_<label>` for each label, `coverage`, `overlaps` and `conflicts` (shares of all units that it
        labels; that another function labels too; that another one labels differently), `learned_accuracy`,
        `gold_votes` (votes on units whose true label is known) and `gold_accuracy` among them; null where unknown.
    """
    matrix = patterns.select(spec.vote_columns).to_numpy().astype(np.int64)
    counts = patterns[ROWS].to_numpy().astype(np.int64)
    total = int(counts.sum())
    voted = matrix >= 0
    overlapped = (voted.sum(axis=1) > 1)[:, None] & voted
    conflicted = ((votes_by_label(matrix, len(spec.labels)) > 0).sum(axis=1) > 1)[:, None] & voted
    by_label = {label: ((matrix == index) * counts[:, None]).sum(axis=0) for index, label in enumerate(spec.labels)}
    gold_votes, gold_right = _against_gold(gold, spec)

    def share(mask: np.ndarray) -> list[float]:
        return [round(int(n) / max(total, 1), DIGITS) for n in (mask * counts[:, None]).sum(axis=0)]

    return pl.DataFrame(
        {
            "function": [function.name for function in spec.functions],
            "polarity": [
                [label for label in spec.labels if by_label[label][index]] for index in range(len(spec.functions))
            ],
            "rows": [total] * len(spec.functions),
            "votes": (voted * counts[:, None]).sum(axis=0),
            **{f"votes_{label}": numbers for label, numbers in by_label.items()},
            "coverage": share(voted),
            "overlaps": share(overlapped),
            "conflicts": share(conflicted),
            "learned_accuracy": _known(learned_accuracies, len(spec.functions)),
            "gold_votes": gold_votes,
            "gold_accuracy": [
                round(int(right) / int(votes), DIGITS) if votes else None
                for right, votes in zip(gold_right, gold_votes, strict=True)
            ],
        },
        schema=analysis_schema(spec),
    )


def analysis_schema(spec: LabelsSpec) -> pl.Schema:
    """Return the columns of an analysis."""
    return pl.Schema(
        {
            "function": pl.String(),
            "polarity": pl.List(pl.String()),
            "rows": pl.Int64(),
            "votes": pl.Int64(),
            **{f"votes_{label}": pl.Int64() for label in spec.labels},
            "coverage": pl.Float64(),
            "overlaps": pl.Float64(),
            "conflicts": pl.Float64(),
            "learned_accuracy": pl.Float64(),
            "gold_votes": pl.Int64(),
            "gold_accuracy": pl.Float64(),
        }
    )


def _against_gold(gold: pl.DataFrame | None, spec: LabelsSpec) -> tuple[Matrix, Matrix]:
    if gold is None:
        nothing = np.zeros(len(spec.functions), dtype=np.int64)
        return nothing, nothing
    matrix = gold.select(spec.vote_columns).to_numpy().astype(np.int64)
    counts = gold[ROWS].to_numpy().astype(np.int64)[:, None]
    right = matrix == gold["gold"].to_numpy()[:, None]
    return ((matrix >= 0) * counts).sum(axis=0), (right * counts).sum(axis=0)


def _known(accuracies: Floats | None, functions: int) -> list[float | None]:
    if accuracies is None:
        return [None] * functions
    return [None if np.isnan(accuracy) else round(float(accuracy), DIGITS) for accuracy in accuracies]
