"""Votes become labels: by the label model, by the majority where it cannot be fitted, and never where nobody votes."""

import random

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assets.labeling import LabelsError, LabelsSpec, check_labels, count_patterns, label


def declared(functions=5, labels=("ignored", "engaged"), **changes) -> LabelsSpec:
    """Functions that vote what stands in their column: a matrix of votes in the shape of units."""
    return LabelsSpec.model_validate(
        {
            "name": "given",
            "from": "events",
            "unit": ["unit"],
            "labels": labels,
            "functions": [{"name": f"f{index}", "python": f"votes_as_given:f{index}"} for index in range(functions)],
            **changes,
        }
    )


@pytest.fixture(autouse=True)
def _votes_as_given(tmp_path, monkeypatch):
    body = "\n".join(f"def f{index}():\n    return pl.col('given_{index}')\n" for index in range(8))
    (tmp_path / "votes_as_given.py").write_text(f"import polars as pl\n{body}")
    monkeypatch.syspath_prepend(tmp_path)


def given(matrix: np.ndarray, **columns) -> pl.LazyFrame:
    votes = {f"given_{index}": pl.Series(column, dtype=pl.Int64) for index, column in enumerate(matrix.T)}
    return pl.LazyFrame({"unit": np.arange(len(matrix)), **votes, **columns})


def drawn(rows=3000, *, balance=(0.8, 0.2), accuracy=0.8, coverage=0.4, functions=5, seed=0):
    rng = np.random.default_rng(seed)
    labels = len(balance)
    truth = rng.choice(labels, rows, p=balance)
    right = rng.random((rows, functions)) < accuracy
    other = (truth[:, None] + rng.integers(1, labels, (rows, functions))) % labels
    voted = rng.random((rows, functions)) < coverage
    return np.where(voted, np.where(right, truth[:, None], other), -1), truth


def test_label_model_beats_the_majority_and_finds_the_class_balance():
    accuracies = [0.95, 0.9, 0.6, 0.6, 0.55]
    matrix, truth = drawn(20_000, accuracy=np.array(accuracies))
    got = label(given(matrix), declared())
    covered = got.frame["covered"].to_numpy()
    right = got.frame["label"].to_numpy() == np.array(["ignored", "engaged"])[truth]
    majority = got.frame["majority"].to_numpy() == np.array(["ignored", "engaged"])[truth]
    assert got.method == "label_model"
    assert got.why == ""
    assert right[covered].mean() > majority[covered].mean() + 0.005
    assert got.class_balance["engaged"] == pytest.approx(0.2, abs=0.05)
    assert got.report["class_balance_from"] == "votes"
    assert got.analysis["learned_accuracy"].to_list() == pytest.approx(accuracies, abs=0.1)


def test_units_without_a_vote_are_masked():
    matrix, _ = drawn(coverage=0.2)
    got = label(given(matrix), declared()).frame
    silent = (matrix < 0).all(axis=1)
    assert 0.2 < silent.mean() < 0.5
    assert got["covered"].to_list() == (~silent).tolist()
    for column in ("label", "majority", "probability", "probabilities"):
        assert got[column].is_null().to_list() == silent.tolist()


def test_probability_is_that_of_the_last_label_and_the_label_is_the_most_probable():
    matrix, _ = drawn(balance=(0.5, 0.3, 0.2), functions=6)
    got = label(given(matrix), declared(6, ("a", "b", "c"))).frame.filter("covered")
    probabilities = np.array(got["probabilities"].to_list())
    assert got["probability"].to_list() == probabilities[:, 2].tolist()
    assert np.abs(probabilities.sum(axis=1) - 1).max() < 3e-6
    assert got["label"].to_list() == np.array(["a", "b", "c"])[probabilities.argmax(axis=1)].tolist()


