import datetime as dt
import os
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from assets.lake import (
    Lake,
    LakeError,
    MissingPartitionError,
    MissingTableError,
    StagedFilesError,
    UnreadableTableError,
    digest,
)
from foundation.store import storage_options

DAY = dt.date(2024, 3, 1)
NEXT = dt.date(2024, 3, 2)


def files_of(lake, table="events"):
    found = [info.path for info in lake.store.walk(f"tables/{table}")]
    return [path for path in found if path.endswith(".parquet") and "_delta_log" not in path]


def test_staged_rows_are_seen_by_the_gate_and_by_no_reader(lake, put, rows):
    put(lake, [1, 2])
    staged = lake.stage("events", DAY, pl.LazyFrame({"x": [7]}), digest=digest("new"), run_id="run-2")
    assert lake.scan_staged(staged).collect().to_dict(as_series=False) == {"x": [7], "date": [DAY]}
    assert rows(lake) == [1, 2]
    lake.publish(staged)
    assert rows(lake) == [7]


def test_staging_alone_makes_no_table(lake):
    lake.stage("events", DAY, pl.LazyFrame({"x": [7]}), digest=digest("new"), run_id="run")
    assert not lake.exists("events")
    assert lake.published_days("events") == {}
    assert lake.published("events", DAY) is None


def test_publishing_replaces_exactly_one_day(lake, put, rows):
    put(lake, [1, 2])
    put(lake, [3], NEXT)
    put(lake, [4, 5, 6])
    assert rows(lake, DAY) == [4, 5, 6]
    assert rows(lake, NEXT) == [3]


def test_publishing_the_same_digest_again_adds_no_version_and_no_file(lake, put, rows):
    first = put(lake, [1, 2])
    before = files_of(lake)
    assert put(lake, [1, 2]) == first == lake.version("events")
    assert files_of(lake) == before
    assert rows(lake) == [1, 2]


def test_content_of_the_same_digest_is_replaced_when_that_is_asked_for(lake, put, rows):
    first = put(lake, [1, 2], name="a" * 64)
    staged = lake.stage("events", DAY, pl.LazyFrame({"x": [3]}), digest="a" * 64, run_id="run-2")
    assert lake.publish(staged, replace=True) == first + 1
    assert rows(lake) == [3]


def test_publishing_the_same_staged_content_twice_keeps_its_files(lake, rows):
    staged = lake.stage("events", DAY, pl.LazyFrame({"x": [7]}), digest=digest("new"), run_id="run")
    assert lake.publish(staged) == lake.publish(staged)
    lake.discard(staged)
    assert rows(lake) == [7]


def test_a_published_file_that_was_lost_or_cut_is_replaced_by_the_same_digest(local, put, rows):
    put(local, [1, 2])
    path = Path(local.root) / "tables/events" / local.published("events", DAY).files[0]
    path.unlink()
    put(local, [1, 2])
    assert rows(local) == [1, 2]
    path = Path(local.root) / "tables/events" / local.published("events", DAY).files[0]
    os.truncate(path, 40)
    put(local, [1, 2])
    assert rows(local) == [1, 2]


def test_an_empty_day_is_on_record_and_an_absent_one_is_not(lake, put, rows):
    put(lake, [1])
    put(lake, [], NEXT)
    assert lake.published("events", NEXT).rows == 0
    assert len(lake.published("events", NEXT).files) == 1
    assert rows(lake, NEXT) == []
    assert lake.published("events", NEXT + dt.timedelta(days=1)) is None


def test_published_says_digest_rows_files_and_bytes(lake, put):
    name = digest("a")
    put(lake, [1, 2, 3], name=name)
    published = lake.published("events", DAY)
    assert (published.digest, published.rows) == (name, 3)
    assert [lake.store.info(f"tables/events/{path}").bytes for path in published.files] == [published.bytes]


