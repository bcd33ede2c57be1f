"""The local folders beside the tables: landing, reports and models."""

import datetime as dt
from pathlib import Path

from assets.lake.files import LocalFiles


class Folders:
    """Where things lie that are files and not tables.

    Args:
        home: The local folder that holds them all.
    """

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self._local = LocalFiles(self.home)

    def landing_dir(self, source: str, day: dt.date) -> Path:
        """Return the folder of the bytes that a source served for a day."""
        return self.home / "landing" / source / day.isoformat()

    def reports_dir(self, table: str, day: dt.date) -> Path:
        """Return the folder of the ledger and the gate reports of a partition."""
        return self.home / "reports" / table / day.isoformat()

    def models_dir(self, model: str) -> Path:
        """Return the folder of a model: its runs, its versions, its champion."""
        return self.home / "models" / model

    def write_report(self, table: str, day: dt.date, name: str, text: str) -> Path:
        """Write a file into a partition's reports as a whole, durably; return its path."""
        path = self.reports_dir(table, day) / name
        self._local.write(str(path.relative_to(self.home)), text.encode())
        return path

    def read_report(self, table: str, day: dt.date, name: str) -> str | None:
        """Return the text of a file in a partition's reports, or None when there is none."""
        path = self.reports_dir(table, day) / name
        return path.read_text() if path.is_file() else None
