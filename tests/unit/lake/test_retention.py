import datetime as dt
import os
from pathlib import Path

import polars as pl
import pytest

from assets.lake import Lake, MissingTableError, MissingVersionError, StagedFilesError, digest

DAY = dt.date(2024, 3, 1)
NEXT = dt.date(2024, 3, 2)
NOW = dt.timedelta(0)


def data_files(lake):
    return {info.path for info in lake.store.walk("tables/events") if "/date=" in info.path}


def referenced(lake):
    return {f"tables/events/{path}" for published in lake.published_days("events").values() for path in published.files}


def test_a_restored_table_equals_the_earlier_version(lake, put, rows):
    put(lake, [1])
    good = put(lake, [2], NEXT)
    put(lake, [3], y=["extra"])
    put(lake, [4], NEXT + dt.timedelta(days=1))
    version = lake.restore("events", good, reason="bad crawl")
    assert version == lake.version("events") == good + 3
    assert rows(lake) == [1, 2]
    assert lake.schema("events").names() == ["x", "date"]
    assert lake.published("events", NEXT + dt.timedelta(days=1)) is None
    info = lake.versions("events", limit=1)[0].info
    assert (info["restored_version"], info["reason"], info["days"]) == (str(good), "bad crawl", "2024-03-01 2024-03-03")


def test_a_restored_day_can_be_published_again(lake, put, rows):
    good = put(lake, [1])
    put(lake, [2])
    lake.restore("events", good)
    put(lake, [2])
    assert rows(lake) == [2]
    put(lake, [1])
    assert rows(lake) == [1]


def test_restoring_the_newest_version_changes_nothing(lake, put):
    newest = put(lake, [1])
    assert lake.restore("events", newest) == newest == lake.version("events")


def test_restoring_an_unknown_version_names_the_newest(lake, put):
    newest = put(lake, [1])
    with pytest.raises(MissingVersionError, match=f"no version 77; its newest is {newest}"):
        lake.restore("events", 77)
    with pytest.raises(MissingVersionError, match="no version -1"):
        lake.scan("events", version=-1)


def test_a_clean_up_keeps_what_is_published_and_removes_what_was_replaced(lake, put, rows):
    old = put(lake, [1])
    put(lake, [2])
    put(lake, [3], NEXT)
    lake.stage("events", NEXT, pl.LazyFrame({"x": [9]}), digest=digest(9), run_id="crashed")
    cleaned = lake.clean_up("events", NOW)
    assert len(cleaned.unreferenced) == 2
    assert cleaned.bytes > 0
    assert data_files(lake) == referenced(lake)
    assert rows(lake) == [2, 3]
    with pytest.raises(
        MissingVersionError, match="can no longer be read, because a clean-up removed its files of 2024-03-01"
    ):
        lake.scan("events", version=old)
    with pytest.raises(MissingVersionError):
        lake.restore("events", old)


def test_a_grace_period_protects_earlier_versions_and_staged_content(lake, put, rows):
    old = put(lake, [1])
    put(lake, [2])
    staged = lake.stage("events", NEXT, pl.LazyFrame({"x": [9]}), digest=digest(9), run_id="busy")
    cleaned = lake.clean_up("events", dt.timedelta(days=1))
    assert (cleaned.unreferenced, cleaned.leftovers) == ((), ())
    lake.publish(staged)
    assert rows(lake) == [2, 9]
    assert rows(lake, version=old) == [1]


def test_an_idle_clean_up_adds_no_version(lake, put):
    version = put(lake, [1])
    lake.clean_up("events", NOW)
    assert lake.version("events") == version


def test_staged_content_that_was_cleaned_up_is_not_published(lake, put, rows):
    put(lake, [1])
    staged = lake.stage("events", DAY, pl.LazyFrame({"x": [9]}), digest=digest(9), run_id="slow")
    lake.clean_up("events", NOW)
    with pytest.raises(StagedFilesError, match="is gone"):
        lake.publish(staged)
    assert rows(lake) == [1]


def test_orphans_are_judged_by_their_age(local, put):
    put(local, [1])
    folder = Path(local.root) / "tables/events/date=2024-03-01"
    (folder / "old.parquet").write_bytes(b"x")
    (folder / "young.parquet").write_bytes(b"x")
    os.utime(folder / "old.parquet", (1, 1))
    assert local.clean_up("events", dt.timedelta(hours=2)).unreferenced == ("date=2024-03-01/old.parquet",)
    assert (folder / "young.parquet").exists()


def test_what_killed_writers_leave_in_the_log_folder_is_removed(local, put, rows):
    put(local, [1])
    log = Path(local.root) / "tables/events/_delta_log"
    for name in ("_commit_1f0c.json.tmp", "00000000000000000009.json#1"):
        (log / name).write_bytes(b"{")
    assert rows(local) == [1]
    assert len(local.clean_up("events", NOW).leftovers) == 2
    assert sorted(path.name for path in log.iterdir()) == ["00000000000000000000.json", "00000000000000000001.json"]


def test_a_table_that_was_only_ever_staged_is_cleaned_up(lake):
    with pytest.raises(MissingTableError):
        lake.clean_up("events", NOW)
    lake.stage("events", DAY, pl.LazyFrame({"x": [9]}), digest=digest(9), run_id="crashed")
    assert lake.clean_up("events", dt.timedelta(days=1)).unreferenced == ()
    assert len(lake.clean_up("events", NOW).unreferenced) == 1
    assert data_files(lake) == set()


def test_a_clean_up_waits_for_a_publication_on_this_machine(tmp_path, rows):
    order = []

    def on_step(step):
        if step == "before_commit":
            thread.start()
            thread.join(0.3)
            order.append("cleaned early" if not thread.is_alive() else "waiting")

    import threading

    lake = Lake(tmp_path / "lake", on_step=on_step)
    plain = Lake(tmp_path / "lake")
    thread = threading.Thread(target=lambda: order.append(plain.clean_up("events", NOW)))
    staged = lake.stage("events", DAY, pl.LazyFrame({"x": [1]}), digest=digest(1), run_id="run")
    lake.publish(staged)
    thread.join(30)
    assert order[0] == "waiting"
    assert order[1].unreferenced == ()
    assert rows(plain) == [1]
