"""Tables by name: where they lie, what is published of them, and how they are read."""

import contextlib
import datetime as dt
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

import polars as pl
from deltalake import DeltaTable

from assets.lake import publication
from assets.lake.digest import checked
from assets.lake.errors import (
    LakeError,
    MissingPartitionError,
    MissingTableError,
    MissingVersionError,
    StagedFilesError,
    UnreadableTableError,
)
from assets.lake.files import Files, LocalFiles, ObjectFiles
from assets.lake.folders import Folders
from assets.lake.reading import scan_files, scan_table
from assets.lake.records import Commit, Published, Staged

_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,127}")
_LOCK = "_lock"


def _nothing(step: str) -> None:
    _ = step


class Tables(Folders):
    """Tables under one root, each a Delta table partitioned by `date`.

    Args:
        root: A local folder, or the URI of one on an object store.
        storage_options: For an object store, as Polars and deltalake take them.
        home: The local folder of landing, reports and models; the root itself when that is local.
        now: The clock, for the times of refusals.
        on_step: Called with the name of each step that a crash could fall on: `staged`, `before_commit`,
            `after_commit`, `refused`, `cleaning`. It exists so that tests can crash there.
    """

    def __init__(
        self,
        root: str | Path,
        storage_options: Mapping[str, str] | None = None,
        home: Path | None = None,
        *,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        on_step: Callable[[str], None] = _nothing,
    ) -> None:
        text = str(root)
        if text.startswith("file://"):
            text = url2pathname(urlsplit(text).path)
        remote = "://" in text
        if not remote and (wrong := [sign for sign in "%#?" if sign in str(Path(text).absolute())]):
            raise LakeError(
                f"The lake's folder {text!r} has a {wrong[0]!r} in its path, which Delta readers take for a part of a "
                "URL; choose another folder, by SLUICE_LAKE for instance."
            )
        super().__init__(home or (Path("data/home") if remote else Path(text)))
        self.root = text.rstrip("/") if remote else str(Path(text).absolute())
        self.storage_options = dict(storage_options) if storage_options else None
        self._files: Files = ObjectFiles(self.root, self.storage_options) if remote else LocalFiles(Path(self.root))
        self._now = now
        self._on_step = on_step

    @classmethod
    def from_environment(cls) -> Self:
        """Return the lake that SLUICE_LAKE names (default: data/lake here), with SLUICE_HOME for local folders."""
        home = os.environ.get("SLUICE_HOME")
        return cls(os.environ.get("SLUICE_LAKE") or "data/lake", home=Path(home) if home else None)

    def exists(self, table: str) -> bool:
        """Say whether anything of a table was ever published."""
        delta = self._opened(table)
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
        """Return the rows of a table, with the column `date`, as of the moment of the call.

        Args:
            table: The table.
            start: The first day; None reads from the beginning.
            end: The last day, included; None reads to the end. Files of other days are not opened.
            version: An earlier version of the table; None reads the newest.
            complete: Whether every day from start to end must have been published.

        Raises:
            MissingTableError: Nothing was ever published under this name.
            MissingVersionError: The version does not exist, or its files were cleaned up.
            MissingPartitionError: A day is missing, and `complete` was asked for.
        """
        delta = self._table(table, version)
        if complete:
            self._require_days(table, delta, start, end)
        return scan_table(delta, uri=self._uri(table), storage_options=self.storage_options, start=start, end=end)

    def schema(self, table: str) -> pl.Schema:
        """Return the schema of a published table, with the column `date`."""
        return publication.published_schema(self._table(table))

    def version(self, table: str) -> int:
        """Return the newest version of a table."""
        return int(self._table(table).version())

    def versions(self, table: str, limit: int | None = None) -> list[Commit]:
        """Return the versions of a table, newest first, with what their writers recorded."""
        return [
            Commit(
                version=int(entry["version"]),
                time=dt.datetime.fromtimestamp(entry["timestamp"] / 1000, dt.UTC),
                operation=str(entry.get("operation", "")),
                info={key: str(value) for key, value in (entry.get(publication.INFO) or {}).items()},
            )
            for entry in self._table(table).history(limit)
        ]

    def published(self, table: str, day: dt.date) -> Published | None:
        """Return what is published of one day: an empty partition has zero rows, an absent one is None."""
        return self.published_days(table).get(day)

    def published_days(self, table: str) -> dict[dt.date, Published]:
        """Return what is published of every day, in order; nothing for a table that does not exist."""
        delta = self._opened(table)
        return {} if delta is None else publication.published_days(delta)

    def write_ledger(self, table: str, day: dt.date, digest: str, content: Mapping[str, Any]) -> None:
        """Record what is known of a partition's content (counts, lineage), before it is published."""
        self.write_report(table, day, f"{checked(digest, table)}.json", json.dumps(content, indent=2, default=str))

    def ledger(self, table: str, day: dt.date, *, digest: str | None = None) -> dict[str, Any]:
        """Return the record of the published content of a day, or of one digest.

        Raises:
            MissingPartitionError: The day is not published, or nothing was recorded for it.
        """
        if digest is None:
            published = self.published(table, day)
            if published is None:
                raise MissingPartitionError(
                    f"Table {table!r} has no partition {day}. Materialise '{table}' for {day} first."
                )
            digest = published.digest
        text = self.read_report(table, day, f"{digest}.json")
        if text is None:
            raise MissingPartitionError(
                f"Table {table!r}: nothing was recorded for {day} with the digest {digest[:16] or '(none)'} under "
                f"{self.reports_dir(table, day)}. Materialise '{table}' for {day} again."
            )
        found: dict[str, Any] = json.loads(text)
        return found

    def _named(self, table: str) -> str:
        if not _TABLE_NAME.fullmatch(table):
            raise LakeError(
                f"{table!r} is not a table name: use lower-case letters, digits and underscores, a letter first."
            )
        return table

    def _folder(self, table: str) -> str:
        return f"tables/{self._named(table)}"

    def _uri(self, table: str) -> str:
        return self._files.uri(self._folder(table))

    def _opened(self, table: str) -> DeltaTable | None:
        return publication.opened(self._uri(table), self.storage_options)

    def _table(self, table: str, version: int | None = None) -> DeltaTable:
        delta = self._opened(table)
        if delta is None:
            known = sorted(
                {info.path.split("/")[1] for info in self._files.walk("tables") if "/_delta_log/" in info.path}
            )
            raise MissingTableError(
                f"Table {table!r} does not exist in {self.root}. Materialise '{table}' first."
                + (f" Tables there: {', '.join(known)}." if known else " The lake holds no table yet.")
            )
        if version is None or version == delta.version():
            return delta
        try:
            earlier = publication.opened(self._uri(table), self.storage_options, version)
        except (UnreadableTableError, OverflowError):
            earlier = None
        if earlier is None:
            raise MissingVersionError(
                f"Table {table!r} has no version {version}; its newest is {delta.version()}. See `versions`."
            )
        for day, published in publication.published_days(earlier).items():
            if not self._is_whole(table, published):
                raise MissingVersionError(
                    f"Table {table!r}: version {version} can no longer be read, because a clean-up removed its files "
                    f"of {day}. Read a later version; see `versions`."
                )
        return earlier

    def _require_days(self, table: str, delta: DeltaTable, start: dt.date | None, end: dt.date | None) -> None:
        days = publication.published_days(delta)
        first, last = start or min(days, default=end), end or max(days, default=start)
        missing = (
            []
            if first is None or last is None
            else [
                day
                for offset in range((last - first).days + 1)
                if (day := first + dt.timedelta(days=offset)) not in days
            ]
        )
        if missing or not days:
            shown = ", ".join(str(day) for day in missing[:5]) + (", …" if len(missing) > 5 else "")
            raise MissingPartitionError(
                f"Table {table!r} lacks {len(missing)} of the days {first} to {last}: {shown}. "
                f"Materialise '{table}' for them first."
            )

    def _require_files(self, staged: Staged) -> None:
        for file in staged.files:
            path = f"{self._folder(staged.table)}/{file.path}"
            with contextlib.suppress(FileNotFoundError):
                self._files.refresh(path)
            info = self._files.info(path)
            if info is None or info.bytes != file.bytes:
                what = "is gone" if info is None else f"has {info.bytes} bytes instead of {file.bytes}"
                raise StagedFilesError(
                    f"Table {staged.table!r}: the staged file {file.path} {what}, so {staged.day} is not published. "
                    f"Materialise '{staged.table}' for {staged.day} again."
                )

    def _is_whole(self, table: str, published: Published) -> bool:
        infos = [self._files.info(f"{self._folder(table)}/{path}") for path in published.files]
        return all(infos) and sum(info.bytes for info in infos if info) == published.bytes

    def _scan_files(self, table: str, paths: Sequence[str], day: dt.date) -> pl.LazyFrame:
        return scan_files([f"{self._uri(table)}/{path}" for path in paths], day, self.storage_options)

    @contextlib.contextmanager
    def _locked(self, table: str, *, exclusive: bool) -> Iterator[None]:
        with self._files.lock(f"{self._folder(table)}/{_LOCK}", exclusive=exclusive):
            yield
