"""Landing: the bytes of a source and day as served, with the manifest that says what they are.

<root>/landing/<source>/<YYYY-MM-DD>/
    manifest.json     what the last complete crawl found; replaced atomically, so it always describes whole files
    files/            the bytes, content-addressed and immutable

and, in the same folder or, where landing lies on an object store, in a local one that may be lost:

    files/            the bytes that are not yet put
    partial/          transfers under way; a later crawl goes on with them
    journal.jsonl     files completed by a crawl that has not finished; a later crawl does not fetch them again
    lock              held while a crawl works here
"""

import datetime as dt
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from foundation.atomic import write_atomically
from foundation.store import Store, open_store
from foundation.store.cache import scratch_folder

MANIFEST = "manifest.json"

# A crawl that broke off is continued within this time; later, what it had fetched is asked for anew (conditionally).
CONTINUE_WITHIN = dt.timedelta(hours=24)


class ManifestError(Exception):
    """A manifest is missing or damaged."""


class LandedFile(BaseModel):
    """One file as served.

    Attributes:
        path: Relative to the day's folder.
        url: Address relative to the declared template, without secrets.
        status: HTTP status that brought the bytes (206 when a broken transfer was continued).
        bytes: Size as served.
        sha256: Digest of the bytes.
        etag: Validator of the server, for the next conditional request.
        last_modified: Likewise.
        content_type: As declared by the server, which may be wrong.
        content_encoding: As declared by the server; the bytes landed are the encoded ones.
        fetched_at: When these bytes were first fetched (UTC); fetching the same bytes again does not change it.
        unchanged: Whether the last crawl found them unchanged.
        listed_in: Address of the listing that led to it, without secrets; empty when none did.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    url: str
    status: int
    bytes: int
    sha256: str
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    fetched_at: dt.datetime
    unchanged: bool = False
    listed_in: str = ""


class CrawlStats(BaseModel):
    """What one day's crawl did.

    Attributes:
        requests: Requests sent, retries and robots.txt included where they were sent for this day.
        statuses: Answers by HTTP status.
        bytes: Bytes of bodies received.
        retries: Requests sent again.
        unchanged: Files that the server confirmed, or served again byte for byte.
        continued: Files taken over from a crawl that broke off.
        left_out: Links that matched what is declared and could not be taken, by reason; each is in the log.
        seconds: Wall time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: int = 0
    statuses: dict[str, int] = {}
    bytes: int = 0
    retries: int = 0
    unchanged: int = 0
    continued: int = 0
    left_out: dict[str, int] = {}
    seconds: float = 0.0


