"""Reports: what is known of a partition beside its rows. Losing one costs a computation, never a day."""

import contextlib
import datetime as dt
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assets.lake.digest import checked
from assets.lake.names import named
from foundation.store import FileInfo, Store

SHARED = "docs_static"
"""What the pages of all days of a table share, beside the days' folders."""


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

    def uri(self, table: str, day: dt.date, name: str) -> str:
        """Where people open a file of a partition's reports: a `file://` URI, or one on the object store."""
        place = self.place(table, day, name)
        local = self._store.local(place)
        return local.as_uri() if local else self._store.uri(place)

    @contextlib.contextmanager
    def built(self, table: str, day: dt.date) -> Iterator[Path]:
        """The folder of a partition's reports in the file system, for a program that writes many files there.

        On an object store they are put at the end of the block, also those that it writes into the folder above.
        """
        folder = self.place(table, day)
        local = self._store.local(folder)
        if local is not None:
            yield local
            return
        with tempfile.TemporaryDirectory(prefix="sluice-reports-") as home:
            yield Path(home) / day.isoformat()
            above = folder.rsplit("/", 1)[0]
            known = {info.path: info.bytes for info in self._store.walk(f"{above}/{SHARED}")}
            for path in sorted(path for path in Path(home).rglob("*") if path.is_file()):
                place = f"{above}/{path.relative_to(home).as_posix()}"
                if known.get(place) != path.stat().st_size:
                    self._store.upload(path, place)

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