def test_schema_is_the_one_announced_when_definitions_load_even_for_an_empty_day():
    matrix, _ = drawn()
    events = {"unit": pl.Int64(), "ts": pl.Datetime("us", "UTC"), **{f"n{n}": pl.Int64() for n in range(3)}}
    spec = LabelsSpec.model_validate(
        {
            "name": "x",
            "from": "events",
            "unit": "unit",
            "aggregate": {"n": "count(*)"},
            "labels": ["no", "yes"],
            "functions": [
                {"name": "a", "vote": "yes", "when": "n > 1"},
                {"name": "b", "vote": "no", "when": "n = 1"},
                {"name": "c", "vote": "yes", "when": "n > 2"},
            ],
        }
    )
    announced = check_labels(spec, events)
    empty = pl.LazyFrame(schema={name: kind for name, kind in announced.items() if name in ("unit", "time", "n")})
    got = label(empty, spec)
    assert got.frame.schema == announced
    assert got.frame.height == 0
    assert got.method == "majority_vote"
    assert got.why.startswith("0 units have a vote, fewer than 100")
    assert got.analysis.height == 3
    assert (
        label(given(matrix), declared()).analysis.schema
        == got.analysis.rename({"votes_no": "votes_ignored", "votes_yes": "votes_engaged"}).schema
    )


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        (drawn(30)[0], "units have a vote, fewer than 100"),
        (np.where(drawn()[0] >= 0, 1, -1), "every vote is for 'engaged'"),
        (np.where(np.arange(5) < 2, drawn()[0], -1), "2 functions vote, and the label model needs 3"),
        (np.tile([0, 1, 1, -1, -1], (500, 1)), "all units with a vote have the same votes"),
        (np.full((500, 5), -1), "0 units have a vote"),
    ],
)
def test_majority_decides_where_the_label_model_cannot_be_fitted(matrix, why):
    got = label(given(matrix), declared())
    assert got.method == "majority_vote"
    assert why in got.why
    assert got.report["why"] == got.why
    covered = got.frame.filter("covered")
    assert covered["label"].to_list() == covered["majority"].to_list()
    assert got.analysis["learned_accuracy"].null_count() == 5


def test_majority_vote_gives_shares_of_votes_and_breaks_ties_for_the_frequent_label():
    matrix = np.array([[0, 0, 1], [1, -1, -1], [0, 1, -1], [-1, -1, -1], [1, 1, 0], [1, 1, 1]])
    got = label(given(matrix), declared(3, method="majority_vote"))
    assert got.why == ""
    assert got.frame["probability"].to_list() == [0.333333, 1.0, 0.5, None, 0.666667, 1.0]
    # Most votes are for `engaged`, so the tie in the third row goes to it; equal shares would give `ignored`.
    assert got.frame["label"].to_list() == ["ignored", "engaged", "engaged", None, "engaged", "engaged"]
    declared_balance = declared(3, method="majority_vote", class_balance={"ignored": 0.5, "engaged": 0.5})
    assert label(given(matrix), declared_balance).frame["label"][2] == "ignored"


def test_declared_class_balance_is_used_and_recorded():
    matrix, _ = drawn()
    got = label(given(matrix), declared(class_balance={"ignored": 0.95, "engaged": 0.05}))
    assert got.class_balance == {"ignored": 0.95, "engaged": 0.05}
    assert got.report["class_balance_from"] == "declared"
    other = label(given(matrix), declared(class_balance={"ignored": 0.5, "engaged": 0.5}))
    assert got.frame["probability"].mean() < other.frame["probability"].mean()


def test_gold_measures_functions_and_gives_the_class_balance():
    matrix, truth = drawn(5000, accuracy=0.9)
    names = np.array(["ignored", "engaged"], dtype=object)[truth]
    names[1000:] = None
    spec = declared(aggregate={"truth": "max(kind)"}, gold="truth")
    got = label(given(matrix, truth=pl.Series(names, dtype=pl.String)), spec)
    assert got.report["class_balance_from"] == "gold (1000 units)"
    assert got.class_balance["engaged"] == pytest.approx((truth[:1000].sum() + 1) / 1002, abs=1e-6)
    known = matrix[:1000]
    assert got.analysis["gold_votes"].to_list() == (known >= 0).sum(axis=0).tolist()
    expected = [(known[:, f][known[:, f] >= 0] == truth[:1000][known[:, f] >= 0]).mean() for f in range(5)]
    assert got.analysis["gold_accuracy"].to_list() == pytest.approx(expected, abs=1e-6)
    covered = (known >= 0).any(axis=1)
    right = (got.frame["label"].to_numpy()[:1000] == names[:1000])[covered].mean()
    assert got.report["gold"]["rows"] == 1000
    assert got.report["gold"]["covered"] == covered.sum()
    assert got.report["gold"]["label"] == pytest.approx(right, abs=1e-6)


