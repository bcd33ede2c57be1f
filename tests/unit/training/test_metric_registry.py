"""A metric is one file: registered, it works in bounds, schema, messages, evaluations, cards, tables and plots."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from assets.components import plots
from assets.components.model import _compared
from assets.stages.day import DayResult
from training.bless import bless
from training.card import render_card
from training.evaluate.measure import OnRanking
from training.evaluate.quality import quality
from training.evaluate.ranking import rank_users
from training.evaluate.run import _line, _ranked
from training.metrics.metric import METRICS, Metric
from training.spec import BlessSpec


def squared_distance(labels, probabilities):
    return float(np.mean((labels - probabilities) ** 2))


BRIER = Metric(
    name="brier",
    title="Brier score",
    better="less",
    describes="Mean squared distance of probability and label.",
    of_scores=squared_distance,
    each_epoch=lambda labels, probabilities, _weights: squared_distance(labels, probabilities),
)
FIRST = Metric(
    name="first_place",
    title="hits at 1 of {k}",
    better="more",
    describes="Whether a relevant item stands first.",
    of_lists=lambda lists: lists.total(np.where(lists.place == 0, lists.relevant, 0)),
)


@pytest.fixture(autouse=True)
def _registered():
    with METRICS.temporarily("brier", BRIER), METRICS.temporarily("first_place", FIRST):
        yield


def row(name, kind, **metrics):
    return {"name": name, "kind": kind, "compared_with": "float", "bytes": 10, "gzip_bytes": 9, **metrics}


ROWS = [
    row("float", "reference", brier=0.20, first_place=0.5),
    row("good", "candidate", brier=0.21, first_place=0.5),
    row("bad", "candidate", brier=0.30, first_place=0.1),
]


def test_a_bound_may_speak_of_it_and_a_misspelt_one_is_answered_with_the_nearest():
    assert BlessSpec.model_validate({"metric": "brier"}).metric == "brier"
    with pytest.raises(ValidationError, match=r"Metric 'briar' is unknown; did you mean 'brier'\?"):
        BlessSpec.model_validate({"metric": "briar"})
    assert TypeAdapter(BlessSpec).json_schema()["properties"]["metric"]["enum"] == list(METRICS.names())


def test_it_is_computed_for_every_example_and_every_list():
    labels, probabilities = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    assert quality(labels, probabilities, seed=1)["brier"] == 0.25
    assert quality(labels[:0], probabilities[:0], seed=1)["brier"] is None
    users, scores = np.array([0, 0, 1, 1]), np.array([0.9, 0.1, 0.5, 0.5])
    ranked = rank_users(users, scores, np.array([1.0, 0, 1, 0]), k=1)
    np.testing.assert_array_equal(ranked.values["first_place"], [1, 0.5])
    values = {metric: {"float": each} for metric, each in ranked.values.items()}
    found = _ranked("float", OnRanking(values=values, users=2), seed=1)
    assert found["first_place_low"] <= found["first_place"] == 0.75 <= found["first_place_high"]
    assert _ranked("nobody", OnRanking(), seed=1)["first_place"] is None


@pytest.mark.parametrize(("metric", "worse"), [("brier", "0.1000"), ("first_place", "0.4000")])
def test_its_direction_decides_the_verdict(metric, worse):
    verdict = bless({"candidates": ROWS}, BlessSpec(metric=metric, max_drop_vs_float=0.05, max_bytes_ratio=1))
    assert verdict.candidate == "good"
    assert f"{metric} is {worse} worse than float" in verdict.considered[1].failed[0]


def test_people_see_it_in_the_line_the_card_the_table_and_the_plot():
    assert "Brier score 0.2000, hits at 1 of 5 0.5000" in _line(ROWS[0], 5)
    evaluation = {"k": 5, "candidates": ROWS}
    card = {
        "model": {"name": "m", "family": {"kind": "ranker"}, "seed": 1},
        "data": {"table": "t", "version": 1, "days": {}, "parts": {}},
        "verdict": {"reasons": []},
        "evaluation": evaluation,
        **dict.fromkeys(("version", "candidate", "as_of", "bytes", "sha256"), "x"),
    }
    head = next(line for line in render_card(card).splitlines() if line.startswith("| model"))
    assert head.startswith("| model | Brier score | hits at 1 of 5 | bytes")
    shown = _compared(DayResult(None, "published", {"evaluation": evaluation}), "brier")
    assert {"brier", "first_place"} <= shown["candidates"].records[0].data.keys()
    assert "brier against size" in shown["candidates_plot"].value


def test_the_curves_of_training_show_validation_beside_training():
    history = [
        {"epoch": 1, "loss": 0.7, "validation_log_loss": 0.6, "validation_auc": 0.5, "validation_brier": 0.3},
        {"epoch": 2, "loss": 0.6, "validation_log_loss": 0.5, "validation_auc": None, "validation_brier": 0.2},
    ]
    told = plots.training_curves(history)["training_plot"].value.partition("](")[0]
    assert told == "![By epoch: training, validation, validation AUC, validation Brier score"
    alone = plots.training_curves([{"epoch": 1, "loss": 0.7}])["training_plot"].value
    assert alone.startswith("![By epoch: training](")
    assert plots.training_curves([]) == {}


def test_a_metric_says_what_it_takes():
    with pytest.raises(ValueError, match="give one of of_scores and of_lists"):
        Metric(name="nothing", title="nothing", better="more", describes="Nothing.")
