"""After many days what is kept is what is needed, and what is declared to be kept."""

import datetime as dt
import hashlib
import os
import re
from pathlib import Path

import polars as pl
import pytest

from assets.lake import Lake, digest
from assets.lake.housekeeping import Household, Retention, keep_house
from crawlers.landing import LandedFile, Landing, Manifest
from foundation.store.cache import cache_folder
from training.champions import Record, Switch

NOW = dt.datetime.now(dt.UTC)
DAYS = 60
HOUSEHOLD = Household(tables=["sales"], sources={"shop": None, "archive": 50}, models=["ranker"])
RETENTION = Retention(
    versions="7d", refused="20d", reports="30d", landing="40d", unfinished="5d", runs="14d", models="10d", rollbacks=2
)


def day_of(age):
    return NOW.date() - dt.timedelta(days=age)


def ages(names):
    return sorted((NOW.date() - dt.date.fromisoformat(name)).days for name in names)


def switch(version, day, way="blessed"):
    return Switch(version=version, as_of=day, way=way, by="a test", reason="better", at=NOW)


def frame(*values):
    return pl.LazyFrame({"x": values}, schema={"x": pl.Int64})


def work(lake, age):
    """All that a day leaves behind, good and bad."""
    day, run = day_of(age), f"run{age}"
    # Some days are made twice.
    for attempt in ("first", "second") if age % 5 == 1 or age < 9 else ("second",):
        name = digest(attempt, age)
        lake.write_ledger("sales", day, name, {"report": {}, "checks": []})
        lake.reports.write("sales", day, "docs/index.html", attempt)
        lake.publish(lake.stage("sales", day, frame(age, age), digest=name, run_id=run))
    lake.keep(lake.stage("sales", day, frame(-1), digest=digest("refused", age), run_id=run), reason="the gate")
    lake.write_ledger("sales", day, digest("refused", age), {"report": {}, "checks": []})
    lake.stage("sales", day, frame(-2), digest=digest("abandoned", age), run_id=run)
    for source in ("shop", "archive"):
        land(lake, source, day, b"bytes of %d" % age)
        broken = Landing(lake.root, f"{source}", day, started_at=NOW)
        assert broken.try_lock()
        broken.partial("b").parent.mkdir(exist_ok=True)
        broken.partial("b").write_bytes(b"half")
        broken.close()
    part = lake.scratch_dir("ranker") / f"{day}/{digest(age)[:16]}/data/part.npy"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"0" * 100)
    lake.models("ranker").write(f"versions/{day}/model.tflite", b"0" * 100)


def land(lake, source, day, body):
    landing = Landing(lake.root, source, day, started_at=NOW)
    assert landing.try_lock()
    partial = landing.partial("a")
    partial.parent.mkdir(exist_ok=True)
    partial.write_bytes(body)
    sha256 = hashlib.sha256(body).hexdigest()
    file = LandedFile(path="", url="a", status=200, bytes=len(body), sha256=sha256, fetched_at=NOW)
    files = (landing.land(partial, file),)
    landing.commit(
        Manifest(source=source, partition=day, finish_reason="finished", started_at=NOW, finished_at=NOW, files=files)
    )
    landing.close()


