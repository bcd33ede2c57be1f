"""What every registered method of labelling keeps to, and that a method registered elsewhere is one like any other."""

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from assets.labeling import LabelsSpec, label
from assets.labeling.errors import LabelModelError
from assets.labeling.method import METHODS, LabelMethod, Outcome

FUNCTIONS = [
    {"name": f"f{n}", "vote": vote, "when": f"x{n} > 0"}
    for n, vote in enumerate(["ignored", "engaged", "engaged", "ignored"])
]


def declared(method):
    return LabelsSpec.model_validate(
        {
            "name": "liking",
            "from": "events",
            "unit": "user",
            "labels": ["ignored", "engaged"],
            "functions": FUNCTIONS,
            "method": method,
            "epochs": 20,
        }
    )


def voted(seed=0, rows=400):
    rng = np.random.default_rng(seed)
    truth = rng.random(rows) < 0.4
    right = [~truth, truth, truth, ~truth]
    columns = {f"x{n}": (right[n] & (rng.random(rows) < 0.5)) | (rng.random(rows) < 0.08) for n in range(4)}
    return pl.DataFrame(
        {"user": [str(n) for n in range(rows)], **{k: v.astype(int) for k, v in columns.items()}}
    ).lazy()


@pytest.fixture(params=METHODS.names())
def method(request):
    return request.param


def test_it_gives_each_unit_with_a_vote_probabilities_that_sum_to_one(method):
    got = label(voted(), declared(method))
    assert (got.method, got.why) == (method, "")
    covered = got.frame.filter("covered")
    assert 0 < covered.height < got.frame.height
    assert covered["probabilities"].list.sum().is_between(0.99999, 1.00001).all()
    assert got.frame.filter(~pl.col("covered"))["label"].null_count() == got.frame.height - covered.height
    assert sum(got.class_balance.values()) == pytest.approx(1, abs=1e-5)


def test_the_same_votes_give_the_same_labels(method):
    first, again = (label(voted(), declared(method)).frame for _ in range(2))
    assert first.equals(again)


class Contrary(LabelMethod):
    """The first label is certain, unless there are few units."""

    def check(self, spec):
        if len(spec.labels) > 2:
            raise spec.fail("of two labels only.", "labels")

    def class_balance(self, patterns, rows, cardinality):
        del patterns, rows
        return np.full(cardinality, 1 / cardinality), "nothing"

    def outcome(self, window, patterns, class_balance, spec):
        del class_balance, spec
        if window.rows.sum() < 100:
            raise LabelModelError("too few units")
        return Outcome(np.tile([1.0, 0.0], (len(patterns), 1)), "contrary")


def test_a_method_registered_elsewhere_is_declared_shown_and_falls_back():
    with METHODS.temporarily("contrary", Contrary()):
        got = label(voted(), declared("contrary"))
        assert got.method == "contrary"
        assert set(got.frame["label"].drop_nulls()) == {"ignored"}
        few = label(voted(rows=20), declared("contrary"))
        assert (few.method, few.why) == ("majority_vote", "too few units")
        assert "contrary" in LabelsSpec.model_json_schema()["properties"]["method"]["enum"]
        with pytest.raises(ValidationError, match="Label method 'contrary_' is unknown; did you mean 'contrary'"):
            declared("contrary_")
    with pytest.raises(ValidationError, match="Label method 'contrary' is unknown"):
        declared("contrary")
