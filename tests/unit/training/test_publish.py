import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from training.__main__ import main
from training.publish import PublicationError, champion, publish, rollback

CARD = {
    "model": {"name": "ranker", "family": "ranker", "seed": 7, "description": "Ranks."},
    "as_of": "2026-01-31",
    "verdict": {"reasons": ["int8 is the smallest."]},
    "evaluation": {"k": 10, "candidates": [{"name": "int8", "auc": 0.8, "bytes": 10}]},
    "data": {
        "table": "examples",
        "version": 3,
        "days": {"2026-01-30": "a"},
        "parts": {"train": {"days": ["2026-01-30"], "rows": 5, "positives": 2}, "test": {"days": [], "rows": 0}},
    },
}
CARD["data"]["parts"]["test"]["positives"] = 0


@pytest.fixture
def made(tmp_path):
    """Make a run folder whose candidate has a given content."""

    def make(content: bytes):
        run, encoding = tmp_path / f"run-{content.hex()[:16]}", tmp_path / "encoding"
        (run / "candidates" / "int8").mkdir(parents=True, exist_ok=True)
        (run / "candidates" / "int8" / "model.tflite").write_bytes(content)
        (run / "float").mkdir(exist_ok=True)
        (run / "float" / "model.json").write_text("{}")
        encoding.mkdir(exist_ok=True)
        (encoding / "features.json").write_text("{}")
        return {"run": run, "encoding": encoding, "candidate": "int8", "card": CARD}

    return make


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


def test_a_published_version_is_complete_and_is_the_champion(models, made):
    assert champion(models) is None
    path = publish(models, version="v1", **made(b"one"))
    assert champion(models).path == path
    assert champion(models).history == ("v1",)
    assert (path / "model.tflite").read_bytes() == b"one"
    assert (path / "encoding" / "features.json").is_file()
    assert (path / "float" / "model.json").is_file()
    card = json.loads((path / "card.json").read_text())
    assert (card["version"], card["candidate"], card["bytes"]) == ("v1", "int8", 3)
    text = (path / "card.md").read_text()
    assert "| train | 2026-01-30 to 2026-01-30 | 5 | 2 |" in text
    assert "| test | none | 0 | 0 |" in text
    assert card["sha256"] in text


def test_publishing_the_same_again_changes_nothing(models, made):
    first = publish(models, version="v1", **made(b"one"))
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert publish(models, version="v1", **made(b"one")) == first
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*")} == before
    assert champion(models).history == ("v1",)


def test_a_version_never_changes(models, made):
    publish(models, version="v1", **made(b"one"))
    with pytest.raises(PublicationError, match="versions never change"):
        publish(models, version="v1", **made(b"other"))
    assert (champion(models).path / "model.tflite").read_bytes() == b"one"


def test_a_candidate_without_a_file_is_not_published(models, made):
    with pytest.raises(PublicationError, match="Candidate 'pruned' has no"):
        publish(models, version="v1", **{**made(b"one"), "candidate": "pruned"})
    assert champion(models) is None


