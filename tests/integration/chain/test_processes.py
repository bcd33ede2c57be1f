"""Runs that are killed, and two at once: real `dg launch` processes on a real lake."""

import json
import re
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("site")]

CRAWL_AND_TABLE = ("visits__landing", "visits__raw", "sales")


def assert_whole(bakery, bread, day, count):
    """Every event of a day is there once, and nothing half-published or left over is seen by a reader."""
    for table in ("visits__raw", "sales"):
        ids = bakery.rows(table)["event_id"].to_list()
        assert Counter(ids) == Counter(record["event_id"] for record in bread.visits(day, count)), table
    assert bakery.days("sales") == [day]


def left_over(bakery):
    """The processes that work on this lake, wherever they have gone."""
    mark = f"SLUICE_LAKE={bakery.lake.root}".encode()
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in environment.read_bytes().split(b"\0"):
                found.append(environment.parent.name)
    return found


def test_a_run_killed_during_the_crawl_loses_and_repeats_nothing(bakery, site, bread):
    day = bread.FIRST
    records = bread.visits(day, 90)
    site.put(day, records[:30], records[30:60], records[60:])
    site.slow.add(f"{day}/part-2.jsonl.gz")
    launched = bakery.start(CRAWL_AND_TABLE, day)
    landing = bakery.lake.store.local(f"landing/visits/{day}")
    launched.wait_until(lambda: len(site.served) == 2 and len(site.fetched()) == 3)
    launched.wait_until(lambda: len([path for path in landing.rglob("*") if path.is_file()]) >= 2)
    time.sleep(0.2)  # until what was sent has reached the disk
    launched.kill()

    assert not (landing / "manifest.json").exists(), "a crawl that was cut short must not look complete"
    assert bakery.versions() == {}
    served = list(site.served)
    site.open()
    again = bakery.run(CRAWL_AND_TABLE, day)
    assert again.failures == {}
    assert_whole(bakery, bread, day, 90)
    assert Counter(site.served[len(served) :]) == {f"/{day}/part-2.jsonl.gz": 1}, "what had landed is not sent again"


def test_a_run_killed_between_staging_and_publishing_leaves_nothing_visible(bakery, bread):
    day = bread.FIRST
    assert bakery.run(CRAWL_AND_TABLE[:2], day).failures == {}
    folder = Path(bakery.lake.root) / "tables" / "sales"
    launched = bakery.start(("sales",), day)
    # The gate takes its time over staged files: that is the moment.
    launched.wait_until(lambda: list(folder.rglob("*.parquet")))
    launched.kill()

    staged = list(folder.rglob("*.parquet"))
    assert staged
    assert bakery.days("sales") == []
    again = bakery.run(("sales",), day)
    assert again.failures == {}
    assert_whole(bakery, bread, day, bread.VISITS)
    bakery.lake.clean_up("sales", older_than=bread.timedelta(0))
    assert not set(staged) & set(folder.rglob("*.parquet")), "what the killed run staged is cleaned up"
    assert_whole(bakery, bread, day, bread.VISITS)


def test_two_runs_of_one_day_at_once_neither_lose_nor_double_a_row(bakery, site, bread):
    day = bread.FIRST
    site.put(day, bread.visits(day, 80))
    site.slow.add(f"{day}/part-0.jsonl.gz")
    runs = [bakery.start(CRAWL_AND_TABLE, day) for _ in range(2)]
    for run in runs:
        run.wait_until(lambda run=run: "successfully opened dagster pipes" in run.text())
    # Both crawls are under way, and neither has its file.
    runs[0].wait_until(site.fetched)
    time.sleep(1)
    site.open()
    codes = [run.finish() for run in runs]
    assert 0 in codes, [run.text() for run in runs]
    assert_whole(bakery, bread, day, 80)
    assert all(code == 0 for code in codes), [run.text()[-3000:] for run in runs]


def test_a_run_killed_during_training_goes_on_at_its_checkpoint_and_ends_with_the_same_weights(new_bakery, bread):
    last = bread.DAYS[-1]
    bakery = new_bakery(baker=bread.DECLARATIONS["baker"].replace("epochs: 2", "epochs: 40"))
    assert bakery.run(bread.DATA, bread.FIRST, last).failures == {}
    models = Path(bakery.lake.root) / "models" / "baker"
    launched = bakery.start(("baker__float",), last)
    launched.wait_until(lambda: "epoch 2/40" in launched.text(), seconds=240)
    assert len(left_over(bakery)) >= 4, "dg, the supervisor and two workers"
    launched.kill()
    deadline = time.monotonic() + 30
    while left_over(bakery) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_over(bakery) == [], "a worker outlives its run"

    assert not (models / "champion.json").exists()
    assert not list(models.rglob("train.json")), "a training that was cut short must not look complete"
    assert not list(models.rglob("digest.json"))
    again = bakery.run(("baker__float",), last)
    assert again.failures == {}
    (resumed,) = re.findall(r"resumes after epoch (\d+) of 40", again.log())
    assert int(resumed) >= 2, "what was reported is not trained again"
    (digests,) = models.rglob("digest.json")
    weights = digests.read_bytes()
    history = json.loads((digests.parent / "history.json").read_text())
    assert [entry["epoch"] for entry in history] == list(range(1, 41))
    unchanged = bakery.run(("baker__float",), last)
    assert unchanged.materialized("baker__float")[last.isoformat()]["status"] == "unchanged"

    digests.unlink()
    anew = bakery.run(("baker__float",), last, force=True)
    assert anew.failures == {}
    assert "resumes after epoch" not in anew.log()
    assert digests.read_bytes() == weights, "the weights are those of an uninterrupted run"
