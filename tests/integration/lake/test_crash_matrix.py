"""Writers of two days are killed at every step of stage, audit, publish and clean-up.

Readers always see the last good version, a retry completes, and a clean-up leaves nothing behind.
"""

import datetime as dt
import random
import re
import time

import polars as pl
import pytest

from assets.lake import Lake, digest

DAYS = [dt.date(2024, 3, 1), dt.date(2024, 3, 2)]
LOG_ENTRY = re.compile(r"/(\d{20}(\.checkpoint\.parquet|\.json)|_last_checkpoint)$")
NOW = dt.timedelta(0)


def publish(lake, day, writer, rows):
    frame = pl.LazyFrame({"writer": [writer] * rows, "n": range(rows)}, schema={"writer": pl.String, "n": pl.Int64})
    return lake.publish(lake.stage("t", day, frame, digest=digest(writer, str(day)), run_id=writer))


def seen(lake):
    found = lake.scan("t").group_by("date", "writer").len().collect()
    return {(day, writer): rows for day, writer, rows in found.iter_rows()}


def assert_no_orphans(lake):
    lake.clean_up("t", NOW)
    named = {f"tables/t/{path}" for published in lake.published_days("t").values() for path in published.files}
    rest = {
        info.path
        for info in lake.store.walk("tables/t")
        if not info.path.startswith("tables/t/_refused/") and info.path != "tables/t/_lock"
    }
    log = {path for path in rest if "/_delta_log/" in path}
    assert rest - log == named
    assert [path for path in log if not LOG_ENTRY.search(path)] == []


GOOD = {(day, "good"): 2 for day in DAYS}
NEW = {(day, f"w{number}"): 5 for number, day in enumerate(DAYS)}


@pytest.mark.parametrize(
    ("step", "after"),
    [("staging", GOOD), ("staged", GOOD), ("before_commit", GOOD), ("after_commit", NEW)],
)
def test_two_days_killed_while_they_are_published(start, any_place, step, after):
    lake = Lake(any_place)
    for day in DAYS:
        publish(lake, day, "good", 2)
    writers = [
        start(f"w{number}", root=lake.root, table="t", days=[str(day)], rows=5, pause_at=step)
        for number, day in enumerate(DAYS)
    ]
    for writer in writers:
        writer.wait_until_paused()
    assert seen(lake) == after
    for writer in writers:
        writer.kill()
    assert seen(lake) == after

    for number, day in enumerate(DAYS):
        publish(lake, day, f"w{number}", 5)
    assert seen(lake) == NEW
    assert lake.version("t") == 4, "what was committed before the crash is not committed again"
    assert_no_orphans(lake)
    assert seen(lake) == NEW


def test_two_first_days_killed_before_their_table_was_complete(start, any_place):
    lake = Lake(any_place)
    writers = [
        start(f"w{number}", root=lake.root, table="t", days=[str(day)], rows=5, pause_at="before_commit")
        for number, day in enumerate(DAYS)
    ]
    for writer in writers:
        writer.wait_until_paused()
        writer.kill()
    assert not lake.exists("t")
    assert lake.published_days("t") == {}
    for number, day in enumerate(DAYS):
        publish(lake, day, f"w{number}", 5)
    assert seen(lake) == NEW
    assert_no_orphans(lake)


def test_two_days_killed_after_their_gates_refused_them(start, any_place):
    lake = Lake(any_place)
    for day in DAYS:
        publish(lake, day, "good", 2)
    writers = [
        start(f"w{number}", root=lake.root, table="t", days=[str(day)], rows=5, pause_at="refused", action="refuse")
        for number, day in enumerate(DAYS)
    ]
    for writer in writers:
        writer.wait_until_paused()
        writer.kill()
    assert seen(lake) == GOOD
    assert_no_orphans(lake)
    assert [lake.inspect_refused("t", day).collect().height for day in DAYS] == [5, 5]
    for day in DAYS:
        lake.publish_refused("t", day, reason="checked by hand")
    assert seen(lake) == NEW
    assert_no_orphans(lake)


def test_a_clean_up_killed_half_way_takes_nothing_that_is_needed(start, any_place, monkeypatch):
    lake = Lake(any_place)
    for writer in ("old", "good"):
        for day in DAYS:
            publish(lake, day, writer, 2)
    lake.store.write("tables/t/_delta_log/_commit_0.json.tmp", b"{")
    cleaner = start("cleaner", root=lake.root, table="t", days=[str(DAYS[0])], pause_at="cleaning", action="clean_up")
    cleaner.wait_until_paused()
    assert seen(lake) == GOOD
    cleaner.kill()
    assert seen(lake) == GOOD
    # The lock of the killed process is gone with it; a lease, when it has stood still for as long as one lasts.
    monkeypatch.setattr("foundation.store.lease.LASTS", 1.0)
    publish(lake, DAYS[0], "w0", 5)
    assert_no_orphans(lake)
    assert seen(lake) == {(DAYS[0], "w0"): 5, (DAYS[1], "good"): 2}


def test_writers_killed_at_any_moment_leave_whole_days(start, any_place):
    lake = Lake(any_place)
    days = [str(DAYS[0] + dt.timedelta(days=offset)) for offset in range(200)]
    moments = random.Random(3)
    for attempt in range(2 if "://" in any_place else 5):
        names = [f"a{attempt}", f"b{attempt}"]
        writers = [start(name, root=lake.root, table="t", days=days, rows=7) for name in names]
        time.sleep(moments.uniform(0.05, 0.8))
        for writer in writers:
            writer.kill()
        if lake.exists("t"):
            whole = lake.scan("t").group_by("date").agg(pl.col("writer").n_unique(), pl.len()).collect()
            assert set(whole["writer"]) <= {1}
            assert set(whole["len"]) <= {7}
            assert_no_orphans(lake)
    for day in DAYS:
        publish(lake, day, "last", 3)
    assert {key: rows for key, rows in seen(lake).items() if key[0] in DAYS} == {(day, "last"): 3 for day in DAYS}
    assert_no_orphans(lake)
