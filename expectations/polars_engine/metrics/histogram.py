"""How many values fall between the edges of a partition of the range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from expectations.polars_engine.bundle import Aggregate, Query, Work
from expectations.polars_engine.domain import Column
from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.providers import column_aggregate_metric


@column_aggregate_metric("column.histogram", keys=("bins",))
def histogram(column: Column, bins: Sequence[float]) -> Work:
    """Counts between neighbouring edges, each with its lower edge; the last with its upper edge too."""
    column.need_number()
    edges = np.asarray(bins, dtype=np.float64)
    if np.isnan(edges).all():
        # Edges that GX has drawn from a column without values.
        return Aggregate(column.domain.frame, (pl.len(),), lambda _: [0] * (len(edges) - 1))
    if len(edges) < 2 or np.any(np.diff(edges) < 0):
        raise PolarsEngineError(f"{column.metric} on '{column.name}': bins must be two or more ascending numbers.")
    values = column.expr.cast(pl.Float64)
    inside = column.present() & (values >= edges[0]) & (values <= edges[-1])

    def place(chunk: pl.Series) -> pl.Series:
        found = np.searchsorted(edges, chunk.to_numpy(), side="right") - 1
        return pl.Series(chunk.name, found.clip(0, len(edges) - 2), dtype=pl.Int64)

    bin_of = values.map_batches(place, return_dtype=pl.Int64, is_elementwise=True).alias("bin")
    frame = column.domain.frame.filter(inside).select(bin_of).group_by("bin").len("n")

    def finish(found: pl.DataFrame) -> list[int]:
        counts = dict(zip(found["bin"].to_list(), found["n"].to_list(), strict=True))
        return [int(counts.get(number, 0)) for number in range(len(edges) - 1)]

    return Query(frame, finish)
