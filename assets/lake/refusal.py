"""What a gate refused: kept for inspection, the newest few of each day, and published only on purpose."""

import contextlib
import datetime as dt
import json

from assets.lake.errors import MissingPartitionError
from assets.lake.records import Refused, Staged
from assets.lake.staging import folder_of
from foundation.store import Store

FOLDER = "_refused"


def keep(store: Store, folder: str, staged: Staged, *, reason: str, time: dt.datetime, newest: int) -> Refused:
    """Move staged files aside, with a record of why, and drop all but the newest refusals of the day."""
    refused_folder = f"{FOLDER}/{folder_of(staged.day)}"
    paths = []
    for file in staged.files:
        target = f"{refused_folder}/{file.path.rsplit('/', 1)[-1]}"
        store.move(f"{folder}/{file.path}", f"{folder}/{target}")
        paths.append(target)
    record = Refused(
        staged.table, staged.day, staged.digest, staged.run_id, staged.rows, reason, time, files=tuple(paths)
    )
    content = {
        "digest": record.digest,
        "run_id": record.run_id,
        "rows": record.rows,
        "reason": record.reason,
        "time": record.time.isoformat(),
        "files": list(record.files),
    }
    # Last: files without a record are leftovers, a record without files would be a lie.
    store.write(f"{folder}/{paths[0].removesuffix('.parquet')}.json", json.dumps(content, indent=2).encode())
    for old in refused(store, folder, staged.table, staged.day)[newest:]:
        forget(store, folder, old)
    return record


def refused(store: Store, folder: str, table: str, day: dt.date) -> list[Refused]:
    """Return the kept refusals of a day, newest first."""
    found = []
    for info in store.walk(f"{folder}/{FOLDER}/{folder_of(day)}"):
        if not info.path.endswith(".json"):
            continue
        # A record that is gone meanwhile or damaged is none; a clean-up takes the files that it spoke of.
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            content = json.loads(store.read(info.path))
            found.append(
                Refused(
                    table=table,
                    day=day,
                    digest=content["digest"],
                    run_id=content["run_id"],
                    rows=content["rows"],
                    reason=content["reason"],
                    time=dt.datetime.fromisoformat(content["time"]),
                    files=tuple(content["files"]),
                )
            )
    return sorted(found, key=lambda record: (record.time, record.files), reverse=True)


def newest_refused(store: Store, folder: str, table: str, day: dt.date, digest: str | None) -> Refused:
    """Return the newest refusal of a day, or the newest of one digest.

    Raises:
        MissingPartitionError: Nothing is kept; the message lists the days that have something.
    """
    found = refused(store, folder, table, day)
    for record in found:
        if digest is None or record.digest == digest:
            return record
    if found:
        kept = ", ".join(record.digest[:16] for record in found)
        raise MissingPartitionError(
            f"Table {table!r}: no refused content of {day} has the digest {digest!r}; kept are: {kept}."
        )
    days = sorted(
        {
            part.removeprefix("date=")
            for info in store.walk(f"{folder}/{FOLDER}")
            for part in info.path.split("/")
            if part.startswith("date=")
        }
    )
    raise MissingPartitionError(
        f"Table {table!r} keeps no refused content of {day}. "
        + (f"Days with refused content: {', '.join(days)}." if days else "No day has any: its gate refused nothing.")
    )


def forget(store: Store, folder: str, record: Refused) -> None:
    """Remove a refusal: its record first, so that no record is left without files."""
    store.remove(f"{folder}/{record.files[0].removesuffix('.parquet')}.json")
    for path in record.files:
        store.remove(f"{folder}/{path}")
