"""Two real workers: what they make, and that faults change nothing of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dagster_pipes import encode_param

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, training_set, train_task, two_cores):
    """An undisturbed run, started as a Dagster run would start it; its output and the messages that it sent."""
    folder = tmp_path_factory.mktemp("undisturbed")
    task, context, messages = folder / "task.json", folder / "context.json", folder / "messages.jsonl"
    task.write_text(json.dumps(train_task(training_set, folder / "out"), default=str))
    context.write_text(json.dumps({"run_id": "run", "extras": {}, "retry_number": 0, "job_name": None}))
    messages.touch()
    found = subprocess.run(
        two_cores(task),
        env={
            **os.environ,
            "DAGSTER_PIPES_CONTEXT": encode_param({"path": str(context)}),
            "DAGSTER_PIPES_MESSAGES": encode_param({"path": str(messages)}),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr
    return folder / "out", [json.loads(line) for line in messages.read_text().splitlines()]


def digests(out: Path) -> dict:
    return json.loads((out / "digest.json").read_text())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_both_workers_end_with_the_same_weights_and_the_output_is_complete(undisturbed):
    out, _ = undisturbed
    assert list(digests(out)) == ["worker-0", "worker-1"]
    assert len(set(digests(out).values())) == 1
    for name in ("float/model.json", "float/weights.h5", "float/saved_model/saved_model.pb", "history.json"):
        assert (out / name).is_file()
    assert (out / "logs" / "worker-1.log").is_file()
    assert list((out / "tensorboard").glob("events*"))
    assert not list(out.parent.glob(".out.train"))


def test_it_learns_what_was_planted(undisturbed):
    out, _ = undisturbed
    history = json.loads((out / "history.json").read_text())
    assert [entry["epoch"] for entry in history] == [1, 2, 3, 4]
    assert history[-1]["validation_auc"] > 0.65
    assert history[-1]["validation_log_loss"] < history[0]["validation_log_loss"]
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["workers"] == 2
    assert metrics["validation_auc"] == history[-1]["validation_auc"]


def test_every_epoch_reaches_the_dagster_run(undisturbed):
    _, messages = undisturbed
    payloads = [one["params"]["payload"] for one in messages if one["method"] == "report_custom_message"]
    assert [payload["epoch"] for payload in payloads] == [1, 2, 3, 4]
    assert {"loss", "validation_auc", "examples_per_second"} <= payloads[0].keys()
    lines = [one["params"]["message"] for one in messages if one["method"] == "log"]
    assert any("small: epoch 4/4: loss" in line for line in lines)
    assert messages[-1]["method"] == "closed"


def test_the_float_model_loads_and_scores_as_it_did_and_damage_is_seen(undisturbed, training_set, tmp_path):
    import shutil

    code = """
