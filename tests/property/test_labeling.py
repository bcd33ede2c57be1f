"""Invariants of labels over random events and votes."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from polars.testing import assert_frame_equal

from assets.labeling import LabelsSpec, analyse, count_patterns, label, units, votes

FUNCTIONS = 4
VOTES = st_numpy.arrays(np.int8, st.tuples(st.integers(1, 60), st.just(FUNCTIONS)), elements=st.integers(-1, 2))


def given_votes(**changes) -> LabelsSpec:
    return LabelsSpec.model_validate(
        {
            "name": "given",
            "from": "events",
            "unit": "row",
            "labels": ["a", "b", "c"],
            "functions": [
                {"name": f"f{function}_{name}", "vote": name, "when": f"f{function} = {value}"}
                for function in range(FUNCTIONS)
                for value, name in enumerate("abc")
            ],
            "minimum_rows_to_fit": 1,
            "epochs": 5,
            **changes,
        }
    )


def frame(matrix: np.ndarray) -> pl.LazyFrame:
    columns = {f"f{index}": matrix[:, index] for index in range(FUNCTIONS)}
    return pl.LazyFrame({"row": np.arange(len(matrix)), **columns})


@settings(max_examples=25, deadline=None)
@given(VOTES, st.randoms(use_true_random=False))
def test_labels_belong_to_votes_and_not_to_the_place_of_the_row(matrix, random):
    order = list(range(len(matrix)))
    random.shuffle(order)
    spec = given_votes()
    got = label(frame(matrix), spec).frame
    shuffled = label(frame(matrix).select(pl.all().gather(order)), spec).frame
    assert_frame_equal(got, shuffled.sort("row"), check_exact=True)


@settings(max_examples=25, deadline=None)
@given(VOTES)
def test_every_unit_is_kept_and_masked_exactly_where_nobody_votes(matrix):
    result = label(frame(matrix), given_votes())
    got = result.frame
    covered = (matrix >= 0).any(axis=1)
    assert got["row"].to_list() == list(range(len(matrix)))
    assert got["covered"].to_list() == covered.tolist()
    for column in ("label", "majority", "probability", "probabilities"):
        assert got[column].is_not_null().to_list() == covered.tolist()
    probabilities = np.array(got["probabilities"].drop_nulls().to_list()).reshape(-1, 3)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=3e-6)
    assert abs(sum(result.class_balance.values()) - 1) < 3e-6


@settings(max_examples=50, deadline=None)
@given(VOTES)
def test_majority_has_the_most_votes(matrix):
    got = label(frame(matrix), given_votes(method="majority_vote")).frame
    for row, chosen in zip(matrix.tolist(), got["majority"].to_list(), strict=True):
        counts = [row.count(value) for value in range(3)]
        assert chosen is None if not sum(counts) else counts["abc".index(chosen)] == max(counts)


@settings(max_examples=30, deadline=None)
@given(VOTES)
def test_counts_of_patterns_lose_no_row_and_analysis_no_vote(matrix):
    spec = given_votes()
    patterns = count_patterns(votes(frame(matrix), spec), spec).collect()
    assert patterns["rows"].sum() == len(matrix)
    analysis = analyse(patterns, spec)
    assert analysis["votes"].sum() == int((matrix >= 0).sum())
    assert (analysis["conflicts"] <= analysis["overlaps"]).all()
    assert (analysis["overlaps"] <= analysis["coverage"]).all()


EVENTS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.one_of(st.none(), st.sampled_from(["view", "buy"])),
        st.one_of(st.none(), st.floats(-1e6, 1e6)),
        st.integers(0, 5),
    ),
    max_size=40,
)


@settings(max_examples=50, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_units_add_up_to_their_events_whatever_their_order(rows, random):
    spec = LabelsSpec.model_validate(
        {
            "name": "u",
            "from": "events",
            "unit": "user",
            "aggregate": {
                "bought": "sum(kind = 'buy')",
                "net": "sum(kind = 'buy') - sum(kind = 'view')",
                "seconds": "sum(seconds)",
                "events": "count(*)",
            },
            "labels": ["no", "yes"],
            "functions": [{"name": "f", "vote": "yes", "when": "bought > 0"}],
            "method": "majority_vote",
        }
    )
    schema = {"user": pl.String, "kind": pl.String, "seconds": pl.Float64, "ts": pl.Int64}
    got = units(pl.LazyFrame(rows, schema=schema, orient="row"), spec).collect()
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert_frame_equal(
        got, units(pl.LazyFrame(shuffled, schema=schema, orient="row"), spec).collect(), check_exact=True
    )
    assert got["user"].to_list() == sorted({row[0] for row in rows})
    for unit in got.iter_rows(named=True):
        own = [row for row in rows if row[0] == unit["user"]]
        # As in SQL: nulls are passed over, and where nothing is known the sum is null.
        kinds, seconds = ([row[place] for row in own if row[place] is not None] for place in (1, 2))
        bought, viewed = (kinds.count(kind) for kind in ("buy", "view"))
        counts = (bought, bought - viewed) if kinds else (None, None)
        assert (unit["bought"], unit["net"], unit["events"]) == (*counts, len(own))
        assert unit["time"] == min(row[3] for row in own)
        if seconds:
            assert abs(unit["seconds"] - sum(seconds)) < 1e-6
        else:
            assert unit["seconds"] is None
