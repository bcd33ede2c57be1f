"""A folder of the local file system, of which nothing outside is ever read."""

import datetime as dt
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from crawlers.fault import CrawlError
from crawlers.folders.place import PIECE, ChangedError, Entry, MissingPlaceError
from foundation.nearest import nearest

_SETTLED = dt.timedelta(seconds=2)
_EXAMPLES = 5


class LocalFolder:
    """A folder.

    Args:
        path: The folder of the day.
        root: The part of the path above the date, or the path itself: whatever is read lies below it.
    """

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        self._root = Path(os.path.realpath(root))

    def entries(self) -> list[Entry]:
        """All files below the folder; those that symbolic links lead to are listed where the links stand."""
        if not self._path.exists():
            raise MissingPlaceError(f"the folder {self._path} is not there{_what_is_there(self._path)}")
        if not self._path.is_dir():
            raise CrawlError(
                f"{self._path} is a file; name its folder ({self._path.parent}) in crawl.path, and the file "
                f"('{self._path.name}') in crawl.files."
            )
        found: list[Entry] = []
        try:
            self._walk(self._path, "", frozenset(), found)
        except PermissionError as error:
            raise CrawlError(f"{error.filename} cannot be read: {error.strerror}; allow this user to.") from error
        return sorted(found, key=lambda entry: entry.name)

    def _walk(self, folder: Path, prefix: str, above: frozenset[str], found: list[Entry]) -> None:
        real = os.path.realpath(folder)
        if real in above:
            return  # A link to a folder above: everything in it is listed already.
        with os.scandir(folder) as children:
            for child in children:
                name = f"{prefix}{child.name}"
                if child.is_symlink() and not self._is_inside(child.path):
                    # Listed, so that what matches is refused by name and what does not match is left alone.
                    found.append(_unknown(name, refused="links out of the folder"))
                elif child.is_dir():
                    self._walk(Path(child.path), f"{name}/", above | {real}, found)
                else:
                    try:
                        found.append(_entry(name, Path(child.path).stat()))
                    except FileNotFoundError:
                        # A link to nothing, or a file that is gone already: an error, should it be wanted.
                        found.append(_unknown(name))

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """The content of a file, which is as it was listed from beginning to end."""
        path = self._path / entry.name
        if not self._is_inside(path):
            raise CrawlError(
                f"{path} leads out of {self._root} (to {os.path.realpath(path)}), and nothing outside of what is "
                f"declared is read; copy the file there, or declare the other folder."
            )
        try:
            # Not blocking, so that a pipe without a writer is refused and not waited for.
            descriptor = os.open(os.path.realpath(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise ChangedError from None
        except PermissionError as error:
            raise CrawlError(f"{path} cannot be read: {error.strerror}; allow this user to.") from error
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise CrawlError(f"{path} is no regular file; tighten crawl.files.")
            if _state(before) != entry.state:
                raise ChangedError
            while piece := file.read(PIECE):
                yield piece
            if _state(os.fstat(descriptor)) != _state(before) or not _is_still(path, before):
                raise ChangedError

    def _is_inside(self, path: str | Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self._root)


def _unknown(name: str, refused: str = "") -> Entry:
    return Entry(name, 0, dt.datetime.fromtimestamp(0, dt.UTC), None, refused=refused)


def _entry(name: str, status: os.stat_result) -> Entry:
    modified = dt.datetime.fromtimestamp(status.st_mtime, dt.UTC)
    # A file may change twice within one tick of the clock: only an older time tells two contents apart.
    settled = dt.datetime.now(dt.UTC) - modified >= _SETTLED
    validator = f"{status.st_mtime_ns}-{status.st_size}" if settled else None
    return Entry(name, status.st_size, modified, validator, _state(status))


def _state(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _is_still(path: Path, before: os.stat_result) -> bool:
    """Whether a name still means the file that was opened, and not one that was put in its place."""
    try:
        now = path.stat()
    except OSError:
        return False
    return (now.st_dev, now.st_ino) == (before.st_dev, before.st_ino)


def _what_is_there(path: Path) -> str:
    above = next(parent for parent in path.absolute().parents if parent.is_dir())
    try:
        names = sorted(child.name for child in above.iterdir() if not child.name.startswith("."))
    except OSError:
        return ""
    wanted = path.absolute().relative_to(above).parts[0]
    if not names:
        return f"; {above} is empty"
    close = nearest(wanted, names)
    hint = f"; did you mean '{close}'?" if close else ""
    more = f" and {len(names) - _EXAMPLES} more" if len(names) > _EXAMPLES else ""
    return f"; {above} holds {', '.join(names[:_EXAMPLES])}{more}{hint}"
