"""Scores of several files on the same data, reduced to what metrics are made of as they come."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluate.ranking import rank_users
from training.failure import TaskError
from training.input import split_files
from training.metrics import auc
from training.schema import Inputs
from training.scoring import Scored, Scoring
from training.worker import Worker

Floats = npt.NDArray[np.floating]

POPULARITY = "popularity"
SLICES = ("rare", "middle", "popular")

_USER, _RELEVANCE = "user_index", "relevance"
_LOGIT_LIMIT, _LOGIT_STEPS = 20.0, 256


@dataclass(frozen=True)
class OnTest:
    """The test examples: soft labels, and probabilities by name, each of shape (rows,)."""

    labels: Floats
    scores: dict[str, Floats]


@dataclass
class OnRanking:
    """What ranking came to.

    Attributes:
        rows: Number of user-item pairs.
        users: Number of users.
        values: By metric and name, of each user; NaN for a user without a relevant item.
        slices: Recall among the rare, middle and popular thirds of the items, by name; None for an empty slice.
        auc: Of all pairs, by name.
    """

    rows: int = 0
    users: int = 0
    values: dict[str, dict[str, Floats]] = field(default_factory=dict)
    slices: dict[str, dict[str, float | None]] = field(default_factory=dict)
    auc: dict[str, float | None] = field(default_factory=dict)


def on_test(folder: Path, inputs: Inputs, scoring: Scoring, names: Sequence[str], worker: Worker) -> OnTest:
    """Score the test examples; what is kept of a row is its label and its scores."""
    labels: list[Floats] = [np.empty(0, np.float32)]
    scores: dict[str, list[Floats]] = {name: [np.empty(0, np.float32)] for name in names}
    for part in scoring.rows(split_files(folder), columns=[inputs.label]):
        labels.append(part.columns[inputs.label])
        for name in names:
            scores[name].append(part.scores[name])
        worker.progress.beat()
    return OnTest(np.concatenate(labels), {name: np.concatenate(parts) for name, parts in scores.items()})


def on_ranking(folder: Path, scoring: Scoring, worker: Worker, *, k: int) -> OnRanking:
    """Score every pair of the ranked users, and popularity with them; what is kept of a user is two numbers.

    Raises:
        TaskError: The rows of a user do not stand together.
    """
    found, totals, thirds = OnRanking(), np.zeros(len(SLICES)), None
    hits: dict[str, Floats] = {}
    curves: dict[str, _Curve] = {}
    parts: dict[str, list[Mapping[str, Floats]]] = {}
    for users, relevance, popularity, scores in _whole_users(folder, scoring):
        if thirds is None:
            # Every user has the same items, so one tells their popularity.
            thirds = np.quantile(popularity[users == users[0]], [1 / 3, 2 / 3])
        slices = np.searchsorted(thirds, popularity, side="right")
        totals += np.bincount(slices, relevance > 0, len(SLICES))
        found.users += len(np.unique(users))
        found.rows += len(users)
        for name, values in {**scores, POPULARITY: popularity}.items():
            ranked = rank_users(users, values, relevance, k=k, slices=slices, slice_count=len(SLICES))
            parts.setdefault(name, []).append(ranked.values)
            hits[name] = hits.get(name, np.zeros(len(SLICES))) + ranked.found
            curves.setdefault(name, _Curve()).add(values if name == POPULARITY else _coarse(values), relevance > 0)
        worker.progress.beat()
    for name, pieces in parts.items():
        for metric in pieces[0]:
            found.values.setdefault(metric, {})[name] = np.concatenate([piece[metric] for piece in pieces])
        found.slices[name] = {
            label: float(hit / total) if total else None
            for label, hit, total in zip(SLICES, hits[name], totals, strict=True)
        }
        found.auc[name] = curves[name].area()
    return found


def _whole_users(
    folder: Path, scoring: Scoring
) -> Iterator[tuple[npt.NDArray[np.integer], Floats, Floats, dict[str, Floats]]]:
    """Rows of whole users; a user whose rows go on in the next row group waits for it."""
    kept: Scored | None = None
    last = -1
    for part in scoring.rows(split_files(folder), columns=[_USER, _RELEVANCE, POPULARITY]):
        whole = part if kept is None else _joined(kept, part)
        users = whole.columns[_USER]
        if np.any(np.diff(users) < 0) or users[0] <= last:
            raise TaskError(f"The rows of {folder} are not sorted by {_USER}; prepare the training set again")
        cut = int(np.searchsorted(users, users[-1]))
        if cut:
            last = int(users[cut - 1])
            yield _taken(_cut(whole, slice(0, cut)))
        kept = _cut(whole, slice(cut, None))
    if kept is not None:
        yield _taken(kept)


def _taken(part: Scored) -> tuple[Any, Floats, Floats, dict[str, Floats]]:
    return part.columns[_USER], part.columns[_RELEVANCE], part.columns[POPULARITY], part.scores


def _joined(first: Scored, second: Scored) -> Scored:
    def both(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
        return {name: np.concatenate([a[name], b[name]]) for name in a}

    return Scored(both(first.columns, second.columns), both(first.scores, second.scores))


def _cut(part: Scored, rows: slice) -> Scored:
    return Scored(
        {name: values[rows] for name, values in part.columns.items()},
        {name: values[rows] for name, values in part.scores.items()},
    )


def _coarse(probabilities: Floats) -> Floats:
    """Logits in steps so small that the area under the curve does not notice, so that few distinct ones are kept."""
    sure = np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-7)
    logits = np.clip(np.log(sure) - np.log1p(-sure), -_LOGIT_LIMIT, _LOGIT_LIMIT)
    steps: Floats = np.round(logits * _LOGIT_STEPS)
    return steps


class _Curve:
    """Positives and negatives of each distinct score, added up over chunks."""

    def __init__(self) -> None:
        self._scores: Floats = np.empty(0)
        self._counts: Floats = np.empty((2, 0))

    def add(self, scores: Floats, positive: npt.NDArray[np.bool_]) -> None:
        values, place = np.unique(scores, return_inverse=True)
        counts = np.stack([np.bincount(place, positive, len(values)), np.bincount(place, ~positive, len(values))])
        merged, place = np.unique(np.concatenate([self._scores, values]), return_inverse=True)
        both = np.concatenate([self._counts, counts], axis=1)
        self._counts = np.stack([np.bincount(place, row, len(merged)) for row in both])
        self._scores = merged

    def area(self) -> float | None:
        total = self._counts.sum(axis=0)
        return auc(self._counts[0] / total, self._scores, total)