class Manifest(BaseModel):
    """What one complete crawl of a source and day landed.

    Attributes:
        source: Name of the source.
        partition: The day.
        complete: Always true for a manifest that was written; the field says so to whoever reads the file.
        finish_reason: `finished`, or `no_files` when the site has none for the day.
        started_at: When the crawl began (UTC).
        finished_at: When it was complete (UTC).
        files: What it landed, sorted by address.
        stats: What it did.
        first_landed_at: When the first complete crawl of the day ended (UTC); None if this is the first. What was
            fetched later was not there for whoever read the day then.
        demo: Whether the demo shop served it.
        origin: Digest of the host that served it; validators of one host mean nothing to another.
        continuation: Where a crawl of this kind goes on the next time: an address, a cursor, a token, by a name of
            the kind's own. Never a secret: what a kind keeps here lies beside the data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    partition: dt.date
    complete: bool = True
    finish_reason: Literal["finished", "no_files"]
    started_at: dt.datetime
    finished_at: dt.datetime
    files: tuple[LandedFile, ...] = ()
    stats: CrawlStats = CrawlStats()
    first_landed_at: dt.datetime | None = None
    demo: bool = False
    origin: str = ""
    continuation: dict[str, str] = {}

    @property
    def digest(self) -> str:
        """SHA-256 over paths and digests, so that fetching the same bytes again changes nothing."""
        lines = sorted(f"{file.path} {file.sha256}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def bytes(self) -> int:
        """Total size of the landed files."""
        return sum(file.bytes for file in self.files)


def landing_folder(source: str, day: dt.date) -> str:
    """Where a source and day lie in the lake's store."""
    return f"landing/{source}/{day.isoformat()}"


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of a landing folder.

    Raises:
        ManifestError: If there is none, or it cannot be read.
    """
    path = Path(directory) / MANIFEST
    try:
        return _manifest(path.read_bytes(), str(path))
    except FileNotFoundError as error:
        raise ManifestError(
            f"{path} does not exist: no complete crawl of this day yet; materialise landing."
        ) from error


def landed(store: Store, source: str, day: dt.date) -> Manifest | None:
    """The manifest of a source and day, or None before its first complete crawl.

    Raises:
        ManifestError: If it cannot be read.
    """
    place = f"{landing_folder(source, day)}/{MANIFEST}"
    content = store.content(place)
    return None if content is None else _manifest(content.data, store.uri(place))


def fetched(store: Store, source: str, day: dt.date, manifest: Manifest) -> Path:
    """A local folder with a manifest and the files that it names, as far as they are there."""
    return store.fetch_folder(
        landing_folder(source, day), only=(MANIFEST, *sorted({file.path for file in manifest.files}))
    )


def expire(store: Store, source: str, *, before: dt.date) -> list[dt.date]:
    """Delete the landing of days before a date; returns the days deleted."""
    gone = []
    for name in store.folders(f"landing/{source}"):
        try:
            day = dt.date.fromisoformat(name)
        except ValueError:
            continue
        # Some object stores list a folder for a while after its last file is gone.
        if day < before and store.remove_folder(landing_folder(source, day)):
            gone.append(day)
    return gone


def _manifest(content: bytes, place: str) -> Manifest:
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ManifestError(f"{place} is damaged ({error.error_count()} faults); crawl the day again.") from error


class Landing:
    """The landing of one source and day, as the crawl that writes it sees it.

    Use `try_lock` before anything else, and `close` at the end.

    Args:
        root: The lake: a folder, or the URI of a prefix on an object store.
        source: The source's name.
        day: The day.
        started_at: When this crawl began (UTC).
        origin: Digest of the host that is crawled; what another host served is not built upon.
    """

    def __init__(
        self, root: str | Path, source: str, day: dt.date, *, started_at: dt.datetime, origin: str = ""
    ) -> None:
        self._store = open_store(root)
        self._folder = landing_folder(source, day)
        self._is_local = self._store.local(self._folder) is not None
        # A local lake is worked in as it is: a landed file is renamed into place, never copied.
        self.directory = self._store.local(self._folder) or scratch_folder(self._store.uri(self._folder))
        self.started_at = started_at
        self.origin = origin
        self.previous: Manifest | None = None
        self.continued: dict[str, LandedFile] = {}
        self._by_url: dict[str, LandedFile] = {}
        self._kept: dict[str, int] = {}
        self._etag: str | None = None
        self._lock: IO[str] | None = None
        for folder in ("files", "partial"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)

    def try_lock(self) -> bool:
        """Take the folder for this process, unless another crawl holds it; on success, read what is there."""
        handle = (self.directory / "lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return False
        self._lock = handle
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        content = self._store.content(self._manifest_place)
        self._etag = content.etag if content else None
        try:
            self.previous = _manifest(content.data, self._manifest_place) if content else None
        except ManifestError:
            # A damaged manifest is replaced by this crawl, as a missing one is.
            self.previous = None
        if not self._is_local:
            found = self._store.walk(self._folder)
            self._kept = {info.path.removeprefix(f"{self._folder}/"): info.bytes for info in found}
        if self.previous is not None and self.previous.origin == self.origin:
            self._by_url = {file.url: file for file in self.previous.files}
        self.continued = self._read_journal()
        self._open_journal()
        return True

    def close(self) -> None:
        """Let the folder go."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def known(self, url: str) -> LandedFile | None:
        """The file that the last complete crawl landed for an address, if its bytes are still whole."""
        file = self._by_url.get(url)
        return file if file is not None and self._is_whole(file) else None

    def forget(self) -> None:
        """Take nothing over from earlier crawls, so that everything is fetched anew; the old manifest still stands."""
        self._by_url, self.continued = {}, {}
        self._drop_unfinished()
        self._open_journal()

    def partial(self, url: str) -> Path:
        """Where the transfer of an address is kept until it is complete."""
        return self.directory / "partial" / hashlib.sha256(url.encode()).hexdigest()[:32]

    def land(self, partial: Path, file: LandedFile) -> LandedFile:
        """Move a complete transfer to its place and put it on record in the journal.

        Args:
            partial: The complete bytes.
            file: What is known of them; `path` is filled in here.

        Returns:
            The file with its path.
        """
        landed = file.model_copy(update={"path": f"files/{_file_name(file.url, file.sha256)}"})
        target = self.directory / landed.path
        if self._is_whole(landed):
            partial.unlink()
        else:
            partial.replace(target)
        self._append_to_journal(landed.model_dump_json())
        return landed

    def commit(self, manifest: Manifest) -> None:
        """Make a complete crawl the day's truth, then remove what neither it nor its predecessor refers to.

        The predecessor's files outlive it by one crawl, for whoever is reading them right now.

        Raises:
            ConflictError: A crawl on another machine has committed this day meanwhile; what it landed stands.
        """
        if not self._is_local:
            self._put(manifest.files)
        if self.previous is not None:
            first = self.previous.first_landed_at or self.previous.finished_at
            manifest = manifest.model_copy(update={"first_landed_at": first})
        content = manifest.model_dump_json(indent=1).encode()
        if self._etag is None:
            self._store.put_if_absent(self._manifest_place, content)
        else:
            self._store.put_if_match(self._manifest_place, content, self._etag)
        self._drop_unfinished()
        predecessors: Iterable[LandedFile] = self.previous.files if self.previous else ()
        wanted = {file.path for file in (*manifest.files, *predecessors)}
        for path in (self.directory / "files").iterdir():
            if not self._is_local or f"files/{path.name}" not in wanted:
                path.unlink(missing_ok=True)
        for name in self._kept:
            if name.startswith("files/") and name not in wanted:
                self._store.remove(f"{self._folder}/{name}")

    @property
    def place(self) -> str:
        """Where the day lies, for people: a path, or a URI."""
        return self._store.uri(self._folder)

    @property
    def _manifest_place(self) -> str:
        return f"{self._folder}/{MANIFEST}"

    def _put(self, files: Iterable[LandedFile]) -> None:
        for file in files:
            if self._kept.get(file.path) != file.bytes:
                self._store.upload(self.directory / file.path, f"{self._folder}/{file.path}")
                self._kept[file.path] = file.bytes

    def _is_whole(self, file: LandedFile) -> bool:
        if self._kept.get(file.path) == file.bytes:
            return True
        try:
            return (self.directory / file.path).stat().st_size == file.bytes
        except OSError:
            return False

    def _drop_unfinished(self) -> None:
        (self.directory / "journal.jsonl").unlink(missing_ok=True)
        shutil.rmtree(self.directory / "partial", ignore_errors=True)

    def _open_journal(self) -> None:
        """Have the journal's first line, which says when the unfinished crawl began, and of which host."""
        path = self.directory / "journal.jsonl"
        if not path.exists():
            opening = {"started_at": self.started_at.isoformat(), "origin": self.origin}
            write_atomically(path, json.dumps(opening).encode())

    def _append_to_journal(self, line: str) -> None:
        with (self.directory / "journal.jsonl").open("a") as journal:
            # Begins with a line break, so that a torn last line of a killed crawl stays the only one lost.
            journal.write(f"\n{line}")
            journal.flush()
            os.fsync(journal.fileno())

    def _read_journal(self) -> dict[str, LandedFile]:
        path = self.directory / "journal.jsonl"
        try:
            lines = path.read_text(errors="replace").splitlines()
            opening = json.loads(lines[0])
            began = dt.datetime.fromisoformat(opening["started_at"])
            same_host = opening["origin"] == self.origin
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            same_host = False
        if not same_host:
            self._drop_unfinished()
            return {}
        # A crawl killed between its manifest and the removal of its journal has nothing to continue.
        committed = self.previous is not None and self.previous.finished_at >= began
        if committed or self.started_at - began > CONTINUE_WITHIN:
            path.unlink()
            return {}
        files = {}
        for line in lines[1:]:
            try:
                file = LandedFile.model_validate_json(line)
            except ValidationError:
                continue
            if self._is_whole(file):
                files[file.url] = file
        return files


def _file_name(url: str, sha256: str) -> str:
    # The address takes part, so that two addresses with the same bytes remain two files with line numbers of their own.
    name = unquote(urlsplit(url).path.rsplit("/", 1)[-1]) or "download"
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".")[-100:] or "download"
    return f"{sha256[:16]}-{hashlib.sha256(url.encode()).hexdigest()[:8]}-{readable}"
