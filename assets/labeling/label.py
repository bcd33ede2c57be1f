"""Weak labels: votes become probabilities, by the label model or, where it cannot be fitted, by the majority."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assets.labeling.analysis import DIGITS, analyse
from assets.labeling.check import OUTCOME, check_gold
from assets.labeling.class_balance import balance_from_gold
from assets.labeling.gold import gold_patterns, true_labels
from assets.labeling.majority import Floats, Matrix, choose, votes_by_label
from assets.labeling.method import METHODS, Window
from assets.labeling.outcome import find_outcome
from assets.labeling.spec import LabelsSpec
from assets.labeling.votes import ROWS, count_patterns, votes

FEWEST_GOLD_ROWS = 50
"""A smaller gold set measures the functions, and does not give the class balance."""


@dataclass(frozen=True)
class Labeled:
    """Weak labels of one partition.

    Attributes:
        frame: The table of labels: units, votes, `covered`, `label`, `majority`, `probability`, `probabilities`. On
            units without any vote the last four are null: the label model would give them nothing but the class
            balance. Ties go to the more frequent label, then to the one declared first.
        analysis: One row a function, see `analyse`.
        class_balance: Share of each label, as used.
        method: What made the probabilities.
        why: Why not the declared method; else empty.
        report: All the rest that is worth recording, as JSON: a function of the input and the seed alone.
    """

    frame: pl.DataFrame
    analysis: pl.DataFrame
    class_balance: Mapping[str, float]
    method: str
    why: str
    report: Mapping[str, Any]


def label(units: pl.LazyFrame, spec: LabelsSpec, *, pattern_counts: pl.DataFrame | None = None) -> Labeled:
    """Let all functions vote on the units of a day, and turn the votes into labels.

    Probabilities are rounded to six digits, which is what the label model's 32-bit parameters hold. The same units,
    declaration and seed give the same bytes in any process on the same kind of processor; the global random state of
    the process is left as it was.

    Args:
        units: One row a unit, as `units` gives them.
        spec: The declaration.
        pattern_counts: Counts of vote patterns (`count_patterns`) of earlier days in the fit window, from which the
            label model learns beside this day. Left out, and recorded so, when they are of other functions.

    Raises:
        LabelsError: A function or the gold column does not fit the units, or gives something that is no label.
    """
    check_gold(spec, units.collect_schema())
    frame = votes(units, spec).collect(engine="in-memory")
    today = count_patterns(frame.lazy(), spec).collect()
    window, window_note = _merge(today, pattern_counts, spec)
    gold = true_labels(frame, spec)
    learned_from = Window(_matrix(window, spec), window[ROWS].to_numpy().astype(np.int64))
    estimated, balance_from = _class_balance(learned_from, gold, spec)
    # What is recorded is what was used; and the last bits, which depend on how sums were split, do not matter.
    balance = np.round(estimated, DIGITS)
    patterns = _matrix(today, spec)
    outcome = find_outcome(learned_from, patterns, balance, spec)
    labelled = _outcomes(today, patterns, outcome.scores, balance, spec)
    joined = frame.join(labelled, on=spec.vote_columns, how="left", maintain_order="left").drop(ROWS)
    shares = dict(zip(spec.labels, balance.tolist(), strict=True))
    report = {
        "method": outcome.by,
        "why": outcome.why,
        "rows": frame.height,
        "covered": int(joined["covered"].sum()),
        "patterns": today.height,
        "fitted_on": {
            "rows": int(learned_from.rows.sum()),
            "patterns": window.height,
            "which": spec.fit_on,
            "note": window_note,
        },
        "class_balance": shares,
        "class_balance_from": balance_from,
        "labels": {name: int((joined["label"] == name).sum()) for name in spec.labels},
        "agreement_with_majority": _share(joined, pl.col("label") == pl.col("majority")),
        "gold": _accuracy(joined, gold, spec),
        "seed": spec.seed,
        "epochs": spec.epochs,
    }
    analysis = analyse(today, spec, learned_accuracies=outcome.accuracies, gold=gold_patterns(frame, gold, spec))
    return Labeled(joined, analysis, shares, outcome.by, outcome.why, report)


def _matrix(patterns: pl.DataFrame, spec: LabelsSpec) -> Matrix:
    return patterns.select(spec.vote_columns).to_numpy().astype(np.int64)


def _merge(today: pl.DataFrame, earlier: pl.DataFrame | None, spec: LabelsSpec) -> tuple[pl.DataFrame, str]:
    if earlier is None:
        return today, ""
    columns = [*spec.vote_columns, ROWS]
    if set(earlier.columns) != set(columns):
        return today, "earlier days were voted on by other functions, so the label model learned from this day alone"
    both = pl.concat([today, earlier.select(columns).cast(today.schema)])
    return both.group_by(spec.vote_columns).agg(pl.col(ROWS).sum()).sort(spec.vote_columns), ""


def _class_balance(window: Window, gold: pl.Series | None, spec: LabelsSpec) -> tuple[Floats, str]:
    cardinality = len(spec.labels)
    if spec.class_balance is not None:
        return np.array([spec.class_balance[name] for name in spec.labels]), "declared"
    known = gold.drop_nulls().to_numpy() if gold is not None else np.array([], dtype=np.int64)
    if len(known) >= FEWEST_GOLD_ROWS:
        return balance_from_gold(np.bincount(known, minlength=cardinality)), f"gold ({len(known)} units)"
    if not window.labels.size:
        return np.full(cardinality, 1 / cardinality), "nothing: no function votes"
    voting = window.patterns[:, window.functions]
    return METHODS[spec.method].class_balance(voting, window.rows, cardinality)


def _outcomes(today: pl.DataFrame, patterns: Matrix, scores: Floats, balance: Floats, spec: LabelsSpec) -> pl.DataFrame:
    covered = pl.Series("covered", (patterns >= 0).any(axis=1), pl.Boolean())
    rounded = np.round(scores, DIGITS)
    majority = choose(votes_by_label(patterns, len(spec.labels)), balance)
    values = {
        "label": pl.Series(choose(rounded, balance)),
        "majority": pl.Series(majority),
        "probability": pl.Series(rounded[:, -1]),
        "probabilities": pl.Series(rounded.tolist(), dtype=OUTCOME["probabilities"]),
    }
    names = dict(enumerate(spec.labels))
    named = {
        column: value.replace_strict(names, return_dtype=pl.String) if column in ("label", "majority") else value
        for column, value in values.items()
    }
    masked = today.with_columns(covered, *(value.alias(column) for column, value in named.items()))
    return masked.with_columns(
        pl.when("covered").then(pl.col(column)).otherwise(None).cast(OUTCOME[column]).alias(column) for column in values
    )


def _accuracy(labelled: pl.DataFrame, gold: pl.Series | None, spec: LabelsSpec) -> dict[str, Any] | None:
    if gold is None:
        return None
    truth = labelled.with_columns(gold.replace_strict(dict(enumerate(spec.labels)), return_dtype=pl.String))
    known = truth.filter("covered", pl.col("gold").is_not_null())
    return {
        "rows": len(gold.drop_nulls()),
        "covered": known.height,
        "label": _share(known, pl.col("label") == pl.col("gold")),
        "majority": _share(known, pl.col("majority") == pl.col("gold")),
    }


def _share(frame: pl.DataFrame, condition: pl.Expr) -> float | None:
    share = frame.select(condition.mean()).item()
    return None if share is None else round(float(share), DIGITS)
