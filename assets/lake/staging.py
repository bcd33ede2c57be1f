"""Staging: new content of a partition is written in full where no reader sees it."""

import datetime as dt
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from pyarrow import parquet

from assets.lake.errors import LakeError, StagedFilesError
from assets.lake.records import Staged, StagedFile
from assets.lake.schema import PARTITION, as_stored
from assets.lake.statistics import file_statistics
from foundation.store import Store

_NAME = re.compile(
    r"(?P<digest>[0-9a-f]{16,64})(\.(?P<revision>[0-9a-f]{8}))?-(?P<run>[A-Za-z0-9_]+)-(?P<unique>[0-9a-f]{8})\.parquet"
)


def folder_of(day: dt.date) -> str:
    """Return the folder of a day below its table."""
    return f"{PARTITION}={day.isoformat()}"


def digest_of(path: str) -> str:
    """Return the digest that a published file was written for; empty when Sluice did not write it."""
    found = _NAME.fullmatch(path.rsplit("/", 1)[-1])
    return found["digest"] if found else ""


def revision_of(path: str) -> str:
    """Return the revision that a file's content has beside its digest; empty for the first content of a digest."""
    found = _NAME.fullmatch(path.rsplit("/", 1)[-1])
    return (found["revision"] or "") if found else ""


def revised(path: str, revision: str) -> str:
    """Return the name of a file that holds another revision of the content of its digest."""
    folder, _, name = path.rpartition("/")
    digest, _, rest = name.partition("-")
    return f"{folder}/{digest.partition('.')[0]}.{revision}-{rest}"


def run_of(path: str) -> str:
    """Return the run that wrote a file; empty when Sluice did not write it."""
    found = _NAME.fullmatch(path.rsplit("/", 1)[-1])
    return found["run"] if found else ""


@dataclass(frozen=True)
class Staging:
    """A write that is planned and not yet done: run `queries` in one `pl.collect_all`, then `finish`.

    Attributes:
        table: The table.
        day: The partition.
        digest: The digest of what the content derives from.
        run_id: The run that writes.
        path: The file below the table's folder; its name holds the digest, and is never used twice.
        schema: The schema as stored.
        queries: The lazy sink, and a count of rows of other days when the frame has a column `date`.
    """

    table: str
    day: dt.date
    digest: str
    run_id: str
    path: str
    schema: pl.Schema
    queries: tuple[pl.LazyFrame, ...]

    def finish(self, store: Store, folder: str, results: Sequence[pl.DataFrame]) -> Staged:
        """Check and secure the written file.

        Args:
            store: Where it lies.
            folder: The table's folder.
            results: The results of `queries`, in their order.

        Raises:
            LakeError: The frame holds rows of another day.
        """
        strays = int(results[1].item()) if len(results) > 1 else 0
        if strays:
            self.abandon(store, folder)
            raise LakeError(
                f"Table {self.table!r}: {strays} rows of the frame staged for {self.day} have another {PARTITION!r}. "
                f"Filter them out, or drop the column {PARTITION!r} if it means something else."
            )
        path = f"{folder}/{self.path}"
        store.secure(path)
        file = _file(store, folder, self.path, self.schema, self.table)
        return Staged(self.table, self.day, self.digest, self.run_id, (file,), self.schema)

    def abandon(self, store: Store, folder: str) -> None:
        """Remove what was written so far."""
        store.remove(f"{folder}/{self.path}")


def plan_staging(
    frame: pl.LazyFrame,
    *,
    table: str,
    day: dt.date,
    digest: str,
    run_id: str,
    schema: pl.Schema,
    target: str,
    sort_by: Sequence[str],
    row_group_rows: int | None,
    storage_options: dict[str, str] | None,
) -> Staging:
    """Plan the write of one partition as one streaming sink.

    Args:
        frame: The rows; a column `date` is not stored, and must hold `day` in every row.
        table: The table.
        day: The partition.
        digest: The digest of what the content derives from.
        run_id: The run that writes.
        schema: The schema to store.
        target: The URI of the table's folder.
        sort_by: Columns to sort by, for the sake of readers that skip row groups.
        row_group_rows: Rows of a row group; None leaves it to Polars.
        storage_options: For an object store.
    """
    run = re.sub(r"[^A-Za-z0-9_]", "", run_id)[:40] or "run"
    path = f"{folder_of(day)}/{digest}-{run}-{uuid.uuid4().hex[:8]}.parquet"
    rows = as_stored(frame, schema)
    if sort_by:
        rows = rows.sort(list(sort_by))
    sink = rows.sink_parquet(
        f"{target}/{path}", row_group_size=row_group_rows, storage_options=storage_options, mkdir=True, lazy=True
    )
    queries = [sink]
    if PARTITION in frame.collect_schema():
        queries.append(frame.select((pl.col(PARTITION).cast(pl.Date).ne_missing(pl.lit(day))).sum()))
    return Staging(table, day, digest, run_id, path, schema, tuple(queries))


def _file(store: Store, folder: str, path: str, schema: pl.Schema, table: str) -> StagedFile:
    info = store.info(f"{folder}/{path}")
    if info is None:
        raise StagedFilesError(f"Table {table!r}: staged file {path} has vanished; stage the partition again.")
    with store.open(f"{folder}/{path}") as content:  # of an object its end only
        footer = parquet.read_metadata(content)
    return StagedFile(path, info.bytes, footer.num_rows, file_statistics(footer, schema))


def read_staged(store: Store, folder: str, path: str, *, table: str, day: dt.date, schema: pl.Schema) -> Staged:
    """Return a file that was staged by an earlier process, from its name and its footer."""
    file = _file(store, folder, path, schema, table)
    return Staged(table, day, digest_of(path), run_of(path), (file,), schema)
