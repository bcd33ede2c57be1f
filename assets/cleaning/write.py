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
    sinks = [
        cleaned.kept.sink_parquet(kept, lazy=True, mkdir=True),
        cleaned.quarantined.sink_parquet(quarantined, lazy=True, mkdir=True),
    ]
    counts = [cleaned.removed, cleaned.rows_in, cleaned.made]
    removed, rows_in, made = pl.collect_all([*sinks, *counts], engine="streaming")[len(sinks) :]
    # Counted in the files: as queries over the plan, the counts would have it computed once more.
    reasons = pl.scan_parquet(quarantined).group_by("reason").agg(pl.len()).sort("reason").collect()
    return Accounting(
        rows_in=rows_in.item(),
        rows_out=pl.scan_parquet(kept).select(pl.len()).collect().item(),
        quarantined=dict(reasons.iter_rows()),
        removed=dict(removed.sort("reason").iter_rows()),
        made=dict(made.sort("reason").iter_rows()),
    )
