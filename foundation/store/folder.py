"""A store in a local folder. Renames are atomic, and what must last is synchronised to the disk."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO

from foundation.atomic import replacing, secure_folder
from foundation.store.errors import ConflictError
from foundation.store.protocol import Content, FileInfo, checked

_GUARDS = ".guards"
_GUARD_COUNT = 64


class _Held:
    """An advisory lock cannot be taken over while its holder lives."""

    fence = 0

    def check(self) -> None:
        """Do nothing."""


class FolderStore:
    """Files in a local folder, which is made when something is written.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self.root = str(self._root)

    def uri(self, path: str) -> str:
        """The absolute path."""
        return str(self._at(path))

    def local(self, path: str) -> Path | None:
        """The path itself."""
        return self._at(path)

    def info(self, path: str) -> FileInfo | None:
        """What is known of a file, or None."""
        try:
            status = self._at(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _as_info(path, status)

    def walk(self, folder: str = "") -> list[FileInfo]:
        """Every file below a folder."""
        paths = []
        for parent, folders, names in os.walk(self._at(folder) if folder else self._root):
            if Path(parent) == self._root and _GUARDS in folders:
                folders.remove(_GUARDS)
            paths += [(Path(parent) / name).relative_to(self._root).as_posix() for name in names]
        # A file may vanish between the listing and the look at it: another process cleans up, too.
        return [info for path in sorted(paths) if (info := self.info(path))]

    def folders(self, folder: str = "") -> list[str]:
        """The folders directly below a folder."""
        try:
            with os.scandir(self._at(folder) if folder else self._root) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir() and entry.name != _GUARDS)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, path: str) -> bytes:
        """A file's content."""
        return self._at(path).read_bytes()

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """A part of a file."""
        with self._at(path).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def content(self, path: str) -> Content | None:
        """A file's content with its etag."""
        try:
            with self._at(path).open("rb") as file:
                # Of the opened file: its name may lead to another one by now.
                return Content(file.read(), _etag(os.fstat(file.fileno())))
        except FileNotFoundError:
            return None

    def open(self, path: str) -> IO[bytes]:
        """The opened file."""
        return self._at(path).open("rb")

    def write(self, path: str, data: bytes) -> str:
        """Write beside the target, synchronise, and rename."""
        return self._put(path, data, lambda _: True)

    def put_if_absent(self, path: str, data: bytes) -> str:
        """Write a file that must not exist."""
        return self._put(path, data, lambda present: present is None)

    def put_if_match(self, path: str, data: bytes, etag: str) -> str:
        """Write a file that must still have an etag."""
        return self._put(path, data, lambda present: present is not None and _etag(present) == etag)

    def upload(self, source: Path, path: str, *, move: bool = False) -> FileInfo:
        """Rename a file, or copy it beside its target and rename the copy."""
        target = self._at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._guarded(path):
            if not (move and self._renamed(source, target)):
                with source.open("rb") as content, replacing(target) as file:
                    shutil.copyfileobj(content, file, 1 << 20)
                if move:
                    source.unlink()
            return _as_info(path, target.stat())

    def upload_folder(self, source: Path, folder: str, *, last: str) -> None:
        """Copy a folder beside its place, synchronise it, and rename it."""
        if not (source / last).is_file():
            raise FileNotFoundError(f"{source / last} is missing: it is the file that says that {folder} is complete.")
        target = self._at(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        building = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}.tmp")
        try:
            shutil.copytree(source, building)
            for path in (building, *building.rglob("*")):
                if path.is_dir():
                    secure_folder(path)
                else:
                    _synchronise(path)
            building.rename(target)
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                raise ConflictError(f"{target} is there already; choose another place.") from error
            raise
        finally:
            shutil.rmtree(building, ignore_errors=True)
        secure_folder(target.parent)

    def fetch(self, path: str) -> Path:
        """The file itself."""
        found = self._at(path)
        if not found.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(found))
        return found

    def fetch_folder(self, folder: str, *, only: Collection[str] | None = None) -> Path:
        """The folder itself."""
        del only
        found = self._at(folder)
        if not found.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(found))
        return found

    def move(self, source: str, target: str) -> None:
        """Rename a file, durably."""
        place = self._at(target)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._at(source).replace(place)
        secure_folder(place.parent)

    def link(self, source: str, target: str) -> None:
        """Make a hard link: no byte is copied."""
        place = self._at(target)
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_suffix(f".{uuid.uuid4().hex[:8]}.tmp")
        temporary.hardlink_to(self._at(source))
        temporary.replace(place)
        # Renaming one hard link onto another of the same file does nothing, and leaves both.
        temporary.unlink(missing_ok=True)

    def remove(self, path: str) -> None:
        """Remove a file."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), self._guarded(path):
            self._at(path).unlink()

    def remove_folder(self, folder: str) -> int:
        """Remove a folder with all its files."""
        size = sum(info.bytes for info in self.walk(folder))
        shutil.rmtree(self._at(folder), ignore_errors=True)
        return size

    def make_folder(self, folder: str) -> None:
        """Make a folder and its parents."""
        self._at(folder).mkdir(parents=True, exist_ok=True)

    def refresh(self, path: str) -> None:
        """Set the modification time to now."""
        os.utime(self._at(path))

    def secure(self, path: str) -> None:
        """Synchronise a file and its folder."""
        _synchronise(self._at(path))
        secure_folder(self._at(path).parent)

    @contextlib.contextmanager
    def lock(self, path: str, *, exclusive: bool = True) -> Iterator[_Held]:
        """Hold an advisory lock on a file, which is made when it is missing."""
        with _flocked(self._at(path), exclusive=exclusive):
            yield _Held()

    def _at(self, path: str) -> Path:
        return self._root / checked(path)

    def _guarded(self, path: str) -> contextlib.AbstractContextManager[None]:
        # Among writers of one file for the moment of a write; a fixed number of files, so that none is left a path.
        number = int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") % _GUARD_COUNT
        return _flocked(self._root / _GUARDS / str(number), exclusive=True)

    def _put(self, path: str, data: bytes, condition: Callable[[os.stat_result | None], bool]) -> str:
        target = self._at(path)
        with self._guarded(path):
            try:
                present = target.stat()
            except (FileNotFoundError, NotADirectoryError):
                present = None
            if not condition(present):
                raise ConflictError(
                    f"{target} {'was changed' if present else 'was removed'} by another writer meanwhile; read it "
                    "again."
                )
            with replacing(target) as file:
                file.write(data)
                file.flush()
                # A file system gives numbers of removed files away again, and its clock ticks in milliseconds: without
                # this, two contents of one file within a tick could have the same etag.
                written = os.fstat(file.fileno())
                if present is not None and written.st_mtime_ns <= present.st_mtime_ns:
                    os.utime(file.fileno(), ns=(written.st_atime_ns, present.st_mtime_ns + 1000))
            return _etag(target.stat())

    @staticmethod
    def _renamed(source: Path, target: Path) -> bool:
        _synchronise(source)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:  # on another file system
                raise
            return False
        secure_folder(target.parent)
        return True


@contextlib.contextmanager
def _flocked(path: Path, *, exclusive: bool) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield


def _synchronise(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _etag(status: os.stat_result) -> str:
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


def _as_info(path: str, status: os.stat_result) -> FileInfo:
    return FileInfo(path, status.st_size, dt.datetime.fromtimestamp(status.st_mtime, dt.UTC), _etag(status))
