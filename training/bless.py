"""The verdict that lets a compressed candidate replace the champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from training.metrics import METRICS
from training.spec import BlessSpec


@dataclass(frozen=True)
class Considered:
    """One candidate as it was judged.

    Attributes:
        name: The candidate.
        value: Its metric.
        bytes: Size of its file.
        gzip_bytes: Size of its file, gzipped: what travels.
        failed: The bounds that it does not meet, in words; empty when it meets all.
    """

    name: str
    value: float
    bytes: int
    gzip_bytes: int
    failed: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """Which candidate is blessed, and why.

    Attributes:
        candidate: Its name, or None when no candidate meets every bound.
        reasons: Sentences for people.
        considered: Every candidate with the bounds that it does not meet.
    """

    candidate: str | None
    reasons: tuple[str, ...]
    considered: tuple[Considered, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "candidate": self.candidate,
            "reasons": list(self.reasons),
            "considered": [{**asdict(one), "failed": list(one.failed)} for one in self.considered],
        }


class EvaluationError(ValueError):
    """An evaluation lacks what the bounds speak of."""


def bless(evaluation: Mapping[str, Any], bounds: BlessSpec) -> Verdict:
    """Choose the smallest candidate, by gzipped bytes, that meets every declared bound.

    Args:
        evaluation: As `python -m training` writes it: rows under `candidates`, each with `name`, `kind`
            (`candidate`, `reference`, `champion`, `baseline`), the metrics, `bytes` and `gzip_bytes`; a candidate
            names under `compared_with` the reference that had the same training.
        bounds: What the model's declaration demands.

    Raises:
        EvaluationError: The float model, or a candidate's reference, is not among the rows.
    """
    rows = {row["name"]: row for row in evaluation["candidates"]}
    if "float" not in rows:
        raise EvaluationError("The evaluation has no row 'float' to compare candidates with; evaluate again.")
    champion = next((row for row in rows.values() if row["kind"] == "champion"), None)
    considered = tuple(_judge(row, rows, champion, bounds) for row in rows.values() if row["kind"] == "candidate")
    good = sorted((one for one in considered if not one.failed), key=lambda one: (one.gzip_bytes, one.bytes, one.name))
    if not good:
        return Verdict(
            None,
            tuple(f"{one.name}: {'; '.join(one.failed)}" for one in considered)
            or ("There is no candidate: declare `compress`, or allow the float model with `max_bytes_ratio: 1`.",),
            considered,
        )
    best = good[0]
    ratio = best.bytes / rows["float"]["bytes"]
    reasons = [
        (
            f"{best.name} is the smallest of {len(good)} candidates within every bound: {best.gzip_bytes} bytes "
            f"gzipped, {best.bytes} raw ({ratio:.0%} of float)."
        ),
        f"{bounds.metric} {best.value:.4f}, float {_value(rows['float'], bounds):.4f}"
        + (
            f", champion {_value(champion, bounds):.4f}."
            if champion
            else f"; {evaluation.get('champion_note') or 'there is no champion yet'}."
        ),
    ]
    return Verdict(best.name, tuple(reasons), considered)


def _judge(
    row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]], champion: Mapping[str, Any] | None, bounds: BlessSpec
) -> Considered:
    reference = rows.get(row.get("compared_with", "float"))
    if reference is None:
        raise EvaluationError(f"Candidate '{row['name']}' is compared with '{row['compared_with']}', which has no row.")
    value, metric = _value(row, bounds), METRICS[bounds.metric]
    failed = []
    drop = metric.worse(value, _value(reference, bounds))
    if drop > bounds.max_drop_vs_float:
        failed.append(
            f"{bounds.metric} is {drop:.4f} worse than {reference['name']}, allowed is {bounds.max_drop_vs_float}"
        )
    ratio = row["bytes"] / rows["float"]["bytes"]
    if ratio > bounds.max_bytes_ratio:
        failed.append(f"its file is {ratio:.0%} of the float model's, allowed is {bounds.max_bytes_ratio:.0%}")
    if champion is not None:
        drop = metric.worse(value, _value(champion, bounds))
        if drop > bounds.max_drop_vs_champion:
            failed.append(
                f"{bounds.metric} is {drop:.4f} worse than the champion, allowed is {bounds.max_drop_vs_champion}"
            )
    if bounds.minimum is not None and metric.worse(value, bounds.minimum) > 0:
        failed.append(f"{bounds.metric} {value:.4f} misses the declared minimum {bounds.minimum}")
    return Considered(row["name"], value, int(row["bytes"]), int(row["gzip_bytes"]), tuple(failed))


def _value(row: Mapping[str, Any], bounds: BlessSpec) -> float:
    value = row.get(bounds.metric)
    if value is None:
        raise EvaluationError(
            f"The evaluation has no {bounds.metric} of '{row['name']}'. Evaluate again, or bless by another metric."
        )
    return float(value)