def test_the_stored_file_holds_no_date_column(local, put):
    put(local, [1])
    path = Path(local.root) / "tables/events" / local.published("events", DAY).files[0]
    assert pl.read_parquet_schema(path).keys() == {"x"}
    assert path.parent.name == "date=2024-03-01"


def test_a_frame_may_bring_its_date_if_it_is_the_right_one(lake):
    frame = pl.LazyFrame({"x": [1, 2], "date": [DAY, DAY]})
    lake.publish(lake.stage("events", DAY, frame, digest=digest(1), run_id="run"))
    assert lake.scan("events").collect().height == 2
    wrong = pl.LazyFrame({"x": [1, 2, 3], "date": [DAY, NEXT, None]})
    with pytest.raises(LakeError, match="2 rows of the frame staged for 2024-03-01 have another 'date'"):
        lake.stage("events", DAY, wrong, digest=digest(2), run_id="run")
    assert len(files_of(lake)) == 1


def test_rows_can_be_sorted_and_row_groups_sized(local):
    frame = pl.LazyFrame({"x": list(range(1000, 0, -1))})
    staged = local.stage("events", DAY, frame, digest=digest(1), run_id="run", sort_by=["x"], row_group_rows=300)
    assert local.scan_staged(staged).collect()["x"].to_list() == list(range(1, 1001))
    import pyarrow.parquet as pq

    assert pq.read_metadata(Path(local.root) / "tables/events" / staged.files[0].path).num_row_groups == 4


def test_a_failed_stage_publishes_nothing_and_says_what_was_staged(lake):
    frame = pl.LazyFrame({"x": ["1", "two"]}).with_columns(pl.col("x").cast(pl.Int64))
    with pytest.raises(pl.exceptions.InvalidOperationError) as caught:
        lake.stage("events", DAY, frame, digest=digest(1), run_id="run")
    assert "table 'events' of 2024-03-01" in caught.value.__notes__[0]
    assert not lake.exists("events")


def test_two_tables_are_staged_by_one_pass_over_their_input(local):
    passes = []

    def counted(frame):
        passes.append(frame.height)
        return frame

    events = pl.LazyFrame({"x": [1, 2, 3, 4]}).map_batches(counted)
    planned = [
        local.plan_stage("kept", DAY, events.filter(pl.col("x") > 1), digest=digest(1), run_id="run"),
        local.plan_stage("kept__quarantine", DAY, events.filter(pl.col("x") <= 1), digest=digest(1), run_id="run"),
    ]
    (kept, quarantined), (counts,) = local.run_staging(planned, also=[events.select(pl.len())])
    assert (kept.rows, quarantined.rows, counts.item()) == (3, 1, 4)
    assert sum(passes) == 4


def test_several_days_are_published_in_one_commit(lake, put, rows):
    put(lake, [1])
    parts = [
        lake.stage("events", day, pl.LazyFrame({"x": [value]}), digest=digest(value), run_id="run")
        for day, value in [(DAY, 7), (NEXT, 8)]
    ]
    before = lake.version("events")
    assert lake.publish_many(parts) == before + 1
    assert rows(lake) == [7, 8]


def test_one_commit_takes_different_days_of_one_table(lake):
    one = lake.stage("events", DAY, pl.LazyFrame({"x": [1]}), digest=digest(1), run_id="run")
    other = lake.stage("others", DAY, pl.LazyFrame({"x": [1]}), digest=digest(1), run_id="run")
    with pytest.raises(LakeError, match="events, others"):
        lake.publish_many([one, other])
    with pytest.raises(LakeError, match="each day once"):
        lake.publish_many([one, one])
    with pytest.raises(LakeError, match="no table"):
        lake.publish_many([])


