"""What was materialised is named and asked about before it is deleted."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "orchestration" / "clean_data.sh"


@pytest.fixture
def lake(tmp_path):
    folder = tmp_path / "a lake"
    (folder / "models" / "shop_ranker").mkdir(parents=True)
    (folder / "models" / "shop_ranker" / "champion.json").write_text("{}")
    return folder


def clean(*places, answer="", confirm=""):
    return subprocess.run(
        ["/bin/bash", SCRIPT, *map(str, places)],
        input=answer,
        env={**os.environ, "CONFIRM": confirm},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("answer", ["", "no\n", "y\n"])
def test_without_a_yes_nothing_is_deleted_and_everything_is_named(lake, answer):
    done = clean(lake, answer=answer)
    assert done.returncode == 1
    assert str(lake) in done.stdout
    assert "shop_ranker" in done.stdout
    assert "Nothing was deleted." in done.stdout
    assert (lake / "models" / "shop_ranker" / "champion.json").is_file()


def test_a_yes_deletes_what_was_named_and_nothing_beside_it(lake):
    beside = lake.parent / "mine.txt"
    beside.write_text("kept")
    assert clean(lake, answer="yes\n").returncode == 0
    assert not lake.exists()
    assert beside.read_text() == "kept"
    assert clean(lake).returncode == 0


def test_a_script_may_confirm_beforehand_and_an_object_store_is_left_alone(lake):
    done = clean("s3://bucket/lake", lake, confirm="yes")
    assert done.returncode == 0
    assert "object store" in done.stdout
    assert not lake.exists()
