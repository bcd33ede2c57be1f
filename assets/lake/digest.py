"""The digests that name published content."""

import re

_DIGEST = re.compile(r"[0-9a-f]{16,64}")


def checked(value: str, table: str) -> str:
    """Return a digest as it is, or raise a ValueError when it could not name a file."""
    if not _DIGEST.fullmatch(value):
        message = (
            f"Table {table!r}: {value!r} is not a digest of 16 to 64 hexadecimal digits; make it with digest(...)."
        )
        raise ValueError(message)
    return value
