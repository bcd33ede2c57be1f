"""Where each raw column comes from, and whether it is about a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Lineage:
    """The origin of one raw column.

    Attributes:
        fields: the paths in the record from which its value is made.
        personal: `hash` when it holds keyed hashes of personal values, `drop` when personal values are removed (the
            raw table does not have the column then), `names` when it holds only the names of undeclared fields
            because their values may be personal, `values` when it may hold personal values because the declaration
            asks for it, else `none`.
    """

    fields: tuple[str, ...]
    personal: Literal["none", "hash", "drop", "names", "values"]