CRASH = """
import json, os, signal, sys
from pathlib import Path
import training.publish as p

models, run, encoding, card, victim, when = sys.argv[1:]

def dying(function):
    def call(*args, **kwargs):
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

owner, name = {"copy": (p.shutil, "copytree"), "card": (p, "render_card"), "sync": (p, "_sync"),
               "rename": (Path, "rename"), "point": (p, "_point"), "pointer": (Path, "replace")}[victim]
setattr(owner, name, dying(getattr(owner, name)))
p.publish(Path(models), version="v2", run=Path(run), encoding=Path(encoding), candidate="int8", card=json.loads(card))
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("victim", ["copy", "card", "sync", "rename", "point", "pointer"])
def test_a_publication_killed_at_any_step_leaves_one_complete_champion_and_can_be_repeated(models, made, victim, when):
    publish(models, version="v1", **made(b"one"))
    second = made(b"two")
    arguments = [models, second["run"], second["encoding"], json.dumps(CARD), victim, when]
    child = subprocess.run([sys.executable, "-c", CRASH, *map(str, arguments)], check=False, timeout=60)
    assert child.returncode == -signal.SIGKILL

    found = champion(models)
    switched = (victim, when) in {("pointer", "after"), ("point", "after")}
    assert found.version == ("v2" if switched else "v1")
    assert (found.path / "card.md").is_file()
    publish(models, version="v2", **second)
    found = champion(models)
    assert found.history == ("v1", "v2")
    assert (found.path / "model.tflite").read_bytes() == b"two"
    assert sorted(path.name for path in (models / "versions").iterdir()) == ["v1", "v2"]
    assert sorted(path.name for path in models.iterdir()) == [".lock", "champion.json", "versions"]


PUBLISH = """
import json, sys
from pathlib import Path
from training.publish import publish
models, run, encoding, card, version = sys.argv[1:]
sys.stdin.read(1)
publish(Path(models), version=version, run=Path(run), encoding=Path(encoding), candidate="int8", card=json.loads(card))
"""


def test_concurrent_publications_all_end_in_the_history_and_none_is_torn(models, made):
    runs = {f"v{number}": made(b"%d" % number * 1000) for number in range(6)}
    children = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                PUBLISH,
                *map(str, [models, run["run"], run["encoding"], json.dumps(CARD), version]),
            ],
            stdin=subprocess.PIPE,
        )
        for version, run in [*runs.items(), *list(runs.items())[:2]]
    ]
    for child in children:
        child.stdin.write(b".")
        child.stdin.flush()
    for child in children:
        assert child.wait(timeout=60) == 0
        child.stdin.close()
    assert set(champion(models).history) == set(runs)
    for version, run in runs.items():
        blessed = run["run"] / "candidates" / "int8" / "model.tflite"
        assert (models / "versions" / version / "model.tflite").read_bytes() == blessed.read_bytes()


def test_rollback_goes_back_one_or_to_a_named_version(models, made):
    for version in ("v1", "v2", "v3"):
        publish(models, version=version, **made(version.encode()))
    assert rollback(models).version == "v2"
    assert rollback(models, to="v3").history == ("v1", "v2", "v3")
    assert rollback(models, to="v1").history == ("v1", "v2", "v3", "v1")
    assert rollback(models, to="v1").history == ("v1", "v2", "v3", "v1")
    assert rollback(models).version == "v3"
    assert sorted(path.name for path in (models / "versions").iterdir()) == ["v1", "v2", "v3"]


def test_rollback_never_points_at_a_version_that_is_gone(models, made):
    for version in ("v1", "v2"):
        publish(models, version=version, **made(version.encode()))
    (models / "versions" / "v1" / "model.tflite").unlink()
    with pytest.raises(PublicationError, match=r"no version 'v1'; there are: v2\. Choose with `--to VERSION`"):
        rollback(models)
    assert champion(models).version == "v2"


def test_a_damaged_pointer_is_named_with_the_way_out(models, made):
    publish(models, version="v1", **made(b"one"))
    pointer = models / "champion.json"
    pointer.write_text(pointer.read_text()[:20])
    with pytest.raises(PublicationError, match=r"champion\.json is damaged"):
        champion(models)
    pointer.unlink()
    assert rollback(models, to="v1").version == "v1"


def test_the_commands_of_people(models, made, capsys):
    assert main(["champion", str(models)]) == 1
    assert f"There is no folder {models}" in capsys.readouterr().err
    publish(models, version="v1", **made(b"one"))
    assert main(["rollback", str(models)]) == 1
    assert "has no earlier champion to go back to" in capsys.readouterr().err
    publish(models, version="v2", **made(b"two"))
    assert main(["rollback", str(models), "--to", "v9"]) == 1
    assert "no version 'v9'; there are: v1, v2" in capsys.readouterr().err
    assert main(["rollback", str(models)]) == 0
    assert "Rolled back. The champion is v1" in capsys.readouterr().out
    assert main(["champion", str(models)]) == 0
    assert capsys.readouterr().out.startswith("The champion is v1, in ")
    models.joinpath("champion.json").unlink()
    assert main(["champion", str(models)]) == 1
    assert "Nothing is published yet" in capsys.readouterr().out


def test_the_lock_is_free_again_after_a_kill(models, made):
    second = made(b"two")
    arguments = [models, second["run"], second["encoding"], json.dumps(CARD), "rename", "before"]
    subprocess.run([sys.executable, "-c", CRASH, *map(str, arguments)], check=False, timeout=60)
    assert [path.name[:4] for path in (models / "versions").iterdir()] == [".v2-"]
    assert os.path.lexists(models / ".lock")
    assert publish(models, version="v2", **second) == Path(models / "versions" / "v2")
