"""Going back to an earlier version, and removing what no reader needs any more."""

import datetime as dt
import math
import re
import uuid
from collections.abc import Callable, Mapping

from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError

from assets.lake.errors import MissingVersionError, PublishConflictError
from assets.lake.publication import INFO, published_days, transaction_of, wait
from assets.lake.records import CleanUp, Published
from assets.lake.refusal import FOLDER
from assets.lake.schema import PARTITION
from foundation.store import Store

_ATTEMPTS = 60
# What writers leave when they are killed: log entries before their rename, the uploads of the object store client,
# and files that were to be renamed into place.
_LEFTOVER = re.compile(r"(^|/)_commit_[^/]*\.tmp$|\.tmp$|#\d+$")


def restore(
    table: str,
    version: int,
    *,
    uri: str,
    storage_options: Mapping[str, str] | None,
    reason: str,
    is_whole: Callable[[Published], bool],
) -> int:
    """Make an earlier version the newest one.

    Raises:
        MissingVersionError: Files of that version were cleaned up.
        PublishConflictError: Other writers kept winning.
    """
    options = dict(storage_options) if storage_options else None
    target = published_days(DeltaTable(uri, version=version, storage_options=options))
    if broken := [day for day, published in target.items() if not is_whole(published)]:
        raise MissingVersionError(
            f"Table {table!r}: version {version} cannot be restored, because a clean-up removed its files of "
            f"{broken[0]}. Restore a later version; see `versions`."
        )
    failure: CommitFailedError | None = None
    for attempt in range(_ATTEMPTS):
        wait(attempt)
        delta = DeltaTable(uri, storage_options=options)
        if delta.version() == version:
            return version
        current = published_days(delta)
        changed = sorted(day for day in current.keys() | target.keys() if current.get(day) != target.get(day))
        info = {"restored_version": str(version), "reason": reason, "publication": uuid.uuid4().hex}
        try:
            delta.restore(
                version,
                commit_properties=CommitProperties(
                    custom_metadata={INFO: {**info, "days": " ".join(map(str, changed))}},
                    app_transactions=[transaction_of(day) for day in changed],
                ),
            )
        except CommitFailedError as error:
            failure = error
            continue
        return int(delta.version())
    raise PublishConflictError(
        f"Table {table!r}: version {version} could not be restored, because other writers kept committing; the last "
        f"attempt failed with: {failure}. Try again when they are done."
    ) from failure


def clean_up(
    store: Store,
    folder: str,
    *,
    delta: DeltaTable | None,
    older_than: dt.timedelta,
    now: dt.datetime,
    on_step: Callable[[str], None],
) -> CleanUp:
    """Remove unreferenced data files and leftovers that are older than a grace period."""
    listed = {info.path: info for info in store.walk(folder)}
    leftovers = [info for path, info in listed.items() if _LEFTOVER.search(path) and info.modified <= now - older_than]
    records = {path.removesuffix(".json") for path in listed if path.startswith(f"{folder}/{FOLDER}/")}
    leftovers += [
        info
        for path, info in listed.items()
        # A crash between moving a refused file and recording why.
        if path.startswith(f"{folder}/{FOLDER}/")
        and path.endswith(".parquet")
        and path.removesuffix(".parquet") not in records
        and info.modified <= now - older_than
    ]
    for info in leftovers:
        store.remove(info.path)
        on_step("cleaning")
    if delta is None:  # nothing was ever published, so nothing is referenced
        unreferenced = [
            path.removeprefix(f"{folder}/")
            for path, info in listed.items()
            if path.startswith(f"{folder}/{PARTITION}=") and info.modified <= now - older_than and info not in leftovers
        ]
        for path in unreferenced:
            store.remove(f"{folder}/{path}")
    else:
        # A vacuum writes two versions; an idle one would fill the history.
        hours = math.ceil(older_than.total_seconds() / 3600)
        told = delta.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
        unreferenced = [name for name in told if f"{folder}/{name}" in listed]  # it tells of files long gone, too
        if unreferenced:
            on_step("cleaning")
            delta.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
    on_step("cleaning")
    sizes = [listed[path].bytes for name in unreferenced if (path := f"{folder}/{name}") in listed]
    return CleanUp(
        tuple(sorted(unreferenced)),
        tuple(sorted(info.path.removeprefix(f"{folder}/") for info in leftovers)),
        sum(sizes) + sum(info.bytes for info in leftovers),
    )
