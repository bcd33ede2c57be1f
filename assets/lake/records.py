"""What the lake hands out: staged and published partitions, refused ones, commits."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from foundation.digest import digest


@dataclass(frozen=True)
class StagedFile:
    """One staged Parquet file.

    Attributes:
        path: Its path below the table's folder, also the one that the Delta log will hold.
        bytes: Its size.
        rows: Its number of rows.
        statistics: Delta's file statistics (`numRecords`, `nullCount`, `minValues`, `maxValues`).
    """

    path: str
    bytes: int
    rows: int
    statistics: Mapping[str, object] = field(compare=False)


@dataclass(frozen=True)
class Staged:
    """New content of one partition, complete on storage, and seen by no reader."""

    table: str
    day: dt.date
    digest: str
    run_id: str
    files: tuple[StagedFile, ...]
    schema: pl.Schema

    @property
    def rows(self) -> int:
        """The number of staged rows."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """The bytes of the staged files."""
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True)
class Published:
    """What the Delta log says of one partition.

    Attributes:
        digest: Of what the content derives from; empty when something else than Sluice wrote it.
        rows: Their number.
        files: The data files, below the table's folder.
        bytes: Of the data files.
        revision: Tells contents of one digest apart whose rows differ; empty for the first one.
    """

    digest: str
    rows: int
    files: tuple[str, ...]
    bytes: int
    revision: str = ""

    @property
    def fingerprint(self) -> str:
        """What changes whenever the rows do: what a stage that reads this content has for its input.

        Content that something else than Sluice wrote is known by its files, which are never written twice.
        """
        if not self.digest:
            return digest("foreign", self.files)
        return f"{self.digest}.{self.revision}" if self.revision else self.digest


@dataclass(frozen=True)
class Refused:
    """Staged content that a gate refused, kept for inspection."""

    table: str
    day: dt.date
    digest: str
    run_id: str
    rows: int
    reason: str
    time: dt.datetime
    files: tuple[str, ...]


@dataclass(frozen=True)
class Commit:
    """One version of a table: when, what, and the information that its writer recorded."""

    version: int
    time: dt.datetime
    operation: str
    info: Mapping[str, str]


@dataclass(frozen=True)
class CleanUp:
    """What a clean-up removed: files that readers no longer need, leftovers of crashed runs, and their bytes."""

    unreferenced: tuple[str, ...]
    leftovers: tuple[str, ...]
    bytes: int
