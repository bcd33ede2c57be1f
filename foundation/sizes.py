"""Sizes for people. In declarations they are pydantic's `ByteSize`: `10MB`, `1GiB`, or a number of bytes."""

from __future__ import annotations


def readable_size(count: float) -> str:
    """A number of bytes for people.

    >>> readable_size(5_400_000)
    '5.4 MB'
    """
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