def test_who_published_what_is_in_the_history(lake):
    name = digest("a")
    staged = lake.stage("events", DAY, pl.LazyFrame({"x": [1]}), digest=name, run_id="run-7")
    version = lake.publish(staged, commit_info={"code": "abc", "timestamp": "not Delta's own"})
    newest = lake.versions("events", limit=1)[0]
    assert newest.version == version
    assert {"run_id": "run-7", "days": "2024-03-01", "digests": name, "code": "abc", "rows": "1"}.items() <= dict(
        newest.info
    ).items()
    assert abs(newest.time - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


def test_earlier_versions_stay_readable(lake, put, rows):
    first = put(lake, [1])
    put(lake, [2])
    assert rows(lake, version=first) == [1]
    assert rows(lake) == [2]


def test_a_frame_that_was_scanned_keeps_its_version(lake, put):
    put(lake, [1])
    frame = lake.scan("events")
    put(lake, [2])
    assert frame.collect()["x"].to_list() == [1]


def test_only_the_asked_days_are_opened(local, put, rows):
    put(local, [1])
    put(local, [2], NEXT)
    path = Path(local.root) / "tables/events" / local.published("events", NEXT).files[0]
    path.write_bytes(b"damaged")
    assert rows(local, DAY) == [1]
    with pytest.raises(pl.exceptions.ComputeError):
        rows(local, NEXT)


def test_days_without_data_read_as_no_rows_with_the_full_schema(lake, put):
    put(lake, [1])
    far = dt.date(1999, 1, 1)
    frame = lake.scan("events", start=far, end=far).collect()
    assert frame.height == 0
    assert frame.schema == lake.schema("events") == {"x": pl.Int64, "date": pl.Date}


def test_a_window_can_be_required_to_be_complete(lake, put):
    put(lake, [1])
    put(lake, [2], NEXT)
    assert lake.scan("events", start=DAY, end=NEXT, complete=True).collect().height == 2
    late = NEXT + dt.timedelta(days=2)
    with pytest.raises(
        MissingPartitionError, match=r"lacks 2 of the days .*: 2024-03-03, 2024-03-04. Materialise 'events'"
    ):
        lake.scan("events", start=DAY, end=late, complete=True)


def test_a_missing_table_says_what_to_materialise(lake, put):
    with pytest.raises(MissingTableError, match=r"Materialise 'events' first\. The lake holds no table yet"):
        lake.scan("events")
    put(lake, [1])
    with pytest.raises(MissingTableError, match=r"Materialise 'event' first\. Tables there: events"):
        lake.scan("event")


@pytest.mark.parametrize("name", ["../events", "Events", "", "a b", "1x", "x" * 200])
def test_table_names_are_plain(local, name):
    with pytest.raises(LakeError, match="is not a table name"):
        local.scan(name)


def test_a_folder_that_delta_cannot_address_is_refused(tmp_path):
    for name in ("a%20b", "a#b", "a?b"):
        with pytest.raises(LakeError, match="SLUICE_LAKE"):
            Lake(tmp_path / name)


@pytest.mark.parametrize("name", ["../../x", "", "ABCDEF0123456789", "0123"])
def test_digests_are_hexadecimal(local, name):
    with pytest.raises(ValueError, match="is not a digest"):
        local.stage("events", DAY, pl.LazyFrame({"x": [1]}), digest=name, run_id="run")


def test_a_run_id_cannot_leave_the_folder(local):
    staged = local.stage("events", DAY, pl.LazyFrame({"x": [1]}), digest=digest(1), run_id="../../ünï/-run")
    assert staged.files[0].path.startswith(f"date=2024-03-01/{digest(1)}-nrun-")
    assert local.publish(staged) == 1


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_damaged_staged_files_are_not_published(local, put, rows, damage):
    put(local, [1])
    staged = local.stage("events", DAY, pl.LazyFrame({"x": [2]}), digest=digest(2), run_id="run")
    path = Path(local.root) / "tables/events" / staged.files[0].path
    path.unlink() if damage == "gone" else os.truncate(path, 10)
    with pytest.raises(StagedFilesError, match="Materialise 'events' for 2024-03-01 again"):
        local.publish(staged)
    assert rows(local) == [1]


@pytest.mark.parametrize("damage", ["last entry cut", "log folder is a file"])
def test_a_log_that_cannot_be_committed_to_is_an_error_that_leaves_the_staged_files(local, put, damage):
    put(local, [1])
    log = Path(local.root) / "tables/events/_delta_log"
    staged = local.stage("events", DAY, pl.LazyFrame({"x": [2]}), digest=digest(2), run_id="run")
    if damage == "last entry cut":
        entry = log / "00000000000000000001.json"
        entry.write_bytes(entry.read_bytes()[:100])
    else:
        log.rename(log.with_name("moved"))
        log.write_bytes(b"")
    with pytest.raises(UnreadableTableError, match=r"Table 'events': the log under .* cannot be read"):
        local.publish(staged)
    with pytest.raises(UnreadableTableError):
        local.scan("events")
    assert (Path(local.root) / "tables/events" / staged.files[0].path).exists()


def test_a_table_written_by_something_else_is_read_and_replaced(local, put, rows):
    import deltalake
    import pyarrow as pa

    uri = f"{local.root}/tables/events"
    Path(uri).mkdir(parents=True)
    foreign = pa.table({"x": pa.array([1, 2], pa.int64()), "date": [DAY, NEXT]})
    deltalake.write_deltalake(uri, foreign, partition_by=["date"])
    assert local.exists("events")
    assert local.published("events", DAY).digest == ""
    put(local, [9])
    assert rows(local) == [2, 9]


def test_pyarrow_and_pandas_read_the_table(lake, put):
    put(lake, [1, None], name=digest(1))
    put(lake, [3], NEXT)
    table = DeltaTable(f"{lake.root}/tables/events", storage_options=storage_options(lake.root))
    arrow = table.to_pyarrow_dataset().to_table().sort_by([("date", "ascending"), ("x", "ascending")])
    assert arrow.to_pydict() == {"x": [1, None, 3], "date": [DAY, DAY, NEXT]}
    assert table.to_pandas().shape == (3, 2)


def test_the_default_lake_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLUICE_LAKE", raising=False)
    assert Lake.from_environment().root == str(tmp_path / "data/lake")
    monkeypatch.setenv("SLUICE_LAKE", (tmp_path / "else where").as_uri())
    assert Lake.from_environment().root == str(tmp_path / "else where")
    monkeypatch.setenv("SLUICE_LAKE", "s3://elsewhere/lake/")
    assert Lake.from_environment().root == "s3://elsewhere/lake"


def test_the_ledger_of_the_published_content_is_found(lake, put):
    lake.write_ledger("events", DAY, digest(1), {"rows_in": 3, "day": DAY})
    lake.write_ledger("events", DAY, digest(2), {"rows_in": 4})
    put(lake, [1], name=digest(1))
    assert lake.ledger("events", DAY) == {"rows_in": 3, "day": "2024-03-01"}
    assert lake.ledger("events", DAY, digest=digest(2)) == {"rows_in": 4}
    with pytest.raises(MissingPartitionError, match="Materialise 'events' for 2024-03-02 first"):
        lake.ledger("events", NEXT)
    assert [info.path.rsplit(".", 1)[-1] for info in lake.reports.files("events", DAY)] == ["json", "json"]


@pytest.mark.parametrize("damage", ["lost", "cut", "of another kind"])
def test_a_ledger_that_is_lost_or_damaged_is_none(lake, put, damage):
    lake.write_ledger("events", DAY, digest(1), {"rows_in": 3})
    put(lake, [1], name=digest(1))
    place = lake.reports.place("events", DAY, f"{digest(1)}.json")
    lake.store.remove(place) if damage == "lost" else lake.store.write(place, b"[]" if "kind" in damage else b'{"a')
    assert lake.ledger("events", DAY) is None
