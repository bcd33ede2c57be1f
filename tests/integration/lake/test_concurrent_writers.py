"""Real processes publish at the same moment, and readers never see a mixture or a double."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from deltalake import DeltaTable

from assets.lake import Lake, digest
from assets.lake.publication import delta_schema

FIRST = dt.date(2024, 3, 1)


def days(count):
    return [str(FIRST + dt.timedelta(days=offset)) for offset in range(count)]


def stand_together(start, tmp_path, jobs):
    """Start one process a job, and let them go at once."""
    writers = [start(f"w{number}", go=str(tmp_path / "go"), **job) for number, job in enumerate(jobs)]
    (tmp_path / "go").touch()
    return writers


def contents(lake):
    """Return for each day the writers whose rows it holds, and how many rows."""
    found = lake.scan("t").group_by("date").agg(pl.col("writer").unique(), pl.len()).sort("date").collect()
    return {str(day): (writers, rows) for day, writers, rows in found.iter_rows()}


def rounds(place, count):
    """Fewer on an object store, where each commit asks a server."""
    return count if "://" not in place else max(2, count // 5)


def test_the_same_days_by_four_processes_at_once_end_with_one_copy_each(start, tmp_path, any_place):
    lake = Lake(any_place)
    jobs = [
        {"root": lake.root, "table": "t", "days": days(rounds(any_place, 15)), "rows": 3 + number}
        for number in range(4)
    ]
    mixtures, done = [], threading.Event()

    def read():
        while not done.is_set():
            if lake.exists("t"):
                mixtures.extend(
                    seen for seen in contents(lake).values() if len(seen[0]) != 1 or seen[1] != 3 + int(seen[0][0][1:])
                )

    writers = stand_together(start, tmp_path, jobs)
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for writer in writers:
            writer.finish()
    finally:
        done.set()
        reader.join()
    assert mixtures == []
    final = contents(lake)
    assert list(final) == days(rounds(any_place, 15))
    assert all(len(names) == 1 and rows == 3 + int(names[0][1:]) for names, rows in final.values())
    assert all(len(published.files) == 1 for published in lake.published_days("t").values())
    # The table came into being once, and each publication is one version.
    assert lake.version("t") == 4 * rounds(any_place, 15)
    assert [commit.operation for commit in lake.versions("t")].count("CREATE TABLE") == 1


def test_the_same_digest_by_four_processes_at_once_is_committed_once(start, tmp_path, any_place):
    lake = Lake(any_place)
    job = {"root": lake.root, "table": "t", "days": days(1), "rows": 5, "digest": "same"}
    for writer in stand_together(start, tmp_path, [job] * 4):
        writer.finish()
    assert lake.version("t") == 1
    assert lake.published("t", FIRST).digest == digest("same")
    assert lake.scan("t").collect().height == 5
    assert [info.path for info in lake.store.walk("tables/t/date=2024-03-01")] == [
        f"tables/t/{path}" for path in lake.published("t", FIRST).files
    ]


def test_disjoint_days_by_four_processes_at_once_all_commit(start, tmp_path, any_place):
    lake = Lake(any_place)
    jobs = [
        {"root": lake.root, "table": "t", "days": days(rounds(any_place, 40))[number::4], "rows": 2}
        for number in range(4)
    ]
    for writer in stand_together(start, tmp_path, jobs):
        writer.finish()
    assert list(contents(lake)) == days(rounds(any_place, 40))
    assert lake.version("t") == rounds(any_place, 40)


def test_a_table_that_eight_writers_create_at_once_is_created_once(any_place):
    for attempt in range(rounds(any_place, 10)):
        lake = Lake(f"{any_place}/{attempt}")
        together = threading.Barrier(8)

        def publish(number, lake=lake, together=together):
            day = FIRST + dt.timedelta(days=number)
            frame = pl.LazyFrame({"x": [number], f"only_{number}": ["here"]})
            staged = lake.stage("t", day, frame, digest=digest(number), run_id="run")
            together.wait()
            lake.publish(staged)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(publish, range(8)))
        assert [commit.operation for commit in lake.versions("t")].count("CREATE TABLE") == 1
        assert lake.version("t") == 8
        assert lake.scan("t").select(pl.sum_horizontal(pl.col("^only_.*$").count())).collect().item() == 8


def test_delta_alone_would_keep_both_copies_of_a_day_that_was_empty(tmp_path):
    """Pins why publications carry a mark: the day that this fails, the mark may go."""
    lake = Lake(tmp_path)
    tables = [lake.stage("t", FIRST, pl.LazyFrame({"x": [n]}), digest=digest(n), run_id="run") for n in (1, 2)]
    other = FIRST - dt.timedelta(days=1)
    lake.publish(lake.stage("t", other, pl.LazyFrame({"x": [0]}), digest=digest(0), run_id="run"))
    from deltalake.transaction import AddAction

    uri = f"{lake.root}/tables/t"
    writers = [DeltaTable(uri), DeltaTable(uri)]
    for delta, staged in zip(writers, tables, strict=True):
        file = staged.files[0]
        delta.create_write_transaction(
            [AddAction(file.path, file.bytes, {"date": str(FIRST)}, 0, data_change=True, stats='{"numRecords": 1}')],
            mode="overwrite",
            schema=delta_schema(lake.schema("t")),
            partition_by=["date"],
            partition_filters=[("date", "=", str(FIRST))],
        )
    assert lake.published("t", FIRST).rows == 2


@pytest.mark.parametrize("day_is_empty", [True, False])
def test_a_publication_between_anothers_look_and_its_commit_is_noticed(tmp_path, day_is_empty):
    plain = Lake(tmp_path)
    if not day_is_empty:
        plain.publish(plain.stage("t", FIRST, pl.LazyFrame({"x": [0]}), digest=digest(0), run_id="run"))
    interruptions = iter([pl.LazyFrame({"x": [1, 1]})])

    def interrupt(step):
        if step == "before_commit" and (frame := next(interruptions, None)) is not None:
            plain.publish(plain.stage("t", FIRST, frame, digest=digest(1), run_id="quick"))

    slow = Lake(tmp_path, on_step=interrupt)
    version = slow.publish(slow.stage("t", FIRST, pl.LazyFrame({"x": [2]}), digest=digest(2), run_id="slow"))
    assert plain.scan("t").collect()["x"].to_list() == [2]
    assert version == plain.version("t")


def test_a_new_column_that_arrives_meanwhile_is_kept(tmp_path):
    plain = Lake(tmp_path)
    plain.publish(plain.stage("t", FIRST, pl.LazyFrame({"x": [0]}), digest=digest(0), run_id="run"))
    other = FIRST + dt.timedelta(days=1)
    interruptions = iter([pl.LazyFrame({"x": [1], "y": ["new"]})])

    def interrupt(step):
        if step == "before_commit" and (frame := next(interruptions, None)) is not None:
            plain.publish(plain.stage("t", other, frame, digest=digest(1), run_id="quick"))

    slow = Lake(tmp_path, on_step=interrupt)
    slow.publish(slow.stage("t", FIRST, pl.LazyFrame({"x": [2], "z": [2.5]}), digest=digest(2), run_id="slow"))
    assert plain.scan("t").sort("date").drop("date").collect().to_dict(as_series=False) == {
        "x": [2, 1],
        "y": [None, "new"],
        "z": [2.5, None],
    }


def test_a_publication_during_a_restore_is_not_doubled(tmp_path, monkeypatch):
    lake = Lake(tmp_path)

    def publish(value, day=FIRST):
        return lake.publish(lake.stage("t", day, pl.LazyFrame({"x": [value]}), digest=digest(value), run_id="run"))

    good = publish(1)
    publish(2)
    restore, calls = DeltaTable.restore, []

    def restore_late(delta, *arguments, **options):
        if not calls:
            publish(3)
        calls.append(1)
        return restore(delta, *arguments, **options)

    monkeypatch.setattr(DeltaTable, "restore", restore_late)
    lake.restore("t", good)
    assert len(calls) == 2
    assert lake.scan("t").collect()["x"].to_list() == [1]


def test_a_restore_during_a_publication_is_not_doubled(tmp_path):
    plain = Lake(tmp_path)

    def publish(lake, value, day=FIRST):
        return lake.publish(lake.stage("t", day, pl.LazyFrame({"x": [value]}), digest=digest(value), run_id="run"))

    without = publish(plain, 0, FIRST + dt.timedelta(days=1))
    having = publish(plain, 1)
    plain.restore("t", without)
    interruptions = iter([having])

    def interrupt(step):
        if step == "before_commit" and (version := next(interruptions, None)) is not None:
            plain.restore("t", version)

    publish(Lake(tmp_path, on_step=interrupt), 2)
    assert plain.scan("t", end=FIRST).collect()["x"].to_list() == [2]
