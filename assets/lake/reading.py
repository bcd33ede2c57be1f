"""Reading a table: exactly the files that the log names, for the asked days only."""

import datetime as dt
from collections.abc import Sequence

import polars as pl
from deltalake import DeltaTable

from assets.lake.publication import published_days, published_schema
from assets.lake.schema import PARTITION

# What another writer of the same table may have stored differently, and reads the same all the same.
_CASTS = pl.ScanCastOptions(
    integer_cast="upcast",
    float_cast="upcast",
    datetime_cast=["nanosecond-downcast", "convert-timezone"],
    missing_struct_fields="insert",
    extra_struct_fields="ignore",
)


def scan_table(
    delta: DeltaTable,
    *,
    uri: str,
    storage_options: dict[str, str] | None,
    start: dt.date | None,
    end: dt.date | None,
) -> pl.LazyFrame:
    """Return the rows of an opened table from a first to a last day, both included.

    Days are chosen before anything is opened, so the cost does not grow with the history. `pl.scan_delta` is not used
    for Sluice's own tables: it cannot open a lake whose path holds a space.
    """
    if delta.protocol().reader_features:  # written by something else, with features such as deletion vectors
        frame = pl.scan_delta(delta, storage_options=storage_options)
        if start is not None:
            frame = frame.filter(pl.col(PARTITION) >= start)
        return frame if end is None else frame.filter(pl.col(PARTITION) <= end)
    schema = published_schema(delta)
    paths = [
        f"{uri}/{path}"
        for day, published in published_days(delta).items()
        if (start is None or day >= start) and (end is None or day <= end)
        for path in published.files
    ]
    if not paths:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(
        paths,
        glob=False,
        schema=pl.Schema({name: dtype for name, dtype in schema.items() if name != PARTITION}),
        hive_partitioning=True,
        hive_schema={PARTITION: pl.Date()},
        missing_columns="insert",
        extra_columns="ignore",
        cast_options=_CASTS,
        storage_options=storage_options,
    ).select(schema.names())


def scan_files(uris: Sequence[str], day: dt.date, storage_options: dict[str, str] | None) -> pl.LazyFrame:
    """Return the rows of files of one day that the log does not name, with the column `date`."""
    frame = pl.scan_parquet(list(uris), storage_options=storage_options, hive_partitioning=False, glob=False)
    return frame.with_columns(pl.lit(day, dtype=pl.Date).alias(PARTITION))
