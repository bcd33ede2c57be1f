"""One landed day as typed records, quarantine and account."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from crawlers.accounting import Accounting
from crawlers.contract import LINE
from crawlers.decode import members
from crawlers.landing import read_manifest
from crawlers.parse.checked import Checker, Origin
from crawlers.parse.privacy import MissingSecretError
from crawlers.parse.registry import Part
from crawlers.parse.stream import CHUNK_BYTES
from crawlers.quarantine import QUARANTINE_SCHEMA

if TYPE_CHECKING:
    # Declarations are made of the formats that are registered here.
    from crawlers.spec import SourceSpec


@dataclass(frozen=True)
class Parsed:
    """What a landed day holds. The frames read files in the scratch folder: use them before it is deleted.

    Attributes:
        records: with the contract's raw schema, in the order of the files and lines.
        quarantined: with the schema of quarantine, in the same order for each file.
        accounting: rows in (lines or records, headers excluded, one for each fault of a file, and one for each file
            that holds none of them), out, aside and left out.
        absent: the declared columns that occurred in no file, by name or path, unless there was no row at all.
    """

    records: pl.LazyFrame
    quarantined: pl.LazyFrame
    accounting: Accounting
    absent: tuple[str, ...] = ()


def parse_partition(
    landing: Path, spec: SourceSpec, *, scratch: Path, secret: bytes | None, chunk_bytes: int = CHUNK_BYTES
) -> Parsed:
    """Parse every file that a day's manifest lists.

    Whatever the files hold, each row of them becomes a record, a row of quarantine with its reason, or is counted as
    removed; personal columns are hashed or dropped before anything is written. Memory grows with `chunk_bytes` and
    the number of processors, not with the files.

    Args:
        landing: the folder of the day, with its manifest.
        spec: the source.
        scratch: an empty folder for the parsed files.
        secret: the key for personal data.
        chunk_bytes: how much text to parse at a time.

    Raises:
        MissingSecretError: the contract hashes a column and there is no secret.
        ManifestError: no complete crawl has landed.
        FileNotFoundError: a file that the manifest lists is missing.
    """
    hashed = [name for name, column in spec.contract.columns.items() if column.pii == "hash"]
    if hashed and not secret:
        raise MissingSecretError(spec.name, hashed)
    manifest = read_manifest(landing)
    checker = Checker(spec.contract, secret)
    reader = spec.format.reader(spec.contract)
    output = _Output(scratch, checker)
    limit = int(spec.crawl.limits.max_decompressed_bytes)
    workers = max(1, min(4, os.cpu_count() or 1))
    with ThreadPoolExecutor(workers, thread_name_prefix="parse") as pool:
        for landed in sorted(manifest.files, key=lambda file: file.path):
            path = landing / landed.path
            for member in members(path, content_encoding=landed.content_encoding, max_bytes=limit):
                if member.foreign:
                    output.leave_out("archive_metadata")
                    continue
                origin = Origin("!/".join(filter(None, (landed.path, member.name))), landed.fetched_at)
                before = output.rows_in
                for part in _in_order(pool, workers, reader.parts(member.source, chunk_bytes), checker, origin):
                    output.add(part)
                if output.rows_in == before:
                    output.leave_out("empty_file")
    return output.finish()


@dataclass
class _Part:
    records: pl.DataFrame
    quarantined: pl.DataFrame
    rows: int
    removed: dict[str, int] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()


def _in_order(
    pool: ThreadPoolExecutor, workers: int, parts: Iterator[Part], checker: Checker, origin: Origin
) -> Iterator[_Part]:
    """Parse parts side by side, a few ahead at most, and give them back in order."""
    waiting: deque[Future[_Part]] = deque()
    for part in parts:
        waiting.append(pool.submit(_parse, part, checker, origin))
        # One more than there are workers, so that none waits for the reader.
        if len(waiting) > workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _parse(part: Part, checker: Checker, origin: Origin) -> _Part:
    read = part()
    records, rejected = checker.check(read.texts, origin, read.verbatim)
    quarantined = pl.concat([rejected, checker.unparsed(read.bad, origin)]).sort(LINE)
    return _Part(records, quarantined, read.rows, dict(read.removed), read.seen)


class _Output:
    """Parquet files in the scratch folder, and the account of what is in them."""

    def __init__(self, scratch: Path, checker: Checker) -> None:
        self._scratch = scratch
        self._schemas = {"records": checker.contract.raw_schema(), "quarantined": dict(QUARANTINE_SCHEMA)}
        self._paths: dict[str, list[Path]] = {"records": [], "quarantined": []}
        self.rows_in = self._rows_out = 0
        self._reasons: Counter[str] = Counter()
        self._removed: Counter[str] = Counter()
        self._declared = tuple(checker.contract.columns)
        self._seen: set[str] = set()

    def add(self, part: _Part) -> None:
        self.rows_in += part.rows
        self._rows_out += part.records.height
        self._reasons.update(dict(part.quarantined["reason"].value_counts().iter_rows()))
        self._removed.update(part.removed)
        self._seen |= part.seen
        for name, frame in (("records", part.records), ("quarantined", part.quarantined)):
            if frame.height:
                path = self._scratch / f"{name}-{len(self._paths[name]):06d}.parquet"
                # Written once and read once: no time for statistics or strong compression.
                frame.write_parquet(path, compression="lz4", statistics=False)
                self._paths[name].append(path)

    def leave_out(self, reason: str) -> None:
        """Count a file that holds no row at all."""
        self.rows_in += 1
        self._removed[reason] += 1

    def finish(self) -> Parsed:
        return Parsed(
            records=self._scan("records"),
            quarantined=self._scan("quarantined"),
            accounting=Accounting(
                self.rows_in, self._rows_out, dict(sorted(self._reasons.items())), dict(sorted(self._removed.items()))
            ),
            absent=tuple(name for name in self._declared if name not in self._seen) if self.rows_in else (),
        )

    def _scan(self, name: str) -> pl.LazyFrame:
        if not self._paths[name]:
            return pl.LazyFrame(schema=self._schemas[name])
        return pl.scan_parquet(self._paths[name])
