"""Dagster's event log in SQLite, with connections that stay open.

Dagster opens a connection for each event and closes it after; SQLite then folds its write-ahead log into the database,
because no connection is left, and waits for the disk. A backfill of a year records more than ten thousand events.
`dagster.yaml` names this class. The files are those of the stock one, which may read and write them at the same time.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from dagster import DagsterInvariantViolationError
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

BUSY_SECONDS = 30
OPEN_SHARDS = 8


class OpenSqliteEventLogStorage(SqliteEventLogStorage):
    """The stock storage, but for how it connects: the shards used last stay open.

    A commit no longer waits for the disk, which SQLite's write-ahead log allows: a loss of power may lose the last
    events, and never damages the log. What was published is in the lake, not here.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._process = os.getpid()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing to configure: the files are where Dagster's own storage keeps them."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """The storage of the instance in DAGSTER_HOME."""
        del config_value
        home = os.environ.get("DAGSTER_HOME")
        if not home:
            raise DagsterInvariantViolationError(f"{cls.__name__} keeps its files in DAGSTER_HOME, which is not set.")
        return cls(str(Path(home) / "history" / "runs"), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).connect() as connection:
            changes = _changes(connection)
            with connection.begin():
                yield connection
            if _changes(connection) > changes:
                # Whoever follows a run watches for a new time of this file, which the write-ahead log leaves alone.
                os.utime(self.path_for_shard(shard))

    def _engine(self, shard: str) -> Engine:
        if self._process != os.getpid():
            # A connection must not be used on both sides of a fork.
            self._engines, self._process = OrderedDict(), os.getpid()
        if shard in self._engines:
            self._engines.move_to_end(shard)
            return self._engines[shard]
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _do_not_wait_for_the_disk)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        self._engines[shard] = engine
        if len(self._engines) > OPEN_SHARDS:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def dispose(self) -> None:
        """Close what is open."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def _changes(connection: Connection) -> int:
    """Rows written through a connection so far."""
    return int(connection.connection.driver_connection.total_changes)  # type: ignore[union-attr]


def _do_not_wait_for_the_disk(connection: Any, record: object) -> None:
    del record
    connection.execute("PRAGMA synchronous=NORMAL")
