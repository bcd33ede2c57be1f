"""File statistics for the Delta log, read from Parquet footers: they let readers skip files."""

import contextlib
import datetime as dt
from typing import Any

import polars as pl

# Delta's own default: statistics of the first 32 columns.
_COLUMNS = 32
# No texts: the log outlives the data, and must not hold personal values. No floats: a NaN is in no Parquet statistic,
# yet readers count it as the largest value and would skip a file that holds it.
_WITH_BOUNDS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Date, pl.Datetime)


def file_statistics(footer: Any, schema: pl.Schema) -> dict[str, object]:
    """Return Delta's statistics of one Parquet file.

    Args:
        footer: Its `pyarrow.parquet.FileMetaData`.
        schema: Its schema, as stored.
    """
    nulls: dict[str, int] = {}
    smallest: dict[str, object] = {}
    largest: dict[str, object] = {}
    positions = {footer.schema.column(index).path: index for index in range(footer.num_columns)}
    for name, dtype in list(schema.items())[:_COLUMNS]:
        if name not in positions or dtype.is_nested() or not footer.num_row_groups:
            continue
        groups = [footer.row_group(group).column(positions[name]) for group in range(footer.num_row_groups)]
        if not all(group.is_stats_set and group.statistics.has_null_count for group in groups):
            continue
        counts = [int(group.statistics.null_count) for group in groups]
        nulls[name] = sum(counts)
        if not isinstance(dtype, _WITH_BOUNDS):
            continue
        filled = [group for group, count in zip(groups, counts, strict=True) if count < group.num_values]
        if filled and all(group.statistics.has_min_max for group in filled):
            # Days beyond the years 1 to 9999 are valid in Parquet, but Python has no value for them.
            with contextlib.suppress(OverflowError, ValueError):
                bounds = (
                    _as_json(min(group.statistics.min for group in filled), up=False),
                    _as_json(max(group.statistics.max for group in filled), up=True),
                )
                smallest[name], largest[name] = bounds
    return {"numRecords": footer.num_rows, "nullCount": nulls, "minValues": smallest, "maxValues": largest}


def _as_json(value: object, *, up: bool) -> object:
    if isinstance(value, dt.datetime):
        # Delta keeps milliseconds: bounds are rounded outwards, so that no value lies outside them.
        cut = value.replace(microsecond=value.microsecond // 1000 * 1000)
        if up and cut != value:
            cut += dt.timedelta(milliseconds=1)
        return cut.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{cut.microsecond // 1000:03d}Z"
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
