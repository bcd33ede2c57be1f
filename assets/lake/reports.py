"""Reports: what is known of a partition beside its rows. Losing one costs a computation, never a day."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from assets.lake.digest import checked
from assets.lake.names import named
from foundation.store import FileInfo, Store


class Reports:
    """Files about partitions: `reports/<table>/<day>/…`.

    Args:
        store: Where they lie.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def place(self, table: str, day: dt.date, name: str = "") -> str:
        """Where a file of a partition's reports lies in the store, or the folder of all of them."""
        folder = f"reports/{named(table)}/{day.isoformat()}"
        return f"{folder}/{name}" if name else folder

    def write(self, table: str, day: dt.date, name: str, text: str) -> str:
        """Write a file as a whole; returns its place in the store."""
        place = self.place(table, day, name)
        self._store.write(place, text.encode())
        return place

    def read(self, table: str, day: dt.date, name: str) -> str | None:
        """The text of a file, or None when there is none."""
        content = self._store.content(self.place(table, day, name))
        return None if content is None else content.data.decode()

    def files(self, table: str, day: dt.date) -> list[FileInfo]:
        """All files of a partition's reports."""
        return self._store.walk(self.place(table, day))

    def write_ledger(self, table: str, day: dt.date, digest: str, content: Mapping[str, Any]) -> None:
        """Record what is known of content (counts, check results), before it is published."""
        self.write(table, day, f"{checked(digest, table)}.json", json.dumps(content, indent=2, default=str))

    def ledger(self, table: str, day: dt.date, digest: str) -> dict[str, Any] | None:
        """The record of content; None when there is none, or none that can be read."""
        text = self.read(table, day, f"{digest}.json") if digest else None
        try:
            found = json.loads(text) if text is not None else None
        except ValueError:  # written by another program, or damaged: as if it were not there
            return None
        return found if isinstance(found, dict) else None
