"""How content gets into a table: staged where no reader sees it, then published by one commit."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace as changed

import polars as pl

from assets.lake import publication
from assets.lake.digest import checked
from assets.lake.errors import LakeError, StagedFilesError
from assets.lake.records import Published, Staged
from assets.lake.revision import same_rows
from assets.lake.schema import PARTITION, merged, stored_schema, widened
from assets.lake.staging import Staging, plan_staging, revised
from assets.lake.tables import Tables


class Writing:
    """Staging and publishing; the methods are those of `Lake`, which documents them.

    Args:
        tables: The tables that are written.
        on_step: Called with the name of each step that a crash could fall on.
    """

    def __init__(self, tables: Tables, on_step: Callable[[str], None]) -> None:
        self._tables = tables
        self._store = tables.store
        self._on_step = on_step

    def plan(
        self,
        table: str,
        day: dt.date,
        frame: pl.LazyFrame,
        *,
        digest: str,
        run_id: str,
        sort_by: Sequence[str],
        row_group_rows: int | None,
    ) -> Staging:
        """Plan the write of one partition."""
        folder = self._tables.folder(table)
        schema = stored_schema(frame.collect_schema(), table)
        delta = self._tables.opened(table)
        if delta is not None:
            existing = publication.published_schema(delta)
            schema = widened(schema, existing)
            merged(existing, schema, table=table, day=day)
        self._store.make_folder(f"{folder}/{PARTITION}={day.isoformat()}")
        return plan_staging(
            frame,
            table=table,
            day=day,
            digest=checked(digest, table),
            run_id=run_id,
            schema=schema,
            target=self._tables.uri(table),
            sort_by=sort_by,
            row_group_rows=row_group_rows,
            storage_options=self._tables.options,
        )

    def run(self, planned: Sequence[Staging], also: Sequence[pl.LazyFrame]) -> tuple[list[Staged], list[pl.DataFrame]]:
        """Run planned writes in one streaming pass."""
        queries = [query for staging in planned for query in staging.queries]
        try:
            results = pl.collect_all([*queries, *also], engine="streaming")
            staged, position = [], 0
            for staging in planned:
                part = results[position : position + len(staging.queries)]
                position += len(staging.queries)
                staged.append(staging.finish(self._store, self._tables.folder(staging.table), part))
        except BaseException as error:
            for staging in planned:
                staging.abandon(self._store, self._tables.folder(staging.table))
            names = ", ".join(f"table {staging.table!r} of {staging.day}" for staging in planned)
            error.add_note(f"This happened while {names} was being staged; nothing was published.")
            raise
        self._on_step("staged")
        return staged, results[len(queries) :]

    def discard(self, staged: Staged) -> None:
        """Remove staged files, unless they have been published meanwhile."""
        published = self._tables.published_days(staged.table).get(staged.day)
        for file in staged.files:
            if published is None or file.path not in published.files:
                self._store.remove(f"{self._tables.folder(staged.table)}/{file.path}")

    def publish(self, staged: Sequence[Staged], *, commit_info: Mapping[str, str] | None, replace: bool) -> int:
        """Publish several partitions of one table in one commit."""
        tables = sorted({part.table for part in staged})
        if len(tables) != 1 or len({part.day for part in staged}) != len(staged):
            raise LakeError(
                f"One commit takes different days of one table; it was given {len(staged)} partitions of "
                f"{', '.join(tables) or 'no table'}. Publish tables one after the other, and each day once."
            )
        table = tables[0]
        with self._tables.locked(table, exclusive=False):
            for part in staged:
                self._require_files(part)
            if replace:
                staged = [self._revised(part) for part in staged]
            version, spared = publication.commit(
                staged,
                uri=self._tables.uri(table),
                storage_options=self._tables.options,
                info=commit_info or {},
                # What is to be replaced counts as if it were not there.
                is_whole=lambda published: not replace and self._tables.is_whole(table, published),
                on_step=self._on_step,
            )
            self._store.secure(f"{self._tables.folder(table)}/_delta_log/{version:020d}.json")
        for part in spared:
            self.discard(part)
        return version

    def _revised(self, staged: Staged) -> Staged:
        """Give staged content another revision when the same digest is published with other rows."""
        published = self._tables.published_days(staged.table).get(staged.day)
        if published is None or published.digest != staged.digest:
            return staged
        new = uuid.uuid4().hex[:8]
        revision = published.revision if self._holds_the_rows_of(staged, published) else new
        if not revision:
            return staged
        folder = self._tables.folder(staged.table)
        files = tuple(changed(file, path=revised(file.path, revision)) for file in staged.files)
        for before, after in zip(staged.files, files, strict=True):
            self._store.move(f"{folder}/{before.path}", f"{folder}/{after.path}")
        return changed(staged, files=files)

    def _holds_the_rows_of(self, staged: Staged, published: Published) -> bool:
        if not self._tables.is_whole(staged.table, published):
            return False
        earlier = self._tables.scan_files(staged.table, published.files, staged.day)
        made = self._tables.scan_files(staged.table, [file.path for file in staged.files], staged.day)
        try:
            return same_rows(earlier, made)
        except (pl.exceptions.PolarsError, OSError):
            return False  # what is published is damaged, so it is not what readers will read from now on

    def _require_files(self, staged: Staged) -> None:
        for file in staged.files:
            path = f"{self._tables.folder(staged.table)}/{file.path}"
            with contextlib.suppress(FileNotFoundError):
                self._store.refresh(path)
            info = self._store.info(path)
            if info is None or info.bytes != file.bytes:
                what = "is gone" if info is None else f"has {info.bytes} bytes instead of {file.bytes}"
                raise StagedFilesError(
                    f"Table {staged.table!r}: the staged file {file.path} {what}, so {staged.day} is not published. "
                    f"Materialise '{staged.table}' for {staged.day} again."
                )
