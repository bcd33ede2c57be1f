"""Local copies of what lies on an object store. Each may be lost at any time: it is fetched again."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

VARIABLE = "SLUICE_CACHE"


def cache_folder() -> Path:
    """Where copies are kept: `SLUICE_CACHE`, or a folder of this user's for temporary files."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(tempfile.gettempdir()) / f"sluice-cache-{os.getuid()}"


def cached(key: Iterable[str], name: str, make: Callable[[Path], None]) -> Path:
    """The copy of a key, made when it is missing.

    Args:
        key: What the content is, etag included: another content has another key, so a copy never goes stale.
        name: The name of the file or the folder, which some programs look at.
        make: Makes the file or the folder at a path that it is given.
    """
    digest = hashlib.sha256("\n".join(key).encode()).hexdigest()[:32]
    found = cache_folder() / digest / name
    if found.exists():
        os.utime(found.parent)  # used now: `forget_unused` goes by it
        return found
    found.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    building = found.with_name(f".{uuid.uuid4().hex[:8]}.tmp")
    try:
        make(building)
        try:
            building.rename(found)
        except OSError:
            # Another process has made the same folder meanwhile; anything else is an error.
            if not found.exists():
                raise
    finally:
        if building.is_dir():
            shutil.rmtree(building, ignore_errors=True)
        else:
            building.unlink(missing_ok=True)
    return found


def scratch_folder(of: str) -> Path:
    """A folder for work that goes on where it stopped, unless it is lost.

    Args:
        of: What the work is about: the same text gives the same folder.
    """
    folder = cache_folder() / f"scratch-{hashlib.sha256(of.encode()).hexdigest()[:32]}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def forget_unused(seconds: float) -> tuple[int, int]:
    """Remove copies that nobody has asked for lately.

    Args:
        seconds: How long ago is long enough.

    Returns:
        How many copies were removed, and their bytes.
    """
    removed = size = 0
    folder = cache_folder()
    for entry in folder.iterdir() if folder.is_dir() else ():
        try:
            if entry.stat().st_mtime > time.time() - seconds:
                continue
            size += sum(path.stat().st_size for path in entry.rglob("*") if path.is_file())
        except FileNotFoundError:
            continue  # another process removes it just now
        shutil.rmtree(entry, ignore_errors=True)
        removed += 1
    return removed, size
