"""The whole road after training, with two real workers: candidates, evaluation, blessing, publication, prediction."""

import json
import os
import shutil
import signal

import numpy as np
import polars as pl
import pytest

from foundation.store import open_store
from training.bless import bless
from training.description import read_description
from training.publish import champion, publish
from training.scoring import Scoring
from training.spec import BlessSpec, ModelSpec

pytestmark = pytest.mark.slow

MODEL = {
    "name": "small",
    "examples": "examples",
    "batch": 2048,
    "epochs": 3,
    "family": {"kind": "ranker", "hidden": [64, 32]},
    "learning_rate": 0.01,
    "compress": {"prune": {"sparsity": 0.5, "epochs": 1}},
}


def read(path):
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def data(tmp_path_factory, write_training_set):
    """Enough embeddings for the size of the file to be that of the weights."""
    return write_training_set(tmp_path_factory.mktemp("set") / "data", 24_000, 7, users=3000, items=1500)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data, run):
    out = tmp_path_factory.mktemp("trained") / "out"
    run(out.parent, {"task": "train", "model": MODEL, "data": data, "out": out})
    return out


@pytest.fixture(scope="module")
def measured(trained, data, run):
    """A run with its candidates and its evaluation, and what people saw of it."""
    compressed = run(trained.parent, {"task": "compress", "model": MODEL, "data": data, "out": trained})
    evaluated = run(trained.parent, {"task": "evaluate", "model": MODEL, "data": data, "out": trained})
    return trained, compressed.lines + evaluated.lines


@pytest.fixture(scope="module")
def rows(measured):
    return {row["name"]: row for row in read(measured[0] / "evaluation.json")["candidates"]}


@pytest.fixture(scope="module")
def published(measured, data):
    out, models = measured[0], measured[0].parent / "models"
    evaluation = read(out / "evaluation.json")
    verdict = bless(evaluation, BlessSpec(max_bytes_ratio=0.35, max_drop_vs_float=0.02))
    assert verdict.candidate in ("int8", "pruned_int8")
    store = open_store(models)
    publish(
        store,
        version="v1",
        run=out,
        encoding=data / "encoding",
        candidate=verdict.candidate,
        card={
            "model": ModelSpec.model_validate(MODEL).model_dump(mode="json"),
            "as_of": "2026-01-31",
            "verdict": verdict.to_json(),
            "evaluation": evaluation,
            "data": {"table": "examples", "version": 1, "days": {}, "parts": {}},
        },
        by="run 1",
        reason=verdict.reasons[0],
    )
    return champion(store).path


def test_every_declared_candidate_is_made_by_workers_that_agree(measured):
    out, lines = measured
    assert sorted(path.name for path in (out / "candidates").iterdir()) == [
        "float",
        "float_tuned",
        "int8",
        "pruned",
        "pruned_int8",
    ]
    assert len(set(read(out / "compress-digest.json").values())) == 1
    assert list(read(out / "compress-digest.json")) == ["worker-0", "worker-1"]
    # Those of the training stay.
    assert read(out / "digest.json") != read(out / "compress-digest.json")
    assert (out / "logs" / "worker-1.log").is_file()
    assert (out / "logs" / "compress-worker-1.log").is_file()
    assert any("small: prune: epoch 1/1: loss" in line for line in lines)
    assert any("small: pruned_int8: AUC" in line for line in lines)


def test_bytes_sparsity_and_how_are_told(measured):
    made = {path.parent.name: read(path) for path in measured[0].glob("candidates/*/candidate.json")}
    for name, one in made.items():
        assert one["bytes"] == (measured[0] / "candidates" / name / "model.tflite").stat().st_size
        assert one["gzip_bytes"] < one["bytes"]
        assert one["fallback"] is None
    assert made["int8"]["bytes"] <= 0.35 * made["float"]["bytes"]
    assert made["pruned"]["sparsity"] == pytest.approx(0.5, abs=0.01)
    assert made["pruned_int8"]["gzip_bytes"] < made["int8"]["gzip_bytes"] < 0.35 * made["float"]["gzip_bytes"]
    assert "full int8 with float input and output" in made["pruned_int8"]["how"]
    assert "50% zeros" in made["pruned_int8"]["how"]


def test_candidates_are_measured_beside_float_and_popularity(measured, rows):
    assert list(rows) == ["popularity", "float", "int8", "float_tuned", "pruned", "pruned_int8"]
    assert rows["float"]["auc"] > 0.65
    assert abs(rows["int8"]["auc"] - rows["float"]["auc"]) < 0.005
    assert abs(rows["pruned_int8"]["auc"] - rows["pruned"]["auc"]) < 0.005
    assert rows["float"]["agreement_max"] < 1e-5
    assert 0 < rows["int8"]["agreement_mean"] < 0.03
    assert {name: row["kind"] for name, row in rows.items()}["float_tuned"] == "reference"
    assert rows["pruned"]["compared_with"] == "float_tuned"
    for name, row in rows.items():
        for metric in ("ndcg", "recall"):
            assert 0 <= row[f"{metric}_low"] <= row[metric] <= row[f"{metric}_high"] <= 1
        if name != "popularity":
            assert row["auc_low"] < row["auc"] < row["auc_high"]
            assert row["calibration_error"] < 0.2
            assert 0 < row["latency_batch_us_per_row"] < row["latency_single_us"]
    evaluation = read(measured[0] / "evaluation.json")
    assert evaluation["k"] == 10
    assert evaluation["test"] == "4,800 examples of the test days, 20 users x 1,500 items"
    assert evaluation["beats_popularity"]["ndcg"] == pytest.approx(rows["float"]["ndcg"])


