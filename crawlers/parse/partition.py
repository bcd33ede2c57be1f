"""One landed day as typed records, quarantine and account."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from crawlers.accounting import Accounting
from crawlers.contract import LINE
from crawlers.landing import read_manifest
from crawlers.parse.checked import Checker, Origin
from crawlers.parse.privacy import MissingSecretError
from crawlers.parse.registry import FileReader, make_format
from crawlers.parse.stream import CHUNK_BYTES, Chunk, Fault, chunks
from crawlers.quarantine import QUARANTINE_SCHEMA
from crawlers.spec import SourceSpec


@dataclass(frozen=True)
class Parsed:
    """What a landed day holds. The frames read files in the scratch folder: use them before it is deleted.

    Attributes:
        records: with the contract's raw schema, in the order of the files and lines.
        quarantined: with the schema of quarantine, in the same order for each file.
        accounting: rows in (lines or records, headers excluded, and one for each fault of a file), out and aside.
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
    form = make_format(spec.format, spec.contract)
    output = _Output(scratch, checker)
    limit = int(spec.crawl.limits.max_decompressed_bytes)
    workers = max(1, min(4, os.cpu_count() or 1))
    with ThreadPoolExecutor(workers, thread_name_prefix="parse") as pool:
        for landed in sorted(manifest.files, key=lambda file: file.path):
            origin = Origin(landed.path, landed.fetched_at)
            reader = form.open()
            pieces = chunks(
                landing / landed.path,
                encoding=spec.format.encoding,
                max_line_bytes=int(spec.format.max_line_bytes),
                max_bytes=limit,
                cut=reader.cut,
                chunk_bytes=chunk_bytes,
            )
            for part in _in_order(pool, workers, pieces, reader, checker, origin):
                output.add(part)
    return output.finish()


@dataclass
class _Part:
    records: pl.DataFrame
    quarantined: pl.DataFrame
    rows: int
    removed: dict[str, int] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()


def _in_order(
    pool: ThreadPoolExecutor,
    workers: int,
    pieces: Iterator[Chunk | Fault],
    reader: FileReader,
    checker: Checker,
    origin: Origin,
) -> Iterator[_Part]:
    """Parse chunks side by side, a few ahead at most, and give them back in order."""
    waiting: deque[Future[_Part]] = deque()
    begun = False
    for piece in pieces:
        if isinstance(piece, Chunk) and not begun:
            begun = True
            reader.begin(piece)
        waiting.append(pool.submit(_parse, piece, reader, checker, origin))
        # One more than there are workers, so that none waits for the reader.
        if len(waiting) > workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _parse(piece: Chunk | Fault, reader: FileReader, checker: Checker, origin: Origin) -> _Part:
    if isinstance(piece, Fault):
        row = {LINE: [piece.line], "reason": [piece.reason], "detail": [piece.detail]}
        bad = checker.unparsed(pl.DataFrame(row), origin)
        return _Part(pl.DataFrame(schema=checker.contract.raw_schema()), bad, rows=1)
    read = reader.read(piece)
    records, rejected = checker.check(read.texts, origin)
    quarantined = pl.concat([rejected, checker.unparsed(read.bad, origin)]).sort(LINE)
    return _Part(records, quarantined, read.rows, dict(read.removed), read.seen)


class _Output:
    """Parquet files in the scratch folder, and the account of what is in them."""

    def __init__(self, scratch: Path, checker: Checker) -> None:
        self._scratch = scratch
        self._schemas = {"records": checker.contract.raw_schema(), "quarantined": dict(QUARANTINE_SCHEMA)}
        self._paths: dict[str, list[Path]] = {"records": [], "quarantined": []}
        self._rows_in = self._rows_out = 0
        self._reasons: Counter[str] = Counter()
        self._removed: Counter[str] = Counter()
        self._declared = tuple(checker.contract.columns)
        self._seen: set[str] = set()

    def add(self, part: _Part) -> None:
        self._rows_in += part.rows
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

    def finish(self) -> Parsed:
        return Parsed(
            records=self._scan("records"),
            quarantined=self._scan("quarantined"),
            accounting=Accounting(
                self._rows_in, self._rows_out, dict(sorted(self._reasons.items())), dict(sorted(self._removed.items()))
            ),
            absent=tuple(name for name in self._declared if name not in self._seen) if self._rows_in else (),
        )

    def _scan(self, name: str) -> pl.LazyFrame:
        if not self._paths[name]:
            return pl.LazyFrame(schema=self._schemas[name])
        return pl.scan_parquet(self._paths[name])
