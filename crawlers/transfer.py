"""One file on its way to disk: what has arrived, what the server said of it, and how to go on after a break."""

import datetime as dt
import email.utils
import hashlib
import json
import os
import re
from pathlib import Path
from time import monotonic
from typing import IO

from crawlers.landing import LandedFile
from foundation.atomic import write_atomically

_REHASH_BLOCK = 1 << 20


class TooLargeError(Exception):
    """A file is larger than the declared bound."""

    def __init__(self, size: int, bound: int) -> None:
        super().__init__(f"holds at least {size:,} bytes, more than max_file_bytes ({bound:,})")


class BrokenTransferError(Exception):
    """A body ended early, or a server's range does not fit what had arrived; worth another attempt."""


class Transfer:
    """A file on its way to disk; memory does not grow with it.

    Bytes go to `path`, and what the server said of them to a file beside it, so that another process can go on after
    a crash. A transfer is continued only against the same strong validator: else old and new bytes could mix.

    Args:
        path: The partial file.
        known: The file as landed by the last crawl, for a conditional request.
        max_bytes: Largest size accepted.
        max_seconds: Longest time accepted from now on, all attempts together.
    """

    def __init__(self, path: Path, *, known: LandedFile | None, max_bytes: int, max_seconds: float) -> None:
        self.path = path
        self.known = known
        self.status = 0
        self.etag: str | None = None
        self.last_modified: str | None = None
        self.date: str | None = None
        self.content_type: str | None = None
        self.content_encoding: str | None = None
        self.offset = 0
        self.high_water = 0
        self.max_seconds = max_seconds
        self._deadline = monotonic() + max_seconds
        self._max_bytes = max_bytes
        self._total: int | None = None
        self._hasher = hashlib.sha256()
        self._handle: IO[bytes] | None = None

    @property
    def seconds_left(self) -> float:
        """Time that is left for this file; none when not positive."""
        return self._deadline - monotonic()

    @property
    def _notes(self) -> Path:
        return self.path.with_suffix(".json")

    def recover(self) -> None:
        """Take over what a crawl that broke off had fetched of this file; reads it once, to digest it."""
        try:
            notes = json.loads(self._notes.read_bytes())
            self.etag, self.last_modified, self.date = notes["etag"], notes["last_modified"], notes["date"]
            self.content_type, self.content_encoding = notes["content_type"], notes["content_encoding"]
            self._total = None if notes["total"] is None else int(notes["total"])
            with self.path.open("rb") as handle:
                while block := handle.read(_REHASH_BLOCK):
                    self._hasher.update(block)
                    self.offset += len(block)
        except (OSError, ValueError, KeyError, TypeError):
            self.restart()
        self.high_water = self.offset

    def restart(self) -> None:
        """Forget what has arrived."""
        self.close()
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)
        self.offset, self._total, self._hasher = 0, None, hashlib.sha256()
        self.etag = self.last_modified = self.date = self.content_type = self.content_encoding = None

    def request_headers(self) -> dict[str, str]:
        """The headers of the next attempt: a range to go on from, or a condition, and always the bytes as stored."""
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        validator = self._strong_validator()
        if self.offset and validator is None:
            self.restart()
        if self.offset and validator is not None:
            headers |= {"Range": f"bytes={self.offset}-", "If-Range": validator}
        elif self.known is not None:
            if self.known.etag:
                headers["If-None-Match"] = self.known.etag
            if self.known.last_modified and _settled(self.known.last_modified, self.known.fetched_at):
                headers["If-Modified-Since"] = self.known.last_modified
        return headers

    def _strong_validator(self) -> str | None:
        if self.etag:
            return None if self.etag.startswith("W/") else self.etag
        return self.last_modified if is_strong_date(self.last_modified, self.date) else None

    def begin(self, status: int, headers: dict[str, str], length: int | None) -> None:
        """Make ready for a body.

        Args:
            status: 200 for the whole file, 206 for the rest of it.
            headers: Response headers by lower-case name.
            length: Size of this body, None when the server does not say.

        Raises:
            TooLargeError: If the file would exceed the bound.
            BrokenTransferError: If the range is not the one that was asked for; the next attempt starts anew.
        """
        if status != 206:
            self.restart()
        total = self._check_range(headers) if status == 206 else length
        if total is not None and total > self._max_bytes:
            raise TooLargeError(total, self._max_bytes)
        self._total = total
        self.status = status
        # A partial answer need not repeat what still holds.
        repeated = status == 206 and self.offset > 0
        self.etag = headers.get("etag") or (self.etag if repeated else None)
        self.last_modified = headers.get("last-modified") or (self.last_modified if repeated else None)
        self.date = self.date if repeated else headers.get("date")
        self.content_type = headers.get("content-type", self.content_type)
        self.content_encoding = headers.get("content-encoding", self.content_encoding)
        notes = {
            "etag": self.etag,
            "last_modified": self.last_modified,
            "date": self.date,
            "content_type": self.content_type,
            "content_encoding": self.content_encoding,
            "total": self._total,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._notes, json.dumps(notes).encode())
        self.close()
        self._handle = self.path.open("ab")

    def _check_range(self, headers: dict[str, str]) -> int:
        """The size of the whole file, once the range is the one that is missing."""
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("content-range", "").strip())
        same = all(
            headers.get(name, before) == before
            for name, before in (("etag", self.etag), ("last-modified", self.last_modified))
            if self.offset
        )
        if match is None or int(match[1]) != self.offset or not same:
            self.restart()
            raise BrokenTransferError("the server continued with another range or another version of the file")
        total = self._total if match[3] == "*" else int(match[3])
        if total is None:
            self.restart()
            raise BrokenTransferError("the server sent a part, and not how large the whole is")
        if self._total not in {None, total} or int(match[2]) >= total:
            before = self._total
            self.restart()
            raise BrokenTransferError(f"the server sent {match[0]} of a file that had {before} bytes before")
        return total

    def write(self, data: bytes) -> None:
        """Put a piece of the body on disk.

        Raises:
            TooLargeError: If the file exceeds the bound.
        """
        if self.offset + len(data) > self._max_bytes:
            raise TooLargeError(self.offset + len(data), self._max_bytes)
        assert self._handle is not None, "write before begin"  # noqa: S101
        self._handle.write(data)
        self._hasher.update(data)
        self.offset += len(data)

    def finish(self) -> None:
        """Check that everything has arrived.

        Raises:
            BrokenTransferError: If bytes are missing; the next attempt goes on from here.
        """
        self.close()
        if self._total is not None and self.offset > self._total:
            arrived, total = self.offset, self._total
            self.restart()
            raise BrokenTransferError(f"{arrived:,} bytes arrived of a file of {total:,}")
        if self._total is not None and self.offset != self._total:
            raise BrokenTransferError(f"the body ended after {self.offset:,} of {self._total:,} bytes")

    def advanced(self) -> bool:
        """Whether the transfer got further than ever before since this was last asked."""
        further = self.offset > self.high_water
        self.high_water = max(self.high_water, self.offset)
        return further

    def close(self) -> None:
        """Close the partial file; it stays for the next attempt."""
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def landed(self, url: str, now: dt.datetime) -> LandedFile:
        """What is known of the complete file; `fetched_at` stays if the bytes are those of the last crawl.

        Args:
            url: Address as it may be shown.
            now: The time (UTC).
        """
        sha256 = self._hasher.hexdigest()
        same = self.known is not None and self.known.sha256 == sha256
        fetched_at = self.known.fetched_at if self.known is not None and same else now
        return LandedFile(
            path="",
            url=url,
            status=self.status,
            bytes=self.offset,
            sha256=sha256,
            etag=self.etag or None,
            last_modified=self.last_modified or None,
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            fetched_at=fetched_at,
            unchanged=same,
        )

    def flush_to_disk(self) -> None:
        """Have the complete bytes written through, so that a manifest never refers to bytes lost in a power cut."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_CLOCKS_DIFFER_BY = dt.timedelta(seconds=60)


def is_strong_date(last_modified: str | None, date: str | None) -> bool:
    """Whether a Last-Modified tells two versions of a file apart for certain (RFC 9110, 8.8.2.2).

    It counts whole seconds, so a file may change twice within one. It is certain only if the answer was made at least
    a second later; as two clocks may be at work, a difference that makes this unlikely to matter is asked for: the 60
    seconds of RFC 7232.

    Args:
        last_modified: As the server sent it.
        date: The Date of the same answer.
    """
    answered = _moment(date)
    return answered is not None and _settled(last_modified, answered)


def _settled(last_modified: str | None, answered: dt.datetime) -> bool:
    modified = _moment(last_modified)
    return modified is not None and answered - modified >= _CLOCKS_DIFFER_BY


def _moment(text: str | None) -> dt.datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
