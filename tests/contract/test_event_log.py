"""The event log with open connections: the stock storage's files, its readers and its followers."""

import inspect
import os
import threading
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster import AssetCheckEvaluation, EventLogEntry
from dagster._core.events import DagsterEvent
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.event_log import OPEN_SHARDS, OpenSqliteEventLogStorage

RUN = "0b6f2f6e-9c7e-4f0e-8d27-3a9a4ad0f001"
KEY = dg.AssetKey("shop_events")


def entry(day: str, run: str = RUN) -> EventLogEntry:
    evaluation = AssetCheckEvaluation(asset_key=KEY, check_name="conserved", passed=True, metadata={}, partition=day)
    return EventLogEntry(
        error_info=None,
        level=10,
        user_message=day,
        run_id=run,
        timestamp=time.time(),
        job_name="backfill",
        step_key="shop_events",
        dagster_event=DagsterEvent("ASSET_CHECK_EVALUATION", "backfill", event_specific_data=evaluation),
    )


def days(storage: SqliteEventLogStorage, run: str = RUN) -> list[str]:
    return [record.event_log_entry.user_message for record in storage.get_records_for_run(run).records]


@pytest.fixture
def storage(tmp_path: Path):
    made = OpenSqliteEventLogStorage(str(tmp_path))
    yield made
    made.dispose()


def test_stock_storage_reads_and_writes_the_same_files(storage, tmp_path):
    stock = SqliteEventLogStorage(str(tmp_path))
    storage.store_event(entry("2026-01-01"))
    stock.store_event(entry("2026-01-02"))
    storage.store_event(entry("2026-01-03"))
    assert days(stock) == days(storage) == ["2026-01-01", "2026-01-02", "2026-01-03"]
    key = dg.AssetCheckKey(KEY, "conserved")
    assert [len(one.get_asset_check_execution_history(key, limit=9)) for one in (stock, storage)] == [3, 3]


def test_a_follower_of_a_run_is_told_of_each_event(storage, tmp_path):
    storage.store_event(entry("2026-01-01"))
    follower = SqliteEventLogStorage(str(tmp_path))
    told: list[str] = []
    heard = threading.Event()

    def hear(event: EventLogEntry, cursor: str) -> None:
        del cursor
        told.append(event.user_message)
        heard.set()

    cursor = storage.get_records_for_run(RUN).cursor
    follower.watch(RUN, cursor, hear)
    try:
        for day in ("2026-01-02", "2026-01-03"):
            heard.clear()
            storage.store_event(entry(day))
            assert heard.wait(20), f"nobody heard of {day}"
    finally:
        follower.end_watch(RUN, hear)
        follower.dispose()
    assert told == ["2026-01-02", "2026-01-03"]


def test_reading_wakes_no_follower(storage):
    storage.store_event(entry("2026-01-01"))
    path = Path(storage.path_for_shard(RUN))
    os.utime(path, (1, 1))
    assert days(storage) == ["2026-01-01"]
    assert path.stat().st_mtime == 1


def test_an_exception_takes_back_what_was_written(storage):
    storage.store_event(entry("2026-01-01"))

    def fail() -> None:
        with storage.run_connection(RUN) as connection:
            connection.exec_driver_sql("delete from event_logs")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert days(storage) == ["2026-01-01"]


def test_many_runs_keep_few_files_open(storage):
    runs = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(2 * OPEN_SHARDS)]
    for run in runs:
        storage.store_event(entry("2026-01-01", run))
    assert len(storage._engines) <= OPEN_SHARDS
    assert all(days(storage, run) == ["2026-01-01"] for run in runs)


def test_an_instance_takes_it_from_its_configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    configuration = Path(__file__).parents[2] / "orchestration" / "dagster.yaml"
    (tmp_path / "dagster.yaml").write_bytes(configuration.read_bytes())
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, OpenSqliteEventLogStorage)
        assert Path(instance.event_log_storage.path_for_shard("index")) == tmp_path / "history" / "runs" / "index.db"


def test_the_private_names_that_it_rests_on_are_there():
    source = inspect.getsource(SqliteEventLogStorage)
    for name in ("self._db_lock", "self._initialized_dbs", "self._initdb(engine)", "return self._connect("):
        assert name in source
    assert list(inspect.signature(SqliteEventLogStorage._connect).parameters) == ["self", "shard"]
