"""Which published days are brought up to date because late records may have reached them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from assets.lake import Lake


def days_to_amend(days: Sequence[date], lateness: int, lake: Lake, table: str) -> list[date]:
    """The published days of a table just before a run's days, which late records of the run may belong to.

    Args:
        days: The days of the run; they are made anyway.
        lateness: How many days after its event a record may land and still count.
        lake: Where the table lies.
        table: The lake's name of the table.
    """
    if not lateness or not lake.exists(table):
        return []
    reach = {day - timedelta(days=offset) for day in days for offset in range(1, lateness + 1)}
    return sorted((reach - set(days)) & set(lake.published_days(table)))