def test_small_gold_set_does_not_give_the_class_balance():
    matrix, truth = drawn()
    gold = pl.Series([int(value) if row < 20 else None for row, value in enumerate(truth)], dtype=pl.Int64)
    got = label(given(matrix, truth=gold), declared(aggregate={"truth": "max(kind)"}, gold="truth"))
    assert got.report["class_balance_from"] == "votes"
    assert got.report["gold"]["rows"] == 20


def test_gold_that_is_no_label_is_refused():
    matrix, _ = drawn(10)
    spec = declared(aggregate={"truth": "max(kind)"}, gold="truth")
    with pytest.raises(LabelsError, match=r"gold column 'truth' holds 'engagd'.*did you mean 'engaged'"):
        label(given(matrix, truth=pl.Series(["engagd"] * 10)), spec)
    with pytest.raises(LabelsError, match="gold names 'truth'"):
        label(given(matrix), spec)


def test_label_that_nobody_votes_gets_no_probability():
    matrix, _ = drawn()
    got = label(given(np.where(matrix == 1, 2, matrix)), declared(5, ("a", "b", "c")))
    assert got.method == "label_model"
    assert {row[1] for row in got.frame["probabilities"].drop_nulls().to_list()} == {0.0}
    two = label(given(matrix), declared(5, ("a", "c"), class_balance={"a": 0.8, "c": 0.2}))
    three_balance = {"a": 0.4, "b": 0.5, "c": 0.1}
    three = label(given(np.where(matrix == 1, 2, matrix)), declared(5, ("a", "b", "c"), class_balance=three_balance))
    assert three.frame["probability"].to_list() == two.frame["probability"].to_list()


def test_function_that_never_votes_changes_nothing():
    matrix, _ = drawn()
    with_silent = np.insert(matrix, 2, -1, axis=1)
    got, without = label(given(with_silent), declared(6)), label(given(matrix), declared(5))
    assert got.analysis["learned_accuracy"][2] is None
    assert got.frame["probability"].to_list() == pytest.approx(
        without.frame["probability"].to_list(), abs=2e-6, nan_ok=True
    )


def test_label_model_learns_from_earlier_days_in_the_window():
    matrix, _ = drawn(4000)
    spec = declared(fit_window="2d")
    earlier = count_patterns(label(given(matrix[60:]), spec).frame.lazy(), spec).collect()
    alone, both = label(given(matrix[:60]), spec), label(given(matrix[:60]), spec, pattern_counts=earlier)
    whole = label(given(matrix), spec)
    assert alone.method == "majority_vote"
    assert both.method == "label_model"
    assert both.report["fitted_on"]["rows"] == 4000
    assert_frame_equal(both.frame, whole.frame.head(60), check_exact=True)
    assert both.analysis["rows"].to_list() == [60] * 5


def test_earlier_days_with_other_functions_are_left_out_and_it_is_recorded():
    matrix, _ = drawn(4000)
    earlier = count_patterns(label(given(matrix), declared(5)).frame.lazy(), declared(5)).collect()
    got = label(given(matrix[:500, :4]), declared(4, fit_window="2d"), pattern_counts=earlier)
    assert got.report["fitted_on"]["rows"] == 500
    assert "other functions" in got.report["fitted_on"]["note"]


def test_fit_on_covered_units_only_is_a_choice():
    matrix, _ = drawn(coverage=0.1)
    everything, covered = label(given(matrix), declared()), label(given(matrix), declared(fit_on="covered"))
    assert everything.report["covered"] == covered.report["covered"]
    assert everything.frame["probability"].to_list() != covered.frame["probability"].to_list()


def global_state():
    import torch

    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002


def test_global_random_state_and_threads_are_left_as_they_were():
    import torch

    random.seed(1)
    np.random.seed(2)  # noqa: NPY002 - the global state is the subject
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    expected = global_state()
    got = label(given(drawn()[0]), declared())
    assert got.method == "label_model"
    assert global_state() == expected
    assert torch.get_num_threads() == threads


def test_seed_is_used():
    matrix, _ = drawn(300)
    few = {"epochs": 5}
    one, same, other = (label(given(matrix), declared(seed=seed, **few)).frame["probability"] for seed in (1, 1, 2))
    assert one.to_list() == same.to_list()
    assert one.to_list() != other.to_list()