def grow_older(root, age):
    """Everything that was written since the last call is this many days old."""
    then = (NOW - dt.timedelta(days=age)).timestamp()
    for path in Path(root).rglob("*"):
        status = path.stat()
        if status.st_mtime < NOW.timestamp() - 3600:
            continue
        if path.parent.name == "_delta_log" and path.suffix == ".json":
            # Delta counts from when a file was replaced.
            text = path.read_text()
            path.write_text(re.sub(r'("deletionTimestamp":)\d+', rf"\g<1>{int(then * 1000)}", text))
        os.utime(path, (then, then))


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A lake after many days, and what one clean-up said."""
    home = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLUICE_CACHE", str(home / "cache"))
        lake = Lake(home / "lake")
        for age in range(DAYS, 0, -1):
            work(lake, age)
            grow_older(lake.root, age)
        switches = [switch(str(day_of(age)), day_of(age)) for age in range(DAYS, 0, -1)]
        # Back to an old one by hand: the champion stays, whatever its age, and those that going further back leads to.
        switches.append(switch(str(day_of(45)), day_of(45), "rolled back"))
        lake.store.write("models/ranker/champion.json", Record(switches=switches).model_dump_json().encode())
        (cache_folder() / "old").mkdir(parents=True)
        (cache_folder() / "old/copy").write_bytes(b"1234")
        os.utime(cache_folder() / "old", (0, 0))
        before = {info.path for info in lake.store.walk()}
        cleaned = keep_house(lake, HOUSEHOLD, RETENTION, now=NOW)
        yield lake, cleaned, before


def left(lake, pattern):
    return ages({match[1] for info in lake.store.walk() if (match := re.search(pattern, info.path))})


def test_what_is_published_is_whole_and_earlier_versions_stay_as_long_as_declared(lived_in):
    lake, _, _ = lived_in
    assert lake.scan("sales").collect().height == 2 * DAYS
    assert lake.scan("sales").select(pl.col("x").n_unique()).collect().item() == DAYS
    day = day_of(6)
    back = next(c.version for c in lake.versions("sales") if c.info.get("digests") == digest("first", 6))
    assert lake.scan("sales", version=back, start=day, end=day).collect().height == 2
    # Of each old day one file: no replaced one, none that was staged and left.
    files = [info.path for info in lake.store.walk("tables/sales") if "/date=" in info.path]
    for age in range(9, DAYS + 1):
        assert len([path for path in files if f"/date={day_of(age)}/" in path and "_refused" not in path]) == 1


def test_refusals_stay_as_long_as_declared(lived_in):
    lake, _, _ = lived_in
    assert left(lake, r"_refused/date=(.{10})/") == list(range(1, 20 + 1))
    assert lake.refused("sales", day_of(19))
    assert not lake.refused("sales", day_of(21))


def test_reports_of_what_is_published_stay_and_others_as_long_as_declared(lived_in):
    lake, _, _ = lived_in
    assert all(lake.ledger("sales", day_of(age)) is not None for age in range(1, DAYS + 1))
    assert left(lake, r"reports/sales/(.{10})/docs") == list(range(1, 30 + 1))
    assert lake.ledger("sales", day_of(26), digest=digest("first", 26)) is not None
    assert lake.ledger("sales", day_of(31), digest=digest("first", 31)) is None
    assert lake.ledger("sales", day_of(31), digest=digest("refused", 31)) is None


def test_landing_stays_as_long_as_declared_and_what_broke_off_does_not(lived_in):
    lake, _, _ = lived_in
    assert left(lake, r"landing/shop/(.{10})/manifest") == list(range(1, 40 + 1))
    assert left(lake, r"landing/archive/(.{10})/manifest") == list(range(1, 50 + 1))
    assert left(lake, r"landing/shop/(.{10})/partial") == list(range(1, 5 + 1))
    assert left(lake, r"landing/shop/(.{10})/files") == list(range(1, 40 + 1))


def test_runs_and_versions_of_models_stay_as_long_as_declared_and_the_last_champions_always(lived_in):
    lake, _, _ = lived_in
    assert left(lake, r"models/ranker/runs/(.{10})/") == list(range(1, 14 + 1))
    assert left(lake, r"models/ranker/versions/(.{10})/") == [*range(1, 10 + 1), 45, 46, 47]


def test_what_was_removed_is_told_by_kind_and_there_is_nothing_more_to_do(lived_in):
    lake, cleaned, before = lived_in
    told = {(one.kind, one.name): one for one in cleaned}
    assert set(told) == {
        ("versions", "sales"),
        ("refused", "sales"),
        ("reports", "sales"),
        ("landing", "shop"),
        ("landing", "archive"),
        ("unfinished", "shop"),
        ("unfinished", "archive"),
        ("unfinished", ""),
        ("runs", "ranker"),
        ("models", "ranker"),
    }
    assert all(one.bytes > 0 for one in cleaned)
    assert (told["runs", "ranker"].count, told["runs", "ranker"].bytes) == (DAYS - 14, 100 * (DAYS - 14))
    assert told["unfinished", ""].bytes == 4
    assert len({info.path for info in lake.store.walk()} & before) < len(before)
    assert keep_house(lake, HOUSEHOLD, RETENTION, now=NOW) == []


def test_the_same_on_an_object_store(objects):
    lake = Lake(objects.place())
    day = day_of(1)
    lake.publish(lake.stage("sales", day, frame(1), digest=digest(1), run_id="run"))
    lake.write_ledger("sales", day, digest(1), {"report": {}, "checks": []})
    lake.reports.write("sales", day, "docs/index.html", "")
    lake.keep(lake.stage("sales", day, frame(2), digest=digest(2), run_id="run"), reason="the gate")
    land(lake, "shop", day, b"1")
    for version in ("a", "b"):
        lake.store.write(f"models/ranker/versions/{version}/model.tflite", b"1")
    lake.store.write("models/ranker/champion.json", Record(switches=(switch("b", day),)).model_dump_json().encode())
    assert keep_house(lake, HOUSEHOLD, Retention(), now=NOW) == []
    cleaned = keep_house(lake, HOUSEHOLD, Retention(), now=NOW + dt.timedelta(days=400))
    assert {one.kind for one in cleaned} == {"refused", "reports", "landing", "models"}
    assert lake.scan("sales").collect().height == 1
    assert lake.ledger("sales", day) is not None
    assert [info.path for info in lake.store.walk("models")] == [
        "models/ranker/champion.json",
        "models/ranker/versions/b/model.tflite",
    ]
