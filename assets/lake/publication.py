"""Publishing: one commit to the Delta log makes staged files the whole content of their partitions."""

import datetime as dt
import json
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence

import polars as pl
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction

from assets.lake.errors import PublishConflictError, UnreadableTableError
from assets.lake.records import Published, Staged
from assets.lake.schema import PARTITION, merged
from assets.lake.staging import digest_of, revision_of

INFO = "sluice"
_ATTEMPTS = 60
# Conflicts with other writers pass; a storage that fails is tried again a few times only.
_BROKEN_ATTEMPTS = 4
# Old versions stay readable for as long as their files do, and say for a year who wrote what.
_CONFIGURATION = {"delta.logRetentionDuration": "interval 365 days", "delta.checkpointInterval": "50"}


def opened(uri: str, storage_options: Mapping[str, str] | None, version: int | None = None) -> DeltaTable | None:
    """Return a table, or None when there is none.

    Raises:
        UnreadableTableError: Its log is damaged, or the storage does not answer.
    """
    options = dict(storage_options) if storage_options else None
    try:
        return DeltaTable(uri, version=version, storage_options=options)
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        first_line = str(error).strip().split("\n")[0]
        raise UnreadableTableError(
            f"Table {uri.rsplit('/', 1)[-1]!r}: the log under {uri}/_delta_log cannot be read: {first_line}. Check the "
            "storage and its permissions; if an entry of the log is damaged, take it from a backup."
        ) from error


def published_days(table: DeltaTable) -> dict[dt.date, Published]:
    """Return what the log says of every partition. It reads the log only, no data file."""
    actions = pl.DataFrame(table.get_add_actions(flatten=True))
    if not actions.height:
        return {}
    days: dict[dt.date, Published] = {}
    partitions = (
        actions.group_by(f"partition.{PARTITION}")
        .agg(pl.col("path").sort(), pl.col("num_records").sum(), pl.col("size_bytes").sum())
        .sort(f"partition.{PARTITION}")
    )
    for day, paths, rows, size in partitions.iter_rows():
        digests = {digest_of(path) for path in paths}
        digest = digests.pop() if len(digests) == 1 else ""
        days[day] = Published(digest, rows, tuple(paths), size, revision_of(paths[0]) if digest else "")
    return days


def published_schema(table: DeltaTable) -> pl.Schema:
    """Return a table's schema, with the column `date`."""
    return pl.Schema(table.schema())


