"""Tables by name: where they lie, what is published of them, and how they are read."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import polars as pl
from deltalake import DeltaTable

from assets.lake import publication
from assets.lake.errors import (
    MissingPartitionError,
    MissingTableError,
    MissingVersionError,
    UnreadableTableError,
)
from assets.lake.names import named
from assets.lake.reading import scan_files, scan_table
from assets.lake.records import Commit, Published
from foundation.store import Store

_LOCK = "_lock"


class Tables:
    """Tables in a store, each a Delta table partitioned by `date`: how they are read.

    Args:
        store: Where they lie, under `tables/`.
        options: How Polars and deltalake reach an object store.
    """

    def __init__(self, store: Store, options: Mapping[str, str] | None) -> None:
        self.store = store
        self.options = dict(options) if options else None

    def names(self) -> list[str]:
        """The tables that something was staged or published for."""
        return self.store.folders("tables")

    def exists(self, table: str) -> bool:
        """Say whether anything of a table was ever published."""
        delta = self.opened(table)
        # A writer that was killed between creating a table and its first commit leaves version 0, without content.
        return delta is not None and (delta.version() > 0 or bool(publication.published_days(delta)))

    def scan(
        self,
        table: str,
        *,
        start: dt.date | None = None,
        end: dt.date | None = None,
        version: int | None = None,
        complete: bool = False,
    ) -> pl.LazyFrame:
        """See `Lake.scan`."""
        delta = self.existing(table, version)
        if complete:
            _require_days(table, delta, start, end)
        return scan_table(delta, uri=self.uri(table), storage_options=self.options, start=start, end=end)

    def schema(self, table: str) -> pl.Schema:
        """Return the schema of a published table, with the column `date`."""
        return publication.published_schema(self.existing(table))

    def versions(self, table: str, limit: int | None = None) -> list[Commit]:
        """Return the versions of a table, newest first, with what their writers recorded."""
        return [
            Commit(
                version=int(entry["version"]),
                time=dt.datetime.fromtimestamp(entry["timestamp"] / 1000, dt.UTC),
                operation=str(entry.get("operation", "")),
                info={key: str(value) for key, value in (entry.get(publication.INFO) or {}).items()},
            )
            for entry in self.existing(table).history(limit)
        ]

    def published_days(self, table: str) -> dict[dt.date, Published]:
        """Return what is published of every day, in order; nothing for a table that does not exist."""
        delta = self.opened(table)
        return {} if delta is None else publication.published_days(delta)

    def folder(self, table: str) -> str:
        """The folder of a table in the store."""
        return f"tables/{named(table)}"

    def uri(self, table: str) -> str:
        """What deltalake and Polars open."""
        return self.store.uri(self.folder(table))

    def opened(self, table: str) -> DeltaTable | None:
        """The table, or None when there is none."""
        return publication.opened(self.uri(table), self.options)

    def existing(self, table: str, version: int | None = None) -> DeltaTable:
        """The table, at a version.

        Raises:
            MissingTableError: Nothing was ever published under this name.
            MissingVersionError: The version does not exist, or its files were cleaned up.
        """
        delta = self.opened(table)
        if delta is None:
            known = [name for name in self.names() if self.store.walk(f"tables/{name}/_delta_log")]
            raise MissingTableError(
                f"Table {table!r} does not exist in {self.store.root}. Materialise '{table}' first."
                + (f" Tables there: {', '.join(known)}." if known else " The lake holds no table yet.")
            )
        if version is None or version == delta.version():
            return delta
        try:
            earlier = publication.opened(self.uri(table), self.options, version)
        except (UnreadableTableError, OverflowError):
            earlier = None
        if earlier is None:
            raise MissingVersionError(
                f"Table {table!r} has no version {version}; its newest is {delta.version()}. See `versions`."
            )
        for day, published in publication.published_days(earlier).items():
            if not self.is_whole(table, published):
                raise MissingVersionError(
                    f"Table {table!r}: version {version} can no longer be read, because a clean-up removed its files "
                    f"of {day}. Read a later version; see `versions`."
                )
        return earlier

    def is_whole(self, table: str, published: Published) -> bool:
        """Whether the files of a published day are there, with their sizes."""
        infos = [self.store.info(f"{self.folder(table)}/{path}") for path in published.files]
        return all(infos) and sum(info.bytes for info in infos if info) == published.bytes

    def scan_files(self, table: str, paths: Sequence[str], day: dt.date) -> pl.LazyFrame:
        """The rows of files that the log does not name."""
        return scan_files([f"{self.uri(table)}/{path}" for path in paths], day, self.options)

    @contextlib.contextmanager
    def locked(self, table: str, *, exclusive: bool) -> Iterator[None]:
        """Keep a clean-up and writers apart."""
        with self.store.lock(f"{self.folder(table)}/{_LOCK}", exclusive=exclusive):
            yield


def _require_days(table: str, delta: DeltaTable, start: dt.date | None, end: dt.date | None) -> None:
    days = publication.published_days(delta)
    first, last = start or min(days, default=end), end or max(days, default=start)
    missing = (
        []
        if first is None or last is None
        else [
            day for offset in range((last - first).days + 1) if (day := first + dt.timedelta(days=offset)) not in days
        ]
    )
    if missing or not days:
        shown = ", ".join(str(day) for day in missing[:5]) + (", …" if len(missing) > 5 else "")
        raise MissingPartitionError(
            f"Table {table!r} lacks {len(missing)} of the days {first} to {last}: {shown}. "
            f"Materialise '{table}' for them first."
        )