import json, sys
from pathlib import Path
from training.feed import score
from training.input import read_split
from training.metrics import auc
from training.description import read_description
from training.saved import load_float
float_, data = map(Path, sys.argv[1:])
found = read_description(float_)
arrays, labels, weights = read_split(data / "validation", found.inputs, found.normalisation)
print(json.dumps(auc(labels, score(load_float(float_), arrays), weights)))
weights = float_ / "weights.h5"
weights.write_bytes(weights.read_bytes()[:-5000])
load_float(float_)
"""
    out, _ = undisturbed
    shutil.copytree(out / "float", tmp_path / "float")
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "float"), str(training_set)],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    expected = json.loads((out / "metrics.json").read_text())["validation_auc"]
    assert json.loads(found.stdout) == pytest.approx(expected, abs=1e-6), found.stderr
    assert "weights.h5 cannot be loaded" in found.stderr


def test_one_worker_trains_in_half_precision_with_xla_from_earlier_weights(
    undisturbed, training_set, train_task, start, tmp_path
):
    task = train_task(training_set, tmp_path / "out", workers=1, epochs=1, mixed_precision="bfloat16", xla=True)
    run = start(tmp_path, {**task, "warm_start_from": undisturbed[0] / "float"})
    assert run.finish() == 0, run.errors
    assert any("warm start from" in line and "hidden_1" in line for line in run.lines)
    losses = [json.loads((out / "history.json").read_text())[0]["loss"] for out in (undisturbed[0], tmp_path / "out")]
    assert losses[1] < losses[0]


def test_a_killed_worker_is_started_again_and_the_weights_are_those_of_an_undisturbed_run(
    undisturbed, training_set, train_task, start, tmp_path
):
    run = start(tmp_path, train_task(training_set, tmp_path / "out"))
    run.wait_for("epoch 1/4")
    os.kill(run.workers()[1], signal.SIGKILL)
    assert run.finish() == 0, run.errors
    assert any("worker 1 was killed by SIGKILL while training; all workers start again" in line for line in run.lines)
    assert any("resumes after epoch" in line for line in run.lines)
    assert digests(tmp_path / "out") == digests(undisturbed[0])
    history = json.loads((tmp_path / "out" / "history.json").read_text())
    assert [entry["epoch"] for entry in history] == [1, 2, 3, 4]


def test_a_frozen_worker_is_noticed_and_the_weights_are_those_of_an_undisturbed_run(
    undisturbed, training_set, train_task, start, tmp_path
):
    run = start(tmp_path, train_task(training_set, tmp_path / "out", freeze_deadline="6s"))
    run.wait_for("epoch 1/4")
    os.kill(run.workers()[1], signal.SIGSTOP)
    assert run.finish() == 0, run.errors
    assert any("all workers start again" in line for line in run.lines)
    assert digests(tmp_path / "out") == digests(undisturbed[0])


def test_workers_do_not_outlive_a_killed_supervisor_and_the_next_run_goes_on_where_it_stopped(
    undisturbed, training_set, train_task, start, tmp_path
):
    task = train_task(training_set, tmp_path / "out")
    run = start(tmp_path, task)
    run.wait_for("epoch 2/4")
    workers = run.workers()
    # A stopped worker cannot notice anything by itself.
    os.kill(workers[1], signal.SIGSTOP)
    run.process.kill()
    deadline = time.monotonic() + 10
    while any(map(alive, workers.values())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers.values()))
    assert not (tmp_path / "out").exists()

    again = start(tmp_path, task)
    assert again.finish() == 0, again.errors
    assert any("resumes after epoch" in line for line in again.lines)
    assert digests(tmp_path / "out") == digests(undisturbed[0])


PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "training", sys.argv[1]])
print(child.pid, flush=True)
child.wait()
"""


def test_a_training_ends_with_the_run_that_started_it_and_frees_its_scratch(training_set, train_task, start, tmp_path):
    task, context, messages = tmp_path / "task.json", tmp_path / "context.json", tmp_path / "messages.jsonl"
    task.write_text(json.dumps(train_task(training_set, tmp_path / "out"), default=str))
    context.write_text(json.dumps({"run_id": "run", "extras": {}, "retry_number": 0, "job_name": None}))
    messages.touch()
    run = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(task)],
        env={
            **os.environ,
            "DAGSTER_PIPES_CONTEXT": encode_param({"path": str(context)}),
            "DAGSTER_PIPES_MESSAGES": encode_param({"path": str(messages)}),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    supervisor = int(run.stdout.readline())
    progress = tmp_path / ".out.train" / "progress" / "worker-1.jsonl"
    deadline = time.monotonic() + 120
    while not (progress.exists() and "joining" in progress.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    run.kill()
    run.wait()
    run.stdout.close()
    deadline = time.monotonic() + 10
    while alive(supervisor) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(supervisor)
    again = start(tmp_path / "again", train_task(training_set, tmp_path / "out", epochs=1))
    assert again.finish() == 0, again.errors