def transaction_of(day: dt.date) -> Transaction:
    """Return the mark that makes Delta refuse one of two concurrent commits of the same day.

    By itself it does not: a writer that finds an empty partition removes no file, so the log of another writer that
    filled it meanwhile holds nothing that it read, and both copies would stay. Commits with the same application id
    conflict in every Delta writer, on every storage.
    """
    return Transaction(f"{INFO}/{PARTITION}={day.isoformat()}", time.time_ns() // 1000)


def commit(
    staged: Sequence[Staged],
    *,
    uri: str,
    storage_options: Mapping[str, str] | None,
    info: Mapping[str, str],
    is_whole: Callable[[Published], bool],
    on_step: Callable[[str], None],
) -> tuple[int, list[Staged]]:
    """Replace the partitions of staged content, all of one table, in one commit.

    A partition that already holds the same digest, with its files in place, is left as it is.

    Returns:
        The version that readers see the content in, and the staged content that was not needed.

    Raises:
        SchemaChangeError: The table cannot take the new data.
        PublishConflictError: Other writers kept winning, or the storage failed.
    """
    table = staged[0].table
    identity = uuid.uuid4().hex
    failure: Exception | None = None
    broken = 0
    since = 0
    for attempt in range(_ATTEMPTS):
        wait(attempt)
        delta = _opened_or_created(staged, uri, storage_options)
        days = published_days(delta)
        if failure is not None and (version := _version_of(identity, delta, since)) is not None:
            return version, []  # the commit had landed: what failed came after it, such as a checkpoint
        needed = [
            part for part in staged if not ((old := days.get(part.day)) and old.digest == part.digest and is_whole(old))
        ]
        spared = [part for part in staged if part not in needed]
        if not needed:
            return delta.version(), spared
        schema = published_schema(delta)
        for part in needed:
            schema = merged(schema, part.schema, table=table, day=part.day)
        since = delta.version()
        on_step("before_commit")
        try:
            _commit(delta, needed, schema, {**info, **_description(needed), "publication": identity})
        except CommitFailedError as error:
            failure = error
            continue
        except (DeltaError, OSError) as error:
            failure = error
            broken += 1
            if broken < _BROKEN_ATTEMPTS:
                continue
            break
        on_step("after_commit")
        delta = _reopened(uri, storage_options)
        return _version_of(identity, delta, since) or delta.version(), spared
    days_text = ", ".join(str(part.day) for part in staged)
    raise PublishConflictError(
        f"Table {table!r}: {days_text} could not be committed in {attempt + 1} attempts; the last one failed with: "
        f"{failure}. What was published before still stands. "
        + ("Check the storage" if broken else "Wait until fewer writers are busy")
        + f", then materialise '{table}' again."
    ) from failure


def wait(attempt: int) -> None:
    """Wait a little before another attempt, longer each time, so that writers spread out."""
    if attempt:
        time.sleep(random.uniform(0, min(0.02 * 2**attempt, 1.0)))  # noqa: S311 - nothing secret


def delta_schema(schema: pl.Schema) -> Schema:
    """Return a Polars schema as Delta's."""
    empty = pl.DataFrame(schema=schema).to_arrow(compat_level=pl.CompatLevel.oldest())
    return Schema.from_arrow(empty.schema)


def _opened_or_created(staged: Sequence[Staged], uri: str, storage_options: Mapping[str, str] | None) -> DeltaTable:
    existing = opened(uri, storage_options)
    if existing is not None:
        return existing
    schema = pl.Schema({PARTITION: pl.Date()})
    for part in staged:
        schema = merged(schema, part.schema, table=part.table, day=part.day)
    options = dict(storage_options) if storage_options else None
    # Another writer may have created it meanwhile; if not, opening it tells what is wrong. Without retries, because a
    # retried creation would land on top of the other writer's table, as a second one with this schema.
    failure: DeltaError | None = None
    try:
        DeltaTable.create(
            uri,
            delta_schema(schema),
            partition_by=[PARTITION],
            name=staged[0].table,
            configuration=_CONFIGURATION,
            storage_options=options,
            commit_properties=CommitProperties(max_commit_retries=0),
        )
    except DeltaError as error:
        failure = error
    created = opened(uri, storage_options)
    if created is None:
        raise PublishConflictError(
            f"Table {staged[0].table!r} could not be created at {uri}: {failure}. Check the storage, then materialise "
            f"'{staged[0].table}' again."
        ) from failure
    return created


def _reopened(uri: str, storage_options: Mapping[str, str] | None) -> DeltaTable:
    return DeltaTable(uri, storage_options=dict(storage_options) if storage_options else None)


def _description(staged: Sequence[Staged]) -> dict[str, str]:
    return {
        "days": " ".join(part.day.isoformat() for part in staged),
        "digests": " ".join(part.digest for part in staged),
        "run_id": " ".join(dict.fromkeys(part.run_id for part in staged)),
        "rows": " ".join(str(part.rows) for part in staged),
    }


def _commit(delta: DeltaTable, staged: Sequence[Staged], schema: pl.Schema, info: Mapping[str, str]) -> None:
    now = int(time.time() * 1000)
    adds = [
        AddAction(
            path=file.path,
            size=file.bytes,
            partition_values={PARTITION: part.day.isoformat()},
            modification_time=now,
            data_change=True,
            stats=json.dumps(file.statistics),
        )
        for part in staged
        for file in part.files
    ]
    delta.create_write_transaction(
        adds,
        mode="overwrite",
        schema=delta_schema(schema),
        partition_by=[PARTITION],
        partition_filters=[(PARTITION, "in", [part.day.isoformat() for part in staged])],
        commit_properties=CommitProperties(
            custom_metadata={INFO: dict(info)},
            app_transactions=[transaction_of(part.day) for part in staged],
        ),
    )


def _version_of(identity: str, delta: DeltaTable, since: int) -> int | None:
    """Return the version of a commit of ours, if it is among those after a version."""
    if delta.version() == since:
        return None
    for entry in delta.history(delta.version() - since):
        if (entry.get(INFO) or {}).get("publication") == identity:
            return int(entry["version"])
    return None
