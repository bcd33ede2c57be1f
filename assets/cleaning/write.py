"""Write a cleaned day to two Parquet files in one pass over the input."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from assets.cleaning.plan import Cleaned
from crawlers.accounting import Accounting


def write(cleaned: Cleaned, *, kept: Path, quarantined: Path) -> Accounting:
    """Compute a cleaned day, writing what is kept and what is quarantined.

    Args:
        cleaned: the plan of the day.
        kept: the Parquet file for the clean rows.
        quarantined: the Parquet file for the rejected ones.

    Returns:
        The account of the day; it is not checked yet.
    """
    reasons = cleaned.quarantined.group_by("reason").agg(pl.len().alias("rows"))
    counts = [cleaned.kept.select(pl.len().alias("rows")), reasons, cleaned.removed, cleaned.rows_in]
    sinks = [
        cleaned.kept.sink_parquet(kept, lazy=True, mkdir=True),
        cleaned.quarantined.sink_parquet(quarantined, lazy=True, mkdir=True),
    ]
    out, rejected, removed, rows_in = pl.collect_all([*sinks, *counts], engine="streaming")[len(sinks) :]
    return Accounting(
        rows_in=rows_in.item(),
        rows_out=out.item(),
        quarantined=dict(rejected.sort("reason").iter_rows()),
        removed=dict(removed.sort("reason").iter_rows()),
    )
