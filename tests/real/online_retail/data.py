"""Where the day files are, and which days there are."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

VARIABLE = "SLUICE_REAL_DATA"
PROJECT = Path(__file__).parents[3]
FIRST, LAST = date(2010, 12, 1), date(2011, 12, 9)


def folder() -> Path:
    """The folder of the day files: `online-retail` in `SLUICE_REAL_DATA`, or in `../shared/data` of the project."""
    root = os.environ.get(VARIABLE, "")
    return (Path(root) if root else PROJECT.parent / "shared" / "data") / "online-retail"


def missing() -> str | None:
    """Why the data cannot be read, in one sentence; None when it is there."""
    here = folder()
    if here.is_dir() and any(here.glob("????-??-??.csv.gz")):
        return None
    return (
        f"The UCI Online Retail day files (YYYY-MM-DD.csv.gz) are not in {here}; put them there, or name the folder "
        f"that holds online-retail/ in {VARIABLE}."
    )


def days(first: date = FIRST, last: date = LAST) -> list[date]:
    """Every day from the first to the last, whether the site has a file for it or not."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
