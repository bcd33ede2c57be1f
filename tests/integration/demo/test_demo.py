"""What `make demo` runs, for fewer days: a champion in the end, and a second time nothing new."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assets.lake import Lake
from training.publish import champion

ROOT = Path(__file__).parents[3]
LAST = "2026-02-10"
BROKEN, GOOD = "2026-02-07", ("2026-02-06", "2026-02-08", "2026-02-09", LAST)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Demo:
    """A demo in a folder of its own, or with its lake elsewhere."""

    def __init__(self, folder, lake, **environment):
        self.lake = Lake(lake)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SLUICE_", "SHOP_"))},
            **environment,
            "DAGSTER_HOME": str(folder / "home"),
            "SLUICE_LAKE": self.lake.root,
            "COLUMNS": "200",
        }

    def run(self):
        command = [sys.executable, "-m", "orchestration.demo", "--days", "5", "--last", LAST]
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]
        return done.stdout

    def state(self):
        """Rows of every table as digests by day, and the champion."""
        tables = sorted(self.lake.tables())
        digests = {
            table: {str(day): entry.digest for day, entry in self.lake.published_days(table).items()}
            for table in tables
            if self.lake.exists(table)
        }
        rows = {table: self.lake.scan(table).collect().hash_rows(seed=1).sort().to_list() for table in digests}
        return digests, rows, champion(self.lake.models("shop_ranker"))

    def landed(self):
        store = self.lake.store
        manifests = [info.path for info in store.walk("landing") if info.path.endswith("/manifest.json")]
        return [file for path in manifests for file in json.loads(store.read(path))["files"]]


@pytest.fixture(scope="module", params=["folder", pytest.param("objects", marks=pytest.mark.objects)])
def demo(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "folder":
            made = Demo(folder, str(folder / "lake"))
        else:
            s3 = request.getfixturevalue("s3")
            for name, value in s3.environment.items():
                patch.setenv(name, value)
            patch.setenv("SLUICE_CACHE", str(folder / "cache"))
            made = Demo(folder, s3.place(), SLUICE_CACHE=str(folder / "cache"))
        made.printed = made.run()
        yield made


def test_it_publishes_a_champion_and_ends_with_the_table(demo):
    printed = " ".join(demo.printed.split())
    for words in ("quarantined", "removed", "label model", "majority vote", "popularity", "NDCG@10", "KB gzip"):
        assert words in printed, words
    assert "blessed" in printed
    current = champion(demo.lake.models("shop_ranker"))
    assert current.version.startswith(LAST)
    assert "make ui" in printed
    assert demo.lake.scan("shop_ranker__recommendations").collect()["model_version"].unique().to_list() == [
        current.version
    ]


def test_the_gate_refuses_the_day_with_the_broken_schema_and_no_other(demo):
    assert sorted(map(str, demo.lake.published_days("shop_events"))) == list(GOOD)
    assert f"The gate of shop_events refused {BROKEN}" in " ".join(demo.printed.split())
    assert f"the gate refused {BROKEN}, and said so" in " ".join(demo.printed.split())


def test_a_second_time_nothing_is_fetched_that_has_not_changed_and_the_rows_are_the_same(demo):
    before = demo.state()
    assert not all(file.get("unchanged") for file in demo.landed())
    printed = demo.run()
    assert demo.landed()
    assert all(file["unchanged"] for file in demo.landed())
    assert demo.state() == before
    assert "epoch" not in printed, "nothing is trained again"
