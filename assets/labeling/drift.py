"""How the labelling functions changed from one partition to another."""

import math

import polars as pl

COMPARED = ("coverage", "conflicts", "learned_accuracy", "gold_accuracy")
"""Columns of an analysis that are compared."""


def drift(
    before: pl.DataFrame, after: pl.DataFrame, *, largest_change: float = 0.1, standard_errors: float = 4.0
) -> pl.DataFrame:
    """Compare two analyses of the same functions.

    Coverage and conflicts count as drifted when they changed by more than `largest_change` and by more than chance
    explains (so many standard errors of the difference of two shares); accuracies when they changed by more than
    `largest_change`. A function that votes labels it did not vote before has drifted too, and so has one that fell
    silent.

    Args:
        before: Analysis of the earlier partition.
        after: Analysis of the later one.
        largest_change: Largest absolute change of a share that is no news.
        standard_errors: How many standard errors chance is given.

    Returns:
        One row for each function of either, in the order of `after`: `function`, `<column>_before`, `<column>` and
        `<column>_change` for each column compared, `drifted`, and `reasons` (empty where it has not).
    """
    earlier = {row["function"]: row for row in before.iter_rows(named=True)}
    later = {row["function"]: row for row in after.iter_rows(named=True)}
    rows = []
    for function in dict.fromkeys([*later, *earlier]):
        was, now = earlier.get(function), later.get(function)
        row: dict[str, object] = {"function": function}
        for column in COMPARED:
            old, new = (was or {}).get(column), (now or {}).get(column)
            row |= {f"{column}_before": old, column: new}
            row[f"{column}_change"] = None if old is None or new is None else round(new - old, 6)
        reasons = _reasons(was, now, row, largest_change, standard_errors)
        rows.append({**row, "drifted": bool(reasons), "reasons": reasons})
    numbers = [name for column in COMPARED for name in (f"{column}_before", column, f"{column}_change")]
    return pl.DataFrame(
        rows,
        schema={
            "function": pl.String(),
            **dict.fromkeys(numbers, pl.Float64()),
            "drifted": pl.Boolean(),
            "reasons": pl.List(pl.String()),
        },
    )


def _reasons(
    was: dict[str, object] | None,
    now: dict[str, object] | None,
    row: dict[str, object],
    largest_change: float,
    standard_errors: float,
) -> list[str]:
    if was is None or now is None:
        return ["new function"] if was is None else ["removed function"]
    rows_before, rows_after = _number(was["rows"]), _number(now["rows"])
    if not rows_before or not rows_after:
        return []
    if _number(was["votes"]) and not _number(now["votes"]) and _significant(was, now, "coverage", standard_errors):
        return ["fell silent"]
    reasons = []
    for column in COMPARED:
        change = row[f"{column}_change"]
        if change is None or abs(_number(change)) <= largest_change:
            continue
        if column in ("coverage", "conflicts") and not _significant(was, now, column, standard_errors):
            continue
        reasons.append(f"{column} {_number(row[f'{column}_before']):.3f} -> {_number(row[column]):.3f}")
    new = [label for label in _names(now["polarity"]) if label not in _names(was["polarity"])]
    if new and _names(was["polarity"]):
        reasons.append(f"votes {', '.join(new)} for the first time")
    return reasons


def _significant(was: dict[str, object], now: dict[str, object], column: str, standard_errors: float) -> bool:
    old, new = _number(was[column]), _number(now[column])
    rows_before, rows_after = _number(was["rows"]), _number(now["rows"])
    pooled = (old * rows_before + new * rows_after) / (rows_before + rows_after)
    error = math.sqrt(max(pooled * (1 - pooled), 0.0) * (1 / rows_before + 1 / rows_after))
    return abs(new - old) > standard_errors * error


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _names(value: object) -> list[str]:
    return list(value) if isinstance(value, list) else []