def test_the_float_file_is_the_float_model(measured, rows):
    # The validation metrics are Keras's own; the test split has the same distribution.
    metrics = read(measured[0] / "metrics.json")
    assert rows["float"]["log_loss"] == pytest.approx(metrics["validation_log_loss"], abs=0.05)


def test_the_published_file_scores_pairs_in_their_order(published, data, run, tmp_path):
    pairs = tmp_path / "pairs"
    pairs.mkdir()
    ranking = pl.read_parquet(data / "ranking" / "part-0.parquet").drop("user_index", "relevance", "popularity")
    for number, (start, rows) in enumerate([(0, 10_000), (10_000, 0), (10_000, 1), (10_001, 19_999)]):
        ranking[start : start + rows].write_parquet(pairs / f"part-{number:05d}.parquet", row_group_size=3000)
    out = tmp_path / "scores.parquet"
    run(tmp_path, {"task": "predict", "model": MODEL, "version": published, "pairs": pairs, "out": out})
    scores = pl.read_parquet(out)
    assert scores.schema == {"score": pl.Float32}
    assert scores.height == ranking.height
    found = read_description(published / "float")
    model = {"m": published / "model.tflite"}
    expected = [
        part.scores["m"]
        for part in Scoring(model, found.inputs, found.normalisation).rows([data / "ranking" / "part-0.parquet"])
    ]
    np.testing.assert_allclose(scores["score"].to_numpy(), np.concatenate(expected), atol=1e-6)
    assert not list(tmp_path.glob(".scores.parquet.predict"))


def test_no_pairs_give_no_scores_and_a_missing_column_is_named(published, run, tmp_path):
    pairs = tmp_path / "pairs"
    pairs.mkdir()
    task = {"task": "predict", "model": MODEL, "version": published, "pairs": pairs, "out": tmp_path / "s.parquet"}
    run(tmp_path, task)
    assert pl.read_parquet(tmp_path / "s.parquet").height == 0
    pl.DataFrame({"user_id": pl.Series([1], dtype=pl.Int32)}).write_parquet(pairs / "part-0.parquet")
    failed = run(tmp_path, task, succeeds=False)
    assert "has no column 'item_id'; encode it again" in failed.errors
    assert pl.read_parquet(tmp_path / "s.parquet").height == 0


def test_the_champion_is_measured_on_examples_of_its_own_encoding(measured, published, data, rows, run, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(measured[0], out)
    task = {"task": "evaluate", "model": MODEL, "data": data, "out": out, "champion": published}
    run(tmp_path, {**task, "champion_data": data})
    row = read(out / "evaluation.json")["candidates"][-1]
    blessed = rows[read(published / "card.json")["candidate"]]
    assert (row["name"], row["kind"], row["version"]) == ("champion", "champion", "v1")
    for metric in ("auc", "log_loss", "ndcg", "recall", "bytes", "agreement_mean"):
        assert row[metric] == (None if metric == "agreement_mean" else pytest.approx(blessed[metric]))

    other = tmp_path / "other"
    shutil.copytree(data, other)
    features = read(other / "encoding" / "features.json")
    features["inputs"][0]["size"] += 1
    (other / "encoding" / "features.json").write_text(json.dumps(features))
    failed = run(tmp_path, {**task, "champion_data": other}, succeeds=False)
    assert "takes other inputs than" in failed.errors


def test_test_days_without_ranked_users_are_told_and_leave_the_rest_measured(measured, data, run, tmp_path):
    out, empty = tmp_path / "out", tmp_path / "data"
    shutil.copytree(measured[0], out)
    shutil.copytree(data, empty)
    ranking = pl.read_parquet(empty / "ranking" / "part-0.parquet")
    ranking.clear().write_parquet(empty / "ranking" / "part-0.parquet")
    run(tmp_path, {"task": "evaluate", "model": MODEL, "data": empty, "out": out})
    evaluation = read(out / "evaluation.json")
    assert "no user of theirs could be ranked" in evaluation["test"]
    assert not evaluation["beats_popularity"]["passed"]
    assert "Nobody could be ranked" in evaluation["beats_popularity"]["message"]
    assert {row["ndcg"] for row in evaluation["candidates"]} == {None}
    assert evaluation["candidates"][1]["auc"] > 0.65


def test_without_candidates_there_is_nothing_to_evaluate(data, run, tmp_path):
    failed = run(tmp_path, {"task": "evaluate", "model": MODEL, "data": data, "out": tmp_path / "out"}, succeeds=False)
    assert "run the task compress first" in failed.errors


def test_a_killed_worker_changes_nothing_of_the_candidates(measured, trained, data, start, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(trained / "float", out / "float")
    run = start(tmp_path, {"task": "compress", "model": MODEL, "data": data, "out": out})
    run.wait_for("continue: epoch 1/1")
    os.kill(run.workers()[0], signal.SIGKILL)
    assert run.finish() == 0, run.errors
    assert any("all workers start again" in line for line in run.lines)
    assert read(out / "compress-digest.json") == read(measured[0] / "compress-digest.json")
    for name in ("float", "int8", "pruned_int8"):
        again, before = (folder / "candidates" / name / "model.tflite" for folder in (out, measured[0]))
        assert again.stat().st_size == before.stat().st_size


def test_the_champion_of_the_models_folder_is_what_was_published(published):
    assert champion(open_store(published.parent.parent)).path == published
