"""The names of tables, which are folders too."""

import re

from assets.lake.errors import LakeError

_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,127}")


def named(table: str) -> str:
    """A table's name as it is.

    Raises:
        LakeError: It is not one.
    """
    if not _TABLE_NAME.fullmatch(table):
        raise LakeError(
            f"{table!r} is not a table name: use lower-case letters, digits and underscores, a letter first."
        )
    return table
