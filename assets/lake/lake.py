"""The lake's public face: tables by name, partitions by day."""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import polars as pl

from assets.lake import refusal, retention
from assets.lake.errors import LakeError, MissingPartitionError
from assets.lake.names import named
from assets.lake.records import CleanUp, Commit, Published, Refused, Staged
from assets.lake.reports import Reports
from assets.lake.schema import PARTITION
from assets.lake.staging import Staging, read_staged
from assets.lake.tables import Tables
from assets.lake.writing import Writing
from foundation.store import Store, open_store, storage_options


def _nothing(step: str) -> None:
    _ = step


class Lake:
    """Everything that is kept: Delta tables partitioned by `date`, and landing, reports and models beside them.

    Attributes:
        store: Where all of it lies.
        reports: What is known of partitions beside their rows.

    Args:
        root: A folder, or the URI of a prefix on an object store (`s3://bucket/prefix`).
        options: How an object store is reached; the environment says so by default, see `storage_options`.
        now: The clock, for the times of refusals and for clean-ups.
        on_step: Called with the name of each step that a crash could fall on: `staged`, `before_commit`,
            `after_commit`, `refused`, `cleaning`. It exists so that tests can crash there.
    """

    def __init__(
        self,
        root: str | Path,
        options: Mapping[str, str] | None = None,
        *,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        on_step: Callable[[str], None] = _nothing,
    ) -> None:
        options = storage_options(str(root)) if options is None else options
        self.store: Store = open_store(root, options)
        self._options = options
        if self.store.local("x") and (wrong := [sign for sign in "%#?" if sign in self.store.root]):
            raise LakeError(
                f"The lake's folder {str(root)!r} has a {wrong[0]!r} in its path, which Delta readers take for a part "
                "of a URL; choose another folder, by SLUICE_LAKE for instance."
            )
        self.reports = Reports(self.store)
        self._tables = Tables(self.store, options)
        self._writing = Writing(self._tables, on_step)
        self._now = now
        self._on_step = on_step

    @classmethod
    def from_environment(cls) -> Self:
        """Return the lake that SLUICE_LAKE names (default: data/lake here)."""
        return cls(os.environ.get("SLUICE_LAKE") or "data/lake")

    @property
    def root(self) -> str:
        """The absolute path or the URI of the lake."""
        return self.store.root

    def models(self, model: str) -> Store:
        """Where the versions of a model are kept, and who is champion."""
        return open_store(f"{self.root}/models/{model}", self._options)

    def scratch_dir(self, model: str) -> Path:
        """The local folder in which a model is trained: what lies there may be lost, and is then made again."""
        named = os.environ.get("SLUICE_SCRATCH")
        if named:
            return Path(named).absolute() / model
        local = self.store.local(f"models/{model}")
        return local / "runs" if local else Path("data/scratch").absolute() / model

    # Reading

    def tables(self) -> list[str]:
        """The names of the tables."""
        return self._tables.names()

    def exists(self, table: str) -> bool:
        """Say whether anything of a table was ever published."""
        return self._tables.exists(table)

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
        return self._tables.scan(table, start=start, end=end, version=version, complete=complete)

    def schema(self, table: str) -> pl.Schema:
        """Return the schema of a published table, with the column `date`."""
        return self._tables.schema(table)

    def version(self, table: str) -> int:
        """Return the newest version of a table."""
        return int(self._tables.existing(table).version())

    def versions(self, table: str, limit: int | None = None) -> list[Commit]:
        """Return the versions of a table, newest first, with what their writers recorded."""
        return self._tables.versions(table, limit)

    def published(self, table: str, day: dt.date) -> Published | None:
        """Return what is published of one day: an empty partition has zero rows, an absent one is None."""
        return self.published_days(table).get(day)

    def published_days(self, table: str) -> dict[dt.date, Published]:
        """Return what is published of every day, in order; nothing for a table that does not exist."""
        return self._tables.published_days(table)

    # Reports

    def write_ledger(self, table: str, day: dt.date, digest: str, content: Mapping[str, Any]) -> None:
        """Record what is known of a partition's content (counts, check results), before it is published."""
        self.reports.write_ledger(table, day, digest, content)

    def ledger(self, table: str, day: dt.date, *, digest: str | None = None) -> dict[str, Any] | None:
        """Return the record of the published content of a day, or of one digest; None when it was lost.

        Raises:
            MissingPartitionError: The day is not published.
        """
        if digest is None:
            published = self.published(table, day)
            if published is None:
                raise MissingPartitionError(
                    f"Table {table!r} has no partition {day}. Materialise '{table}' for {day} first."
                )
            digest = published.digest
        return self.reports.ledger(table, day, digest)

    # Staging

    def stage(
        self,
        table: str,
        day: dt.date,
        frame: pl.LazyFrame,
        *,
        digest: str,
        run_id: str,
        sort_by: Sequence[str] = (),
        row_group_rows: int | None = None,
    ) -> Staged:
        """Write new content of one partition where no reader sees it, streaming.

        Args:
            table: The table; it need not exist yet.
            day: The partition.
            frame: Its rows. A column `date` is not stored, and must hold `day` in every row.
            digest: The digest of everything that the rows derive from.
            run_id: The run that writes.
            sort_by: Columns to sort by.
            row_group_rows: Rows of a Parquet row group; None leaves it to Polars.

        Raises:
            UnstorableTypeError: A column has a type that Delta tables do not have.
            SchemaChangeError: A column has another type than in the table.
        """
        planned = self.plan_stage(
            table, day, frame, digest=digest, run_id=run_id, sort_by=sort_by, row_group_rows=row_group_rows
        )
        return self.run_staging([planned])[0][0]

    def plan_stage(
        self,
        table: str,
        day: dt.date,
        frame: pl.LazyFrame,
        *,
        digest: str,
        run_id: str,
        sort_by: Sequence[str] = (),
        row_group_rows: int | None = None,
    ) -> Staging:
        """Plan what `stage` does, so that several tables can be written by one pass over the same input."""
        return self._writing.plan(
            table, day, frame, digest=digest, run_id=run_id, sort_by=sort_by, row_group_rows=row_group_rows
        )

    def run_staging(
        self, planned: Sequence[Staging], also: Sequence[pl.LazyFrame] = ()
    ) -> tuple[list[Staged], list[pl.DataFrame]]:
        """Run planned writes in one streaming pass; what they share is computed once.

        Args:
            planned: The writes.
            also: Other queries over the same input, for example counts.

        Returns:
            The staged partitions, and the results of the other queries.
        """
        return self._writing.run(planned, also)

    def scan_staged(self, staged: Staged) -> pl.LazyFrame:
        """Return staged rows, with the column `date`, as readers would see them once published."""
        return self._tables.scan_files(staged.table, [file.path for file in staged.files], staged.day)

    def discard(self, staged: Staged) -> None:
        """Remove staged files, unless they have been published meanwhile."""
        self._writing.discard(staged)

    # Publishing

    def publish(self, staged: Staged, *, commit_info: Mapping[str, str] | None = None, replace: bool = False) -> int:
        """Make staged content the whole content of its partition, in one commit; return the version that holds it.

        When the partition already holds the same digest, the staged files are removed and nothing is committed.

        Args:
            staged: What to publish.
            commit_info: Recorded in the commit, beside the run, the day, the digest and the rows; see `versions`.
            replace: Commit even when the partition already holds the same digest, because its rows may differ. If they
                do, the content gets a revision of its own, which readers see in its fingerprint.

        Raises:
            StagedFilesError: Staged files are missing or damaged.
            SchemaChangeError: The table got another type for a column meanwhile.
            PublishConflictError: Other writers kept winning, or the storage failed; nothing was published.
        """
        return self.publish_many([staged], commit_info=commit_info, replace=replace)

    def publish_many(
        self, staged: Sequence[Staged], *, commit_info: Mapping[str, str] | None = None, replace: bool = False
    ) -> int:
        """Publish several partitions of one table in one commit: readers see all of them or none."""
        return self._writing.publish(staged, commit_info=commit_info, replace=replace)

    # Refusal

    def keep(self, staged: Staged, *, reason: str, newest: int = 3) -> Refused:
        """Put staged content that a gate refused aside for inspection; only the newest few of a day stay.

        Args:
            staged: What was refused.
            reason: Why, for people.
            newest: How many refusals of this day to keep.
        """
        record = refusal.keep(
            self.store, self._tables.folder(staged.table), staged, reason=reason, time=self._now(), newest=newest
        )
        self._on_step("refused")
        return record

    def refused(self, table: str, day: dt.date) -> list[Refused]:
        """Return the kept refusals of a day, newest first."""
        return refusal.refused(self.store, self._tables.folder(table), table, day)

    def inspect_refused(self, table: str, day: dt.date, *, digest: str | None = None) -> pl.LazyFrame:
        """Return the rows of the newest refusal of a day, or of one digest, with the column `date`."""
        record = refusal.newest_refused(self.store, self._tables.folder(table), table, day, digest)
        return self._tables.scan_files(table, record.files, day)

    def publish_refused(self, table: str, day: dt.date, *, reason: str, by: str = "", digest: str | None = None) -> int:
        """Publish, on purpose, what a gate refused. The reason stays in the table's history.

        Args:
            table: The table.
            day: The partition.
            reason: Why it is right to publish it all the same.
            by: Who decided.
            digest: Which refusal; None takes the newest.

        Raises:
            MissingPartitionError: Nothing refused is kept for the day.
            ValueError: The reason is empty.
        """
        if not reason.strip():
            raise ValueError(f"Table {table!r}: publishing the refused content of {day} needs a reason for the record.")
        folder = self._tables.folder(table)
        record = refusal.newest_refused(self.store, folder, table, day, digest)
        parts = []
        for path in record.files:
            # Linked, not moved: a crash before the commit leaves the refusal complete, to be published again.
            target = path.removeprefix(f"{refusal.FOLDER}/")
            self.store.link(f"{folder}/{path}", f"{folder}/{target}")
            schema = pl.Schema(self._tables.scan_files(table, [target], day).drop(PARTITION).collect_schema())
            parts.append(read_staged(self.store, folder, target, table=table, day=day, schema=schema))
        staged = Staged(
            table, day, record.digest, record.run_id, tuple(file for part in parts for file in part.files), schema
        )
        version = self.publish(
            staged, commit_info={"override": reason, "override_by": by, "refused_because": record.reason}
        )
        refusal.forget(self.store, folder, record)
        return version

    # Keeping house

    def restore(self, table: str, version: int, *, reason: str = "") -> int:
        """Make an earlier version of a table the newest one, schema included; return the new version.

        Nothing is lost: the versions in between stay readable until a clean-up.

        Raises:
            MissingVersionError: The version does not exist, or its files were cleaned up.
        """
        self._tables.existing(table, version)
        with self._tables.locked(table, exclusive=False):
            return retention.restore(
                table,
                version,
                uri=self._tables.uri(table),
                storage_options=self._tables.options,
                reason=reason,
                is_whole=lambda published: self._tables.is_whole(table, published),
            )

    def clean_up(self, table: str, older_than: dt.timedelta = dt.timedelta(days=7)) -> CleanUp:
        """Remove files that no reader needs any more, and leftovers of crashed runs.

        Earlier versions whose files were replaced longer ago than this can no longer be read. What is staged and not
        yet published survives when it is younger, so keep it longer than the longest gate.
        """
        named(table)
        if not self.store.walk(self._tables.folder(table)):
            self._tables.existing(table)  # says that there is no such table
        with self._tables.locked(table, exclusive=True):
            return retention.clean_up(
                self.store,
                self._tables.folder(table),
                delta=self._tables.opened(table),
                older_than=older_than,
                now=self._now(),
                on_step=self._on_step,
            )
