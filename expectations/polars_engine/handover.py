"""Rows handed to Great Expectations, which passes them around as pandas frames."""

from __future__ import annotations

import pandas as pd
import polars as pl

# Arrow, by whose way Polars hands its columns over, does not know these.
_NOT_IN_ARROW = (pl.Int128, pl.UInt128)


def as_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """A collected frame as a pandas frame; integers of 128 bits become Python's."""
    wide = [name for name, dtype in frame.schema.items() if isinstance(dtype, _NOT_IN_ARROW)]
    found = frame.with_columns(pl.lit(None, dtype=pl.Int64).alias(name) for name in wide).to_pandas()
    for name in wide:
        found[name] = pd.Series(frame[name].to_list(), dtype=object, index=found.index)
    return found
