"""A hash that is the same on every machine and with every version of Polars.

Polars promises a stable `hash` within one version only, and an out-of-vocabulary bucket, a token's number and a drawn
negative must survive an upgrade, or a published model would read other rows of its embedding tables. This one is
defined here: a polynomial over the UTF-8 bytes modulo 2^64, finished by splitmix64 (Steele, Lea and Flood, "Fast
splittable pseudorandom number generators", OOPSLA 2014), computed on Arrow buffers without a loop over rows.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

HASH_NAME: Final = "polynomial-splitmix64-1"
"""Recorded beside every vocabulary: a change of the function below must change this name."""

UInt64Array: TypeAlias = npt.NDArray[np.uint64]
"""Hash values."""

_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15 | 1)
_ROWS_AT_ONCE: Final = 1 << 16


def mix(values: UInt64Array) -> UInt64Array:
    """Return the splitmix64 output function of each value: every input bit reaches every output bit."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _powers(count: int) -> UInt64Array:
    powers = np.full(count, _MULTIPLIER, dtype=np.uint64)
    if count:
        powers[0] = 1
    return np.multiply.accumulate(powers, dtype=np.uint64)


def _hash_chunk(data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> UInt64Array:
    lengths = np.diff(ends)
    # A byte's place is counted from the start of its own string.
    places = np.arange(ends[0], ends[-1]) - np.repeat(ends[:-1], lengths)
    terms = (data[ends[0] : ends[-1]].astype(np.uint64) + np.uint64(1)) * _powers(int(lengths.max(initial=0)))[places]
    # Differences of a wrapping running sum are exact, and cope with empty strings.
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(terms, dtype=np.uint64)])
    starts = ends - ends[0]
    return mix((sums[starts[1:]] - sums[starts[:-1]]) ^ (lengths.astype(np.uint64) << np.uint64(48)))


def hash_strings(values: pl.Series) -> UInt64Array:
    """Return the hash of each string; a null has the hash of no string, 0."""
    array: Any = pa.array(values.to_arrow(compat_level=pl.CompatLevel.oldest()), type=pa.large_string())
    hashes = np.zeros(len(array), dtype=np.uint64)
    if len(array) == 0:
        return hashes
    buffers = array.buffers()
    ends = np.frombuffer(buffers[1], dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(buffers[2] or b"", dtype=np.uint8)
    for start in range(0, len(array), _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, len(array))
        hashes[start:stop] = _hash_chunk(data, ends[start : stop + 1])
    if values.null_count():
        hashes[values.is_null().to_numpy()] = 0
    return hashes


def _hash_series(values: pl.Series) -> UInt64Array:
    if values.dtype == pl.String:
        return hash_strings(values)
    physical = values.to_physical()
    if not physical.dtype.is_integer():
        raise TypeError(f"Column '{values.name}' is {values.dtype}: only text, integers and times have a stable hash.")
    return mix(physical.fill_null(0).to_numpy().astype(np.uint64))


def combine(columns: Sequence[pl.Series], seed: int) -> UInt64Array:
    """Return one hash a row of several columns, in their order, under a seed."""
    state = mix(np.full(len(columns[0]), seed % (1 << 64), dtype=np.uint64))
    for column in columns:
        state = mix(state * _MULTIPLIER ^ _hash_series(column))
    return state


def stable_hash(*columns: str, seed: int = 0) -> pl.Expr:
    """Return an expression: the UInt64 hash of text, integer or time columns under a seed.

    Element by element, so that neither the order of rows nor how they are batched matters.
    """
    return pl.struct(*columns).map_batches(
        lambda rows: pl.Series(rows.name, combine(rows.struct.unnest().get_columns(), seed), dtype=pl.UInt64),
        return_dtype=pl.UInt64,
        is_elementwise=True,
    )


def bucket(column: str, buckets: int) -> pl.Expr:
    """Return an expression: the bucket (Int32, 0 … buckets-1) of each text of a column."""
    return (stable_hash(column) % buckets).cast(pl.Int32)


def hash_tokens(words: pl.Series, buckets: int) -> pl.Series:
    """Return the numbers 1 … buckets-1 of each list of words: List(Int32), null for null; 0 stays free for padding."""
    hashed = words.explode(empty_as_null=False, keep_nulls=False)
    numbers = (hash_strings(hashed) % np.uint64(buckets - 1)).astype(np.int32) + np.int32(1)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(words.list.len().fill_null(0).to_numpy())])
    rows: Any = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(numbers, type=pa.int32()))
    lists = pl.Series(words.name, rows)
    return (
        lists if words.null_count() == 0 else lists.zip_with(words.is_not_null(), pl.Series([None], dtype=lists.dtype))
    )
