"""What a metric is: its name, which direction is better, what it needs, how it is computed and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from foundation.name_of import NameOf
from foundation.registry import Registry

Floats: TypeAlias = npt.NDArray[np.floating]
Integers: TypeAlias = npt.NDArray[np.integer]
Interval: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Lists:
    """The items of several users, each user's in the order of their scores.

    Items of equal score share their places: each place holds the mean over the orders that they could have, as int8
    files and popularity make ties, and the order of a file is no merit.

    Attributes:
        user: Of each row, from 0; the rows of a user stand together, the best first. Of shape (rows,).
        place: Of each row, its place in the list of its user, from 0.
        gain: Of each place, the expected relevance of the item that stands there.
        relevant: Of each place, the probability that a relevant item stands there.
        ideal: Of each place, the relevance of the item that should stand there.
        users: How many users.
        k: How many places count.
    """

    user: Integers
    place: Integers
    gain: Floats
    relevant: Floats
    ideal: Floats
    users: int
    k: int

    @property
    def counts(self) -> npt.NDArray[np.bool_]:
        """Of each row, whether its place is among the first k."""
        return self.place < self.k

    def total(self, values: Floats) -> npt.NDArray[np.float64]:
        """Sum of values of each row by user, of shape (users,)."""
        return np.bincount(self.user, values, self.users).astype(np.float64)

    def share(self, part: Floats, whole: Floats) -> npt.NDArray[np.float64]:
        """Part over whole of each user; NaN for one whose whole is nothing, who takes no part in a mean."""
        shares: npt.NDArray[np.float64] = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
        return shares


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A way to say how good a model is. Exactly one of `of_scores` and `of_lists` is given.

    Attributes:
        name: In declarations, and of its column in evaluations.
        title: For people; `{k}` stands for the number of places that count.
        better: Which direction is better.
        describes: One sentence for the reference.
        of_scores: From labels between 0 and 1 and probabilities of the same rows, both of shape (rows,), at least one
            row, to the value; None where it is not defined.
        interval: Of a metric of scores: from labels, probabilities, the value and a seed to the ends of its interval.
        each_epoch: Of a metric of scores that is worth a curve: from labels, probabilities and weights of the
            validation examples to the value; None where it is not defined.
        of_lists: From ranked lists to the value of each user, of shape (users,); NaN for one without a relevant item.
            The value is the mean over users, and its interval is that of resampled users.
    """

    name: str
    title: str
    better: Literal["more", "less"]
    describes: str
    of_scores: Callable[[Floats, Floats], float | None] | None = None
    interval: Callable[[Floats, Floats, float, int], Interval] | None = None
    each_epoch: Callable[[Floats, Floats, Floats], float | None] | None = None
    of_lists: Callable[[Lists], Floats] | None = None

    def __post_init__(self) -> None:
        if (self.of_scores is None) == (self.of_lists is None):
            raise ValueError(f"Metric '{self.name}' takes scores or ranked lists: give one of of_scores and of_lists")

    @property
    def needs(self) -> Literal["scores", "lists"]:
        """What it is computed from."""
        return "scores" if self.of_lists is None else "lists"

    def worse(self, value: float, reference: float) -> float:
        """How much worse a value is than a reference; negative where it is better."""
        return value - reference if self.better == "less" else reference - value

    def called(self, k: int) -> str:
        """Its title, with the number of places that count."""
        return self.title.format(k=k)

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns in an evaluation: the value, and the ends of its interval where it has one."""
        ends = self.of_lists is not None or self.interval is not None
        return (self.name, f"{self.name}_low", f"{self.name}_high") if ends else (self.name,)


VALIDATION = "validation_"
"""How the columns of the metrics of validation examples begin in the history of a training."""

METRICS: Registry[Metric] = Registry("metric", "How good a model is, measured on later days.")


def register(metric: Metric) -> Metric:
    """Register a metric under its name."""
    return METRICS.register(metric.name, metric)


def needing(what: Literal["scores", "lists"]) -> tuple[Metric, ...]:
    """The metrics that are computed from scores, or from ranked lists."""
    return tuple(metric for metric in METRICS.entries().values() if metric.needs == what)


def titles(row: Mapping[str, Any], k: int, metrics: Iterable[Metric] = ()) -> list[str]:
    """What is known of a row of an evaluation, for people: `AUC 0.8012`."""
    return [
        f"{metric.called(k)} {row[metric.name]:.4f}"
        for metric in metrics or METRICS.entries().values()
        if row.get(metric.name) is not None
    ]


MetricName = Annotated[str, NameOf(METRICS)]
"""The name of a registered metric."""
