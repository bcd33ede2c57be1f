"""Parquet files whose row groups are sized for sharded reading."""

import math
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

# Divisible by 2, 3, 4, 6 and 8 workers: each reads as many row groups as the others, and nobody's rows are left over.
_GROUPS_MULTIPLE = 24
_LARGEST = 65_536


def row_group_rows(rows: int) -> int:
    """Return the rows of each of the nearly equal row groups of so many rows."""
    groups = _GROUPS_MULTIPLE * max(1, math.ceil(rows / (_GROUPS_MULTIPLE * _LARGEST)))
    return max(1, math.ceil(rows / groups))


def write_row_groups(frames: Iterable[pl.DataFrame], path: Path, *, group_rows: int | None = None) -> int:
    """Write frames of one schema, in order, as one file; return its rows.

    Holds one frame and less than one row group at a time.

    Args:
        frames: At least one, which may be empty.
        path: The file.
        group_rows: Rows of each row group, whatever the frames; None for a row group a frame.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer: pq.ParquetWriter | None = None
    waiting: pa.Table | None = None
    written = 0
    try:
        for frame in frames:
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema, compression="zstd", write_statistics=False)
            waiting = table if waiting is None else pa.concat_tables([waiting, table])
            size = group_rows or max(1, waiting.num_rows)
            whole = waiting.num_rows - waiting.num_rows % size
            if whole:
                writer.write_table(waiting.slice(0, whole).combine_chunks(), row_group_size=size)
                written += whole
            waiting = waiting.slice(whole)
        if writer is not None and waiting is not None and waiting.num_rows:
            writer.write_table(waiting.combine_chunks(), row_group_size=group_rows)
            written += waiting.num_rows
    finally:
        if writer is not None:
            writer.close()
    return written
