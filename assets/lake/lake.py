"""The lake's public face: tables by name, partitions by day."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace as changed

import polars as pl

from assets.lake import publication, refusal, retention
from assets.lake.digest import checked
from assets.lake.errors import (
    LakeError,
)
from assets.lake.records import CleanUp, Published, Refused, Staged
from assets.lake.revision import same_rows
from assets.lake.schema import PARTITION, merged, stored_schema, widened
from assets.lake.staging import Staging, plan_staging, read_staged, revised
from assets.lake.tables import Tables


class Lake(Tables):
    """Tables under one root, each a Delta table partitioned by `date`: how they are written.

    The arguments are those of `Tables`, which says how they are read.
    """

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
        self._named(table)
        schema = stored_schema(frame.collect_schema(), table)
        delta = self._opened(table)
        if delta is not None:
            existing = publication.published_schema(delta)
            schema = widened(schema, existing)
            merged(existing, schema, table=table, day=day)
        self._files.make_folder(f"tables/{table}/{PARTITION}={day.isoformat()}")
        return plan_staging(
            frame,
            table=table,
            day=day,
            digest=checked(digest, table),
            run_id=run_id,
            schema=schema,
            target=self._uri(table),
            sort_by=sort_by,
            row_group_rows=row_group_rows,
            storage_options=self.storage_options,
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
        queries = [query for staging in planned for query in staging.queries]
        try:
            results = pl.collect_all([*queries, *also], engine="streaming")
            staged, position = [], 0
            for staging in planned:
                part = results[position : position + len(staging.queries)]
                position += len(staging.queries)
                staged.append(staging.finish(self._files, self._folder(staging.table), part))
        except BaseException as error:
            for staging in planned:
                staging.abandon(self._files, self._folder(staging.table))
            names = ", ".join(f"table {staging.table!r} of {staging.day}" for staging in planned)
            error.add_note(f"This happened while {names} was being staged; nothing was published.")
            raise
        self._on_step("staged")
        return staged, results[len(queries) :]

    def scan_staged(self, staged: Staged) -> pl.LazyFrame:
        """Return staged rows, with the column `date`, as readers would see them once published."""
        return self._scan_files(staged.table, [file.path for file in staged.files], staged.day)

    def discard(self, staged: Staged) -> None:
        """Remove staged files, unless they have been published meanwhile."""
        published = self.published(staged.table, staged.day)
        for file in staged.files:
            if published is None or file.path not in published.files:
                self._files.remove(f"{self._folder(staged.table)}/{file.path}")

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
        tables = sorted({part.table for part in staged})
        if len(tables) != 1 or len({part.day for part in staged}) != len(staged):
            raise LakeError(
                f"One commit takes different days of one table; it was given {len(staged)} partitions of "
                f"{', '.join(tables) or 'no table'}. Publish tables one after the other, and each day once."
            )
        table = tables[0]
        with self._locked(table, exclusive=False):
            for part in staged:
                self._require_files(part)
            if replace:
                staged = [self._revised(part) for part in staged]
            version, spared = publication.commit(
                staged,
                uri=self._uri(table),
                storage_options=self.storage_options,
                info=commit_info or {},
                # What is to be replaced counts as if it were not there.
                is_whole=lambda published: not replace and self._is_whole(table, published),
                on_step=self._on_step,
            )
            self._files.secure(f"{self._folder(table)}/_delta_log/{version:020d}.json")
        for part in spared:
            self.discard(part)
        return version

    def _revised(self, staged: Staged) -> Staged:
        """Give staged content another revision when the same digest is published with other rows."""
        published = self.published(staged.table, staged.day) if self.exists(staged.table) else None
        if published is None or published.digest != staged.digest:
            return staged
        new = uuid.uuid4().hex[:8]
        revision = published.revision if self._holds_the_rows_of(staged, published) else new
        if not revision:
            return staged
        folder = self._folder(staged.table)
        files = tuple(changed(file, path=revised(file.path, revision)) for file in staged.files)
        for before, after in zip(staged.files, files, strict=True):
            self._files.move(f"{folder}/{before.path}", f"{folder}/{after.path}")
        return changed(staged, files=files)

    def _holds_the_rows_of(self, staged: Staged, published: Published) -> bool:
        if not self._is_whole(staged.table, published):
            return False
        earlier = self._scan_files(staged.table, published.files, staged.day)
        try:
            return same_rows(earlier, self.scan_staged(staged))
        except (pl.exceptions.PolarsError, OSError):
            return False  # what is published is damaged, so it is not what readers will read from now on

    # Refusal

    def keep(self, staged: Staged, *, reason: str, newest: int = 3) -> Refused:
        """Put staged content that a gate refused aside for inspection; only the newest few of a day stay.

        Args:
            staged: What was refused.
            reason: Why, for people.
            newest: How many refusals of this day to keep.
        """
        record = refusal.keep(
            self._files, self._folder(staged.table), staged, reason=reason, time=self._now(), newest=newest
        )
        self._on_step("refused")
        return record

    def refused(self, table: str, day: dt.date) -> list[Refused]:
        """Return the kept refusals of a day, newest first."""
        return refusal.refused(self._files, self._folder(self._named(table)), table, day)

    def inspect_refused(self, table: str, day: dt.date, *, digest: str | None = None) -> pl.LazyFrame:
        """Return the rows of the newest refusal of a day, or of one digest, with the column `date`."""
        record = refusal.newest_refused(self._files, self._folder(self._named(table)), table, day, digest)
        return self._scan_files(table, record.files, day)

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
        folder = self._folder(self._named(table))
        record = refusal.newest_refused(self._files, folder, table, day, digest)
        parts = []
        for path in record.files:
            # Linked, not moved: a crash before the commit leaves the refusal complete, to be published again.
            target = path.removeprefix(f"{refusal.FOLDER}/")
            self._files.link(f"{folder}/{path}", f"{folder}/{target}")
            schema = pl.Schema(self._scan_files(table, [target], day).drop(PARTITION).collect_schema())
            parts.append(read_staged(self._files, folder, target, table=table, day=day, schema=schema))
        staged = Staged(
            table, day, record.digest, record.run_id, tuple(file for part in parts for file in part.files), schema
        )
        version = self.publish(
            staged, commit_info={"override": reason, "override_by": by, "refused_because": record.reason}
        )
        refusal.forget(self._files, folder, record)
        return version

    # Keeping house

    def restore(self, table: str, version: int, *, reason: str = "") -> int:
        """Make an earlier version of a table the newest one, schema included; return the new version.

        Nothing is lost: the versions in between stay readable until a clean-up.

        Raises:
            MissingVersionError: The version does not exist, or its files were cleaned up.
        """
        self._table(table, version)
        with self._locked(table, exclusive=False):
            return retention.restore(
                table,
                version,
                uri=self._uri(table),
                storage_options=self.storage_options,
                reason=reason,
                is_whole=lambda published: self._is_whole(table, published),
            )

    def clean_up(self, table: str, older_than: dt.timedelta = dt.timedelta(days=7)) -> CleanUp:
        """Remove files that no reader needs any more, and leftovers of crashed runs.

        Earlier versions whose files were replaced longer ago than this can no longer be read. What is staged and not
        yet published survives when it is younger, so keep it longer than the longest gate.
        """
        self._named(table)
        if not self._files.walk(self._folder(table)):
            self._table(table)  # says that there is no such table
        with self._locked(table, exclusive=True):
            return retention.clean_up(
                self._files,
                self._folder(table),
                delta=self._opened(table),
                older_than=older_than,
                now=self._now(),
                on_step=self._on_step,
            )
