import json
import os
import signal
import subprocess
import sys

import pytest

from foundation.store import open_store
from training.__main__ import main
from training.publish import PublicationError, champion, promote, publish, rollback, versions

CARD = {
    "model": {"name": "ranker", "family": {"kind": "ranker"}, "seed": 7, "description": "Ranks."},
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
BY = {"by": "ana", "reason": "because"}
ASKED = ["--by", "ana", "--reason", "because"]


@pytest.fixture
def made(tmp_path):
    """Make a run folder whose candidate has a given content."""

    def make(content: bytes, as_of: str = CARD["as_of"]):
        run, encoding = tmp_path / f"run-{content.hex()[:16]}", tmp_path / "encoding"
        (run / "candidates" / "int8").mkdir(parents=True, exist_ok=True)
        (run / "candidates" / "int8" / "model.tflite").write_bytes(content)
        (run / "float").mkdir(exist_ok=True)
        (run / "float" / "model.json").write_text("{}")
        encoding.mkdir(exist_ok=True)
        (encoding / "features.json").write_text("{}")
        return {"run": run, "encoding": encoding, "candidate": "int8", "card": {**CARD, "as_of": as_of}, **BY}

    return make


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def models(folder):
    return open_store(folder)


@pytest.fixture
def anywhere(any_place):
    """A store of each kind."""
    return open_store(any_place)


def test_a_published_version_is_complete_and_is_the_champion(anywhere, made):
    assert champion(anywhere) is None
    published = publish(anywhere, version="v1", **made(b"one"))
    path = champion(anywhere).path
    assert published.uri == champion(anywhere).uri
    assert (published.champion, published.kept) == ("v1", "")
    assert champion(anywhere).history == ("v1",)
    assert (path / "model.tflite").read_bytes() == b"one"
    assert (path / "encoding" / "features.json").is_file()
    assert (path / "float" / "model.json").is_file()
    card = json.loads((path / "card.json").read_text())
    assert (card["version"], card["candidate"], card["bytes"], card["file"]) == ("v1", "int8", 3, "model.tflite")
    text = (path / "card.md").read_text()
    assert "| train | 2026-01-30 to 2026-01-30 | 5 | 2 |" in text
    assert "| test | none | 0 | 0 |" in text
    assert card["sha256"] in text


def test_publishing_the_same_again_changes_nothing(anywhere, made):
    publish(anywhere, version="v1", **made(b"one"))
    before = {file.path: file.etag for file in anywhere.walk("versions")}
    publish(anywhere, version="v1", **made(b"one"))
    assert {file.path: file.etag for file in anywhere.walk("versions")} == before
    assert champion(anywhere).history == ("v1",)


def test_a_version_never_changes(anywhere, made):
    publish(anywhere, version="v1", **made(b"one"))
    with pytest.raises(PublicationError, match="versions never change"):
        publish(anywhere, version="v1", **made(b"other"))
    assert (champion(anywhere).path / "model.tflite").read_bytes() == b"one"


def test_a_candidate_without_a_file_is_not_published(models, made):
    with pytest.raises(PublicationError, match="Candidate 'pruned' has no model file"):
        publish(models, version="v1", **{**made(b"one"), "candidate": "pruned"})
    assert champion(models) is None


CRASH = """
import json, os, signal, sys
from pathlib import Path
import foundation.store.folder as folder
import training.publish as p
from foundation.store import open_store

models, run, encoding, card, victim, when = sys.argv[1:]

def dying(function):
    def call(*args, **kwargs):
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

owner, name = {"copy": (p.shutil, "copytree"), "card": (p, "render_card"), "sync": (folder, "_synchronise"),
               "rename": (Path, "rename"), "point": (p, "update"), "pointer": (Path, "replace")}[victim]
setattr(owner, name, dying(getattr(owner, name)))
p.publish(open_store(models), version="v2", run=Path(run), encoding=Path(encoding), candidate="int8",
          card=json.loads(card), by="ana", reason="because")
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("victim", ["copy", "card", "sync", "rename", "point", "pointer"])
def test_a_publication_killed_at_any_step_leaves_one_complete_champion_and_can_be_repeated(
    folder, models, made, victim, when
):
    publish(models, version="v1", **made(b"one"))
    second = made(b"two")
    arguments = [folder, second["run"], second["encoding"], json.dumps(CARD), victim, when]
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
    assert sorted(path.name for path in (folder / "versions").iterdir()) == ["v1", "v2"]


def test_what_an_upload_to_an_object_store_left_half_done_is_no_version(objects, made):
    models = open_store(objects.place())
    publish(models, version="v1", **made(b"one"))
    models.write("versions/v2/model.tflite", b"two")
    assert versions(models) == ("v1",)
    with pytest.raises(PublicationError, match="no version 'v2'; there are: v1"):
        promote(models, "v2", **BY)
    publish(models, version="v3", **made(b"three"))
    assert {file.path.split("/")[1] for file in models.walk("versions")} == {"v1", "v3"}


PUBLISH = """
import json, sys
from pathlib import Path
from foundation.store import open_store
from training.publish import publish
models, run, encoding, card, version = sys.argv[1:]
sys.stdin.read(1)
publish(open_store(models), version=version, run=Path(run), encoding=Path(encoding), candidate="int8",
          card=json.loads(card), by="ana", reason="because")
"""


def test_concurrent_publications_all_end_in_the_history_and_none_is_torn(folder, models, made):
    runs = {f"v{number}": made(b"%d" % number * 1000) for number in range(6)}
    children = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                PUBLISH,
                *map(str, [folder, run["run"], run["encoding"], json.dumps(CARD), version]),
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
        assert (folder / "versions" / version / "model.tflite").read_bytes() == blessed.read_bytes()


def test_rollback_goes_back_one_or_to_a_named_champion_and_promote_to_any_version(anywhere, made):
    for version in ("v1", "v2", "v3"):
        publish(anywhere, version=version, **made(version.encode()))
    assert rollback(anywhere, **BY).version == "v2"
    assert promote(anywhere, "v3", **BY).history == ("v1", "v2", "v3")
    assert rollback(anywhere, to="v1", **BY).history == ("v1",)
    with pytest.raises(PublicationError, match="'v1' is the champion already"):
        rollback(anywhere, to="v1", **BY)
    with pytest.raises(PublicationError, match="no earlier champion to go back to"):
        rollback(anywhere, **BY)
    assert versions(anywhere) == ("v1", "v2", "v3")
    assert [one.way for one in champion(anywhere).record.switches] == [
        *["blessed"] * 3,
        "rolled back",
        "promoted",
        "rolled back",
    ]


def test_an_older_day_is_kept_as_a_version_and_leaves_the_champion_until_it_is_promoted(anywhere, made):
    publish(anywhere, version="new", **made(b"new", "2026-01-31"))
    late = publish(anywhere, version="old", **made(b"old", "2026-01-30"), asked=True)
    assert (late.champion, champion(anywhere).version) == ("new", "new")
    assert "old was trained as of 2026-01-30, and new of 2026-01-31 has been champion since" in late.kept
    assert "old" in versions(anywhere)
    assert promote(anywhere, "old", **BY).version == "old"


def test_what_a_person_chose_holds_until_it_is_asked_again_or_a_newer_day_is_blessed(anywhere, made):
    publish(anywhere, version="v1", **made(b"one", "2026-01-30"))
    publish(anywhere, version="v2", **made(b"two", "2026-01-31"))
    rollback(anywhere, by="ben", reason="it sells umbrellas")
    held = publish(anywhere, version="v2", **made(b"two", "2026-01-31"))
    assert held.champion == "v1"
    assert "rolled back by ben (it sells umbrellas), which holds until a day after 2026-01-31 is blessed" in held.kept
    assert publish(anywhere, version="v2b", **made(b"two b", "2026-01-31")).champion == "v1"
    assert publish(anywhere, version="v2", **made(b"two", "2026-01-31"), asked=True).champion == "v2"
    rollback(anywhere, **BY)
    assert publish(anywhere, version="v3", **made(b"three", "2026-02-01")).champion == "v3"
    assert not champion(anywhere).record.held


def test_every_switch_says_by_whom_why_and_when(anywhere, made):
    publish(anywhere, version="v1", **{**made(b"one"), "by": "run 7", "reason": "smallest"})
    publish(anywhere, version="v2", **made(b"two"))
    rollback(anywhere, by="ben", reason="it sells umbrellas")
    for empty in ({"by": " ", "reason": "x"}, {"by": "ben", "reason": ""}):
        with pytest.raises(PublicationError, match="give both --by and --reason"):
            promote(anywhere, "v2", **empty)
    told = [(one.version, one.by, one.reason) for one in champion(anywhere).record.switches]
    assert told == [("v1", "run 7", "smallest"), ("v2", "ana", "because"), ("v1", "ben", "it sells umbrellas")]
    assert all(one.at.tzinfo for one in champion(anywhere).record.switches)


def test_rollback_never_points_at_a_version_that_is_gone(folder, models, made):
    for version in ("v1", "v2"):
        publish(models, version=version, **made(version.encode()))
    (folder / "versions" / "v1" / "model.tflite").unlink()
    with pytest.raises(PublicationError, match=r"no version 'v1'; there are: v2\."):
        rollback(models, **BY)
    assert champion(models).version == "v2"


def test_a_damaged_record_is_named_with_the_way_out(folder, models, made):
    publish(models, version="v1", **made(b"one"))
    pointer = folder / "champion.json"
    whole = pointer.read_text()
    for content in (whole[:20], "", "{}", '{"switches": []}', whole.replace("blessed", "guessed"), "\0" * 50):
        pointer.write_text(content)
        with pytest.raises(PublicationError, match=r"champion\.json is damaged .* promote"):
            champion(models)
    pointer.unlink()
    assert promote(models, "v1", **BY).version == "v1"


def test_a_version_whose_card_does_not_tell_its_day_is_not_chosen(folder, models, made):
    publish(models, version="v1", **made(b"one"))
    publish(models, version="v2", **made(b"two"))
    (folder / "versions/v1/card.json").write_text('{"as_of": "soon"}')
    with pytest.raises(PublicationError, match="does not tell as of which day version v1 was trained"):
        promote(models, "v1", **BY)


def test_the_commands_of_people(folder, models, made, capsys):
    assert main(["champion", str(folder)]) == 1
    assert f"There is no folder {folder}" in capsys.readouterr().err
    publish(models, version="v1", **made(b"one"))
    assert main(["rollback", str(folder), *ASKED]) == 1
    assert "no earlier champion to go back to" in capsys.readouterr().err
    publish(models, version="v2", **made(b"two"))
    assert main(["rollback", str(folder), "--to", "v9", *ASKED]) == 1
    assert "Version 'v9' was never champion" in capsys.readouterr().err
    assert main(["promote", str(folder), "v9", *ASKED]) == 1
    assert "no version 'v9'; there are: v1, v2" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["rollback", str(folder), "--by", "ana"])
    assert "--reason" in capsys.readouterr().err
    assert main(["rollback", str(folder), *ASKED]) == 0
    assert "Rolled back. The champion is v1" in capsys.readouterr().out
    assert main(["promote", str(folder), "v2", *ASKED]) == 0
    assert "Promoted. The champion is v2" in capsys.readouterr().out
    assert main(["champion", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("The champion is v2, in ")
    assert "v1  rolled back by ana: because" in shown
    folder.joinpath("champion.json").unlink()
    assert main(["champion", str(folder)]) == 1
    assert "Nothing is published yet" in capsys.readouterr().out


GO_BACK = """
import sys
from pathlib import Path
from foundation.store import open_store
from training.publish import PublicationError, rollback
sys.stdin.read(1)
try:
    rollback(open_store(sys.argv[1]), by=sys.argv[2], reason="at once")
except PublicationError as error:
    sys.exit(str(error))
"""


def test_of_people_who_go_back_at_once_each_went_back_one_on_what_he_saw_or_is_told_who_was_first(folder, models, made):
    for number in range(1, 8):
        publish(models, version=f"v{number}", **made(b"%d" % number))
    children = [
        subprocess.Popen(
            [sys.executable, "-c", GO_BACK, str(folder), f"person {number}"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for child in children:
        child.stdin.write(".")
        child.stdin.flush()
    ended = {f"person {number}": child.communicate(timeout=60)[1] for number, child in enumerate(children)}
    went = [one.by for one in champion(models).record.switches if one.way == "rolled back"]
    assert sorted(went) == sorted(person for person, told in ended.items() if not told)
    assert champion(models).version == f"v{7 - len(went)}"
    assert all("was switched in this very moment" in told for told in ended.values() if told)


def test_a_choice_made_on_what_is_no_longer_so_is_refused(anywhere, made, monkeypatch):
    for number in (1, 2, 3):
        publish(anywhere, version=f"v{number}", **made(b"%d" % number))
    put = type(anywhere).put_if_match

    def after_somebody_else(*args):
        monkeypatch.setattr(type(anywhere), "put_if_match", put)
        rollback(anywhere, by="ben", reason="first")
        return put(*args)

    monkeypatch.setattr(type(anywhere), "put_if_match", after_somebody_else)
    with pytest.raises(PublicationError, match=r"switched in this very moment, to v2 by ben \(first\)"):
        rollback(anywhere, by="ana", reason="second")
    assert champion(anywhere).version == "v2"


def test_the_lock_is_free_again_after_a_kill(folder, models, made):
    second = made(b"two")
    arguments = [folder, second["run"], second["encoding"], json.dumps(CARD), "rename", "before"]
    subprocess.run([sys.executable, "-c", CRASH, *map(str, arguments)], check=False, timeout=60)
    assert [path.name[:4] for path in (folder / "versions").iterdir()] == [".v2-"]
    assert os.path.lexists(folder / ".lock")
    assert publish(models, version="v2", **second).champion == "v2"
