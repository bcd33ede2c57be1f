"""The few file operations that the lake needs beside Delta's own, on a local folder or on an object store."""

import contextlib
import datetime as dt
import fcntl
import functools
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from deltalake.fs import DeltaStorageHandler
from pyarrow import fs as arrow_fs
from pyarrow import parquet


@dataclass(frozen=True)
class FileInfo:
    """One file: its path below the root, its bytes, and when it was last written."""

    path: str
    bytes: int
    modified: dt.datetime


class Files(Protocol):
    """Files below one root, named by relative paths with forward slashes."""

    def uri(self, path: str) -> str:
        """Return what Polars and deltalake open."""
        ...

    def info(self, path: str) -> FileInfo | None:
        """Return a file's size and time, or None when there is no such file."""
        ...

    def walk(self, folder: str) -> list[FileInfo]:
        """Return every file below a folder, at any depth; none when the folder does not exist."""
        ...

    def make_folder(self, folder: str) -> None:
        """Make a folder and its parents."""
        ...

    def move(self, source: str, target: str) -> None:
        """Rename a file."""
        ...

    def link(self, source: str, target: str) -> None:
        """Make the same content available under a second path; an existing target is replaced."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; a missing one is no error."""
        ...

    def refresh(self, path: str) -> None:
        """Mark a file as just written, so that a clean-up leaves it alone."""
        ...

    def secure(self, path: str) -> None:
        """Return when a file and its name would survive a power cut."""
        ...

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """Write a file as a whole: readers see the old content or the new one."""
        ...

    def footer(self, path: str) -> Any:
        """Return a Parquet file's `pyarrow.parquet.FileMetaData`."""
        ...

    def lock(self, path: str, *, exclusive: bool) -> contextlib.AbstractContextManager[None]:
        """Hold a lock among the processes of this machine; it ends with its process."""
        ...


class LocalFiles:
    """Files in a local folder. Renames are atomic, and what must last is synchronised to the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def uri(self, path: str) -> str:
        """Return an absolute path."""
        return str(self.root / path)

    def info(self, path: str) -> FileInfo | None:
        """Return a file's size and time, or None."""
        try:
            status = (self.root / path).stat()
        except FileNotFoundError:
            return None
        return FileInfo(path, status.st_size, dt.datetime.fromtimestamp(status.st_mtime, dt.UTC))

    def walk(self, folder: str) -> list[FileInfo]:
        """Return every file below a folder."""
        paths = (
            os.path.relpath(os.path.join(parent, name), self.root)  # noqa: PTH118 - os.walk gives texts
            for parent, _, names in os.walk(self.root / folder)
            for name in names
        )
        # A file may vanish between the listing and the look at it: another process cleans up, too.
        return [info for path in sorted(paths) if (info := self.info(path))]

    def make_folder(self, folder: str) -> None:
        """Make a folder and its parents."""
        (self.root / folder).mkdir(parents=True, exist_ok=True)

    def move(self, source: str, target: str) -> None:
        """Rename a file, durably."""
        (self.root / target).parent.mkdir(parents=True, exist_ok=True)
        (self.root / source).replace(self.root / target)
        self._secure_folder((self.root / target).parent)

    def link(self, source: str, target: str) -> None:
        """Make a hard link: no byte is copied."""
        (self.root / target).parent.mkdir(parents=True, exist_ok=True)
        temporary = (self.root / target).with_suffix(f".{uuid.uuid4().hex[:8]}.tmp")
        temporary.hardlink_to(self.root / source)
        temporary.replace(self.root / target)
        # Renaming one hard link onto another of the same file does nothing, and leaves both.
        temporary.unlink(missing_ok=True)

    def remove(self, path: str) -> None:
        """Remove a file."""
        (self.root / path).unlink(missing_ok=True)

    def refresh(self, path: str) -> None:
        """Set the modification time to now."""
        os.utime(self.root / path)

    def secure(self, path: str) -> None:
        """Synchronise a file and its folder."""
        with (self.root / path).open("rb") as file:
            os.fsync(file.fileno())
        self._secure_folder((self.root / path).parent)

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        return (self.root / path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Write beside the target, synchronise, and rename."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        self._secure_folder(target.parent)

    def footer(self, path: str) -> Any:
        """Return a Parquet file's metadata."""
        return parquet.read_metadata(self.root / path)

    @contextlib.contextmanager
    def lock(self, path: str, *, exclusive: bool) -> Iterator[None]:
        """Hold an advisory lock on a file, which is made when it is missing."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield

    @staticmethod
    def _secure_folder(folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class ObjectFiles:
    """Files on an object store, through the same client as the Delta tables. Its writes are whole and durable."""

    def __init__(self, root: str, storage_options: Mapping[str, str] | None) -> None:
        self.root = root.rstrip("/")
        self._storage_options = dict(storage_options) if storage_options else None

    @functools.cached_property
    def _files(self) -> Any:
        # Not in the constructor: a lake is built when definitions load, where no store may be needed or reachable.
        return arrow_fs.PyFileSystem(DeltaStorageHandler(self.root, self._storage_options))

    def uri(self, path: str) -> str:
        """Return a URI."""
        return f"{self.root}/{path}"

    def info(self, path: str) -> FileInfo | None:
        """Return an object's size and time, or None."""
        found = self._files.get_file_info(path)
        return None if found.type == arrow_fs.FileType.NotFound else _as_info(found)

    def walk(self, folder: str) -> list[FileInfo]:
        """Return every object below a prefix."""
        found = self._files.get_file_info(arrow_fs.FileSelector(folder, recursive=True, allow_not_found=True))
        return sorted((_as_info(item) for item in found if item.type == arrow_fs.FileType.File), key=lambda i: i.path)

    def make_folder(self, folder: str) -> None:
        """Do nothing: an object store has no folders."""

    def move(self, source: str, target: str) -> None:
        """Copy, then remove the source."""
        self.link(source, target)
        self.remove(source)

    def link(self, source: str, target: str) -> None:
        """Copy through this machine, in pieces; deltalake 1.6 fails on a copy within the store."""
        with (
            self._files.open_input_stream(source) as content,
            self._files.open_output_stream(target, buffer_size=1 << 20) as copy,
        ):
            while piece := content.read(1 << 20):
                copy.write(piece)

    def remove(self, path: str) -> None:
        """Remove an object."""
        if self.info(path):
            self._files.delete_file(path)

    def refresh(self, path: str) -> None:
        """Do nothing: only a copy would change an object's time. A clean-up's grace period has to cover a gate."""

    def secure(self, path: str) -> None:
        """Do nothing: a written object is durable."""

    def read(self, path: str) -> bytes:
        """Return an object's content."""
        with self._files.open_input_file(path) as stream:
            return bytes(stream.read())

    def write(self, path: str, content: bytes) -> None:
        """Put an object."""
        with self._files.open_output_stream(path, buffer_size=1 << 20) as stream:
            stream.write(content)

    def footer(self, path: str) -> Any:
        """Return a Parquet object's metadata, by reading its end."""
        return parquet.read_metadata(path, filesystem=self._files)

    @contextlib.contextmanager
    def lock(self, path: str, *, exclusive: bool) -> Iterator[None]:
        """Do nothing: there is no lock that ends with its process. Commits are checked against each other instead."""
        _ = path, exclusive
        yield


def _as_info(found: Any) -> FileInfo:
    modified = found.mtime or dt.datetime.fromtimestamp(time.time(), dt.UTC)
    return FileInfo(found.path.lstrip("/"), found.size or 0, modified.astimezone(dt.UTC))
