"""The one interface of stores, and the paths that they take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol


@dataclass(frozen=True)
class FileInfo:
    """One file.

    Attributes:
        path: Below the root, with forward slashes.
        bytes: Its size.
        modified: When it was last written, UTC.
        etag: Opaque; another one whenever the content is another one.
    """

    path: str
    bytes: int
    modified: dt.datetime
    etag: str


@dataclass(frozen=True)
class Content:
    """What a file held at one moment, and the etag that it had then."""

    data: bytes
    etag: str


class Hold(Protocol):
    """A lock that is held.

    Attributes:
        fence: On an object store, greater than that of every earlier holder of the same lock, so that a write which
            carries it can be told from one of a holder who was taken for dead. In a folder no living holder is taken
            for dead, and it is 0.
    """

    fence: int

    def check(self) -> None:
        """Raise a LeaseLostError when the lock was taken over."""
        ...


class Store(Protocol):
    """Files below one root, named by relative paths with forward slashes.

    Attributes:
        root: The absolute path of a folder, or a URI.
    """

    root: str

    def uri(self, path: str) -> str:
        """What Polars and deltalake open."""
        ...

    def local(self, path: str) -> Path | None:
        """The path in the file system of what lies in a folder; None on an object store."""
        ...

    def info(self, path: str) -> FileInfo | None:
        """What is known of a file, or None when there is none."""
        ...

    def walk(self, folder: str = "") -> list[FileInfo]:
        """Every file below a folder, at any depth, by path; none when there is no such folder."""
        ...

    def folders(self, folder: str = "") -> list[str]:
        """The names of the folders directly below a folder, sorted."""
        ...

    def read(self, path: str) -> bytes:
        """A file's content; a missing one is a FileNotFoundError."""
        ...

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """A part of a file, shorter when the file ends before."""
        ...

    def content(self, path: str) -> Content | None:
        """A file's content with its etag, for `put_if_match`; None when there is no such file."""
        ...

    def open(self, path: str) -> IO[bytes]:
        """A reader that can seek; an object is read in ranges, as they are asked for."""
        ...

    def write(self, path: str, data: bytes) -> str:
        """Write a file as a whole, durably: readers see the old content or the new. Returns the new etag."""
        ...

    def put_if_absent(self, path: str, data: bytes) -> str:
        """Write a file that must not exist; of several writers one wins, the others get a ConflictError."""
        ...

    def put_if_match(self, path: str, data: bytes, etag: str) -> str:
        """Write a file that must still have an etag; who was too late, or finds no file, gets a ConflictError."""
        ...

    def upload(self, source: Path, path: str, *, move: bool = False) -> FileInfo:
        """Put a local file of any size, as a whole and durably.

        Args:
            source: The file.
            path: Its place.
            move: Whether the file is no longer needed where it is: within one file system it is then renamed.
        """
        ...

    def upload_folder(self, source: Path, folder: str, *, last: str) -> None:
        """Put all files of a local folder.

        Args:
            source: The folder.
            folder: Its place, which should be new.
            last: The file, below the folder, that is put when all others are there: its presence says so to readers.
        """
        ...

    def fetch(self, path: str) -> Path:
        """A local file with the content: the file itself, or a copy in the cache that may be lost at any time."""
        ...

    def fetch_folder(self, folder: str, *, only: Collection[str] | None = None) -> Path:
        """A local folder with the files of a folder, likewise.

        Args:
            folder: The folder.
            only: The files that are wanted, below the folder, as far as there are such; the local folder may have
                others too. None wants all.

        Raises:
            FileNotFoundError: There are none.
        """
        ...

    def move(self, source: str, target: str) -> None:
        """Rename a file; on an object store, copy it and remove the source."""
        ...

    def link(self, source: str, target: str) -> None:
        """Make the same content available under a second path, without a copy through this machine."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; a missing one is no error."""
        ...

    def remove_folder(self, folder: str) -> int:
        """Remove a folder with all its files; returns their bytes."""
        ...

    def make_folder(self, folder: str) -> None:
        """Make a folder and its parents, where there is such a thing."""
        ...

    def refresh(self, path: str) -> None:
        """Mark a file as just written, where that is possible, so that a clean-up leaves it alone."""
        ...

    def secure(self, path: str) -> None:
        """Return when a file that another program wrote, and its name, would survive a power cut."""
        ...

    def lock(self, path: str, *, exclusive: bool = True) -> AbstractContextManager[Hold]:
        """Wait for a lock, and hold it for the length of a block.

        In a folder it is held among the processes of this machine and ends with its process. On an object store an
        exclusive lock is a lease, which is renewed while it is held and taken over when it is not; there is no shared
        lock there: asking for one waits for nobody, so what is done under it must be safe by conditional writes.
        """
        ...


def checked(path: str) -> str:
    """A path below the root, as it is.

    Raises:
        ValueError: It leads out of the root, or is not a plain relative path.
    """
    if path.startswith("/") or "\\" in path or any(part in {"", ".", ".."} for part in path.split("/")):
        raise ValueError(f"{path!r} is not a path below a store's root: write names with single slashes between them.")
    return path
