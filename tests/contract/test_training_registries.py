"""What every launcher, strategy and runtime promises; a new one is tested by being registered."""

import inspect
import sys

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from foundation.importing import load
from training.failure import TaskError
from training.launchers import LAUNCHERS, LaunchError
from training.runtimes import RUNTIMES, Runtime, load_model, model_file
from training.spec import ModelSpec
from training.strategies import STRATEGIES

MODEL = {"name": "m", "examples": "e"}
WORKER = """#!/bin/sh
exec PYTHON - <<'END'
import json, os, time
from pathlib import Path

config = json.loads(os.environ["TF_CONFIG"])
rank, addresses = config["task"]["index"], config["cluster"]["worker"]
progress = Path(os.environ["SLUICE_TRAINING_FOLDER"]) / "progress" / f"worker-{rank}.jsonl"
with progress.open("a") as file:
    for event in (
        {"kind": "ready"},
        {"kind": "report", "payload": {"rank": rank}, "line": f"worker {rank} of {len(addresses)}"},
        {"kind": "done", "result": {"address": addresses[rank]}},
    ):
        file.write(json.dumps(event) + chr(10))
time.sleep(20)
END
"""
RUNTIME = """
import numpy as np


class Constant:
    inputs = ("x",)

    def score(self, arrays, *, batch=1024):
        return np.full(len(arrays["x"]), 0.5, np.float32)

    def latency(self, arrays, *, rows, repeats):
        return 0.0


def load(path, *, threads):
    return Constant()
"""


@pytest.mark.parametrize("name", LAUNCHERS.names())
def test_a_launcher_is_made_of_deadlines_and_runs_a_task_file(name):
    launcher = LAUNCHERS[name]
    made = {"start_deadline", "freeze_deadline", "max_restarts"}
    assert made <= inspect.signature(launcher).parameters.keys()
    assert {"task_file", "workers", "folder", "subject", "relay"} <= inspect.signature(launcher.run).parameters.keys()
    assert ModelSpec.model_validate({**MODEL, "launcher": name}).launcher == name


def test_local_workers_learn_their_addresses_and_are_heard(tmp_path):
    python = tmp_path / "python"
    python.write_text(WORKER.replace("PYTHON", sys.executable))
    python.chmod(0o755)
    heard = []
    launcher = LAUNCHERS["local"](python=str(python), max_restarts=0)
    results = launcher.run(
        tmp_path / "task.json",
        workers=2,
        folder=tmp_path,
        subject="nothing",
        relay=lambda payload, line: heard.append((payload["rank"], line)),
    )
    assert len({one["address"] for one in results}) == 2
    assert sorted(heard) == [(0, "worker 0 of 2"), (1, "worker 1 of 2")]
    python.write_text("#!/bin/sh\necho out of luck\nexit 3\n")
    with pytest.raises(LaunchError, match="out of luck"):
        launcher.run(tmp_path / "task.json", workers=1, folder=tmp_path, subject="nothing", relay=lambda *_: None)


@pytest.mark.parametrize("name", STRATEGIES.names())
def test_a_strategy_can_be_declared(name):
    module, colon, function = STRATEGIES[name].place.partition(":")
    assert module.startswith("training.strategies.")
    assert (colon, function) == (":", "create")
    assert ModelSpec.model_validate({**MODEL, "strategy": name}).strategy == name


@pytest.mark.parametrize(("field", "registry"), [("launcher", LAUNCHERS), ("strategy", STRATEGIES)])
def test_an_unknown_one_is_answered_with_the_nearest_and_the_schema_lists_all(field, registry):
    known = registry.names()[0]
    with pytest.raises(ValidationError, match=f"'{known}s' is unknown; did you mean '{known}'"):
        ModelSpec.model_validate({**MODEL, field: f"{known}s"})
    assert TypeAdapter(ModelSpec).json_schema()["properties"][field]["enum"] == list(registry.names())


@pytest.mark.parametrize("name", RUNTIMES.names())
def test_a_runtime_refuses_what_is_no_model_of_its_own_and_names_the_file(name, tmp_path):
    runtime = RUNTIMES[name]
    path = tmp_path / runtime.file
    for content in (None, b"", b"no model", bytes(range(256)) * 40):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(TaskError) as error:
            load_model(path)
        assert str(path) in str(error.value)
    assert model_file(tmp_path) == path
    assert inspect.signature(load(runtime.place)).parameters.keys() >= {"path", "threads"}


def test_a_runtime_of_one_file_loads_the_files_of_its_name(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "runtime_of_halves.py").write_text(RUNTIME)
    with RUNTIMES.temporarily("halves", Runtime("halves", ".half", "runtime_of_halves:load")):
        (tmp_path / "model.half").write_text("")
        assert model_file(tmp_path) == tmp_path / "model.half"
        assert load_model(tmp_path / "model.half").score({"x": np.zeros(2)}).tolist() == [0.5, 0.5]
    assert model_file(tmp_path) is None
    with pytest.raises(TaskError, match=r"No runtime loads .*model\.half; known are files that end with \.tflite"):
        load_model(tmp_path / "model.half")
