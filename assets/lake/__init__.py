"""The lake: Delta tables partitioned by `date`, written in the order stage, audit, publish.

A partition is one event day of one table. Its new content is *staged* as Parquet files that no reader sees, examined
by a gate, and *published* by one commit to the Delta log, without a copy. Publishing replaces exactly that partition,
is idempotent by digest, and is safe beside other writers of the same table, even of the same day.

    lake = Lake("data/lake")
    staged = lake.stage("shop_events", day, frame, digest=digest(inputs, declaration), run_id="run-1")
    lake.scan_staged(staged)                      # what a gate examines
    lake.publish(staged)                          # now everybody sees it
    lake.scan("shop_events", start=day, end=day)  # with the column `date`
"""

from assets.lake.errors import (
    LakeError,
    MissingPartitionError,
    MissingTableError,
    MissingVersionError,
    PublishConflictError,
    SchemaChangeError,
    StagedFilesError,
    UnreadableTableError,
    UnstorableTypeError,
)
from assets.lake.lake import Lake
from assets.lake.places import PLACES, Place, place_of
from assets.lake.records import CleanUp, Commit, Published, Refused, Staged, StagedFile
from assets.lake.schema import stored_schema
from foundation.digest import digest

__all__ = [
    "PLACES",
    "CleanUp",
    "Commit",
    "Lake",
    "LakeError",
    "MissingPartitionError",
    "MissingTableError",
    "MissingVersionError",
    "Place",
    "PublishConflictError",
    "Published",
    "Refused",
    "SchemaChangeError",
    "Staged",
    "StagedFile",
    "StagedFilesError",
    "UnreadableTableError",
    "UnstorableTypeError",
    "digest",
    "place_of",
    "stored_schema",
]
