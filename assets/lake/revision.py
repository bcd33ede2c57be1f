"""Whether two contents of one partition hold the same rows, whatever the order in which they were written.

A digest says what content derives from. A run that is told to do everything again may come to other rows all the same,
from the same inputs: because a library computes differently, or a fault was mended without raising a version. Such
content gets a revision beside its digest, so that whoever reads it sees that it has changed. When the rows are the same
there is nothing to see, and nothing that depends on them is made again.
"""

import polars as pl

_HALF = 1 << 32
_SEEDS = (1, 2)


def same_rows(first: pl.LazyFrame, second: pl.LazyFrame) -> bool:
    """Say whether two frames hold the same rows, each as often, in any order.

    Rows are compared by two 64-bit hashes that are added up, so the memory does not grow with the rows. Both frames are
    hashed here and now by the same Polars, whose hash is stable within one version only.

    Args:
        first: A frame.
        second: Another one.
    """
    schema, other = first.collect_schema(), second.collect_schema()
    if dict(schema) != dict(other):
        return False
    sums = pl.collect_all(
        [_sums(first.select(sorted(schema))), _sums(second.select(sorted(schema)))], engine="streaming"
    )
    return sums[0].equals(sums[1])


def _sums(frame: pl.LazyFrame) -> pl.LazyFrame:
    hashes = {seed: pl.struct(pl.all()).hash(seed) for seed in _SEEDS}
    # In halves: a sum of 64-bit numbers would run over.
    halves = [
        half.sum().alias(f"{seed}_{name}")
        for seed, hashed in hashes.items()
        for name, half in (("low", hashed % _HALF), ("high", hashed // _HALF))
    ]
    return frame.select(pl.len(), *halves)
