"""Drift of labelling functions between two partitions is news only when it is more than chance."""

import numpy as np
import polars as pl
import pytest

from assets.labeling import LabelsSpec, analyse, drift

FUNCTIONS = [
    {"name": "up", "vote": "yes", "when": "n > 0"},
    {"name": "down", "vote": "no", "when": "n < 0"},
    {"name": "odd", "vote": "yes", "when": "n > 9"},
]
SPEC = LabelsSpec.model_validate(
    {"name": "x", "from": "e", "unit": "u", "labels": ["no", "yes"], "functions": FUNCTIONS}
)


def analysis(*shares, rows=10_000, accuracies=(0.8, 0.8, 0.8), values=(1, 0, 1)):
    counts = [int(share * rows) for share in shares]
    patterns = [[-1, -1, -1]] + [[value if f == g else -1 for g in range(3)] for f, value in enumerate(values)]
    frame = pl.DataFrame(patterns, schema=dict.fromkeys(SPEC.vote_columns, pl.Int8), orient="row")
    frame = frame.with_columns(rows=pl.Series([rows - sum(counts), *counts]))
    return analyse(frame, SPEC, learned_accuracies=np.array(accuracies))


def reasons(before, after):
    return dict(drift(before, after).select("function", "reasons").iter_rows())


def test_same_analysis_has_not_drifted():
    got = drift(analysis(0.3, 0.2, 0.1), analysis(0.3, 0.2, 0.1))
    assert got["drifted"].to_list() == [False] * 3
    assert got["coverage_change"].to_list() == [0.0] * 3


def test_change_of_coverage_is_reported_with_its_numbers():
    got = reasons(analysis(0.3, 0.2, 0.1), analysis(0.45, 0.22, 0.1))
    assert got == {"up": ["coverage 0.300 -> 0.450"], "down": [], "odd": []}


def test_change_that_chance_explains_is_no_drift():
    assert reasons(analysis(0.3, 0.2, 0.1), analysis(0.45, 0.2, 0.1, rows=40))["up"] == []


def test_function_that_fell_silent_has_drifted_however_rare_it_was():
    assert reasons(analysis(0.3, 0.2, 0.01), analysis(0.3, 0.2, 0.0))["odd"] == ["fell silent"]


def test_change_of_accuracy_and_new_labels_are_reported():
    after = analysis(0.3, 0.2, 0.1, accuracies=(0.6, 0.8, 0.8), values=(1, 1, 1))
    assert reasons(analysis(0.3, 0.2, 0.1), after) == {
        "up": ["learned_accuracy 0.800 -> 0.600"],
        "down": ["votes yes for the first time"],
        "odd": [],
    }


def test_new_and_removed_functions_are_named():
    whole = analysis(0.3, 0.2, 0.1)
    got = reasons(whole.filter(pl.col("function") != "odd"), whole.filter(pl.col("function") != "up"))
    assert got == {"down": [], "odd": ["new function"], "up": ["removed function"]}


@pytest.mark.parametrize("empty", [True, False])
def test_empty_partition_is_no_drift(empty):
    nothing = analysis(0, 0, 0, rows=0)
    pair = (nothing, analysis(0.3, 0.2, 0.1)) if empty else (analysis(0.3, 0.2, 0.1), nothing)
    assert drift(*pair)["drifted"].to_list() == [False] * 3
