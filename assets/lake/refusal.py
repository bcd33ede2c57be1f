"""What a gate refused: kept for inspection, the newest few of each day, and published only on purpose."""

import datetime as dt
import json

from assets.lake.errors import MissingPartitionError
from assets.lake.files import Files
from assets.lake.records import Refused, Staged
from assets.lake.staging import folder_of

FOLDER = "_refused"


def keep(files: Files, folder: str, staged: Staged, *, reason: str, time: dt.datetime, newest: int) -> Refused:
    """Move staged files aside, with a record of why, and drop all but the newest refusals of the day."""
    refused_folder = f"{FOLDER}/{folder_of(staged.day)}"
    paths = []
    for file in staged.files:
        target = f"{refused_folder}/{file.path.rsplit('/', 1)[-1]}"
        files.move(f"{folder}/{file.path}", f"{folder}/{target}")
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
    files.write(f"{folder}/{paths[0].removesuffix('.parquet')}.json", json.dumps(content, indent=2).encode())
    for old in refused(files, folder, staged.table, staged.day)[newest:]:
        forget(files, folder, old)
    return record


def refused(files: Files, folder: str, table: str, day: dt.date) -> list[Refused]:
    """Return the kept refusals of a day, newest first."""
    found = []
    for info in files.walk(f"{folder}/{FOLDER}/{folder_of(day)}"):
        if not info.path.endswith(".json"):
            continue
        content = json.loads(files.read(info.path))
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


def newest_refused(files: Files, folder: str, table: str, day: dt.date, digest: str | None) -> Refused:
    """Return the newest refusal of a day, or the newest of one digest.

    Raises:
        MissingPartitionError: Nothing is kept; the message lists the days that have something.
    """
    found = refused(files, folder, table, day)
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
            for info in files.walk(f"{folder}/{FOLDER}")
            for part in info.path.split("/")
            if part.startswith("date=")
        }
    )
    raise MissingPartitionError(
        f"Table {table!r} keeps no refused content of {day}. "
        + (f"Days with refused content: {', '.join(days)}." if days else "No day has any: its gate refused nothing.")
    )


def forget(files: Files, folder: str, record: Refused) -> None:
    """Remove a refusal: its record first, so that no record is left without files."""
    files.remove(f"{folder}/{record.files[0].removesuffix('.parquet')}.json")
    for path in record.files:
        files.remove(f"{folder}/{path}")
