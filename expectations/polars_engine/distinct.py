"""Distinct values and duplicates of tens of millions of rows in a bounded amount of memory.

Every row's key becomes one 64-bit word: the value itself where it fits, a hash elsewhere. The words are sorted in
place, a share of them at a time, and equal neighbours are counted. That is exact for numbers and moments, and it
proves uniqueness for everything: as many different hashes as rows means as many different keys. Only when hashes
repeat are the keys themselves compared, and only those of the repeated hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from expectations.polars_engine.bundle import Procedure, Work
from expectations.polars_engine.domain import Column, Domain
from expectations.polars_engine.unexpected import ROW

# Words sorted at once: 256 MB, and as much again while they are handed over.
WORDS_AT_ONCE = 32_000_000
# Repeated keys that are looked for by a set; more are searched for in sorted order, slice by slice.
SMALL_SET = 1_000_000
# Rows whose keys are compared in full at once.
KEYS_AT_ONCE = 4_000_000
SLICE = 1_000_000
WORD = "__word"

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Repetition:
    """What sorting has shown.

    Attributes:
        rows: Rows with a key.
        distinct: Different words.
        repeated_rows: Rows whose word occurs more than once.
        repeated: The words that occur more than once, ascending.
    """

    rows: int
    distinct: int
    repeated_rows: int
    repeated: Words


@dataclass(frozen=True)
class Keys:
    """The keys of the rows of a domain.

    Attributes:
        columns: The columns that make up the key.
        drop_missing: Whether rows in which every one of them is missing have no key.
    """

    columns: tuple[Column, ...]
    drop_missing: bool = True
    _memo: dict[str, Repetition] = field(default_factory=dict, compare=False)

    @property
    def domain(self) -> Domain:
        """The rows meant."""
        return self.columns[0].domain

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for equal work on the same batch."""
        mask = self.domain.mask
        names = tuple(column.name for column in self.columns)
        return (id(self.domain.frame), names, None if mask is None else mask.meta.serialize(), self.drop_missing)

    @cached_property
    def exact(self) -> bool:
        """Whether a word is the key itself and not its hash."""
        dtype = self.columns[0].dtype
        narrow = dtype.is_integer() and dtype not in (pl.Int128, pl.UInt128)
        return len(self.columns) == 1 and (narrow or dtype.is_temporal() or dtype == pl.Boolean)

    @cached_property
    def word(self) -> pl.Expr:
        """One 64-bit word for each row."""
        for column in self.columns:
            column.need_scalar()
        parts = [_canonical(column) for column in self.columns]
        if not self.exact:
            return parts[0].hash(seed=0) if len(parts) == 1 else pl.struct(parts).hash(seed=0)
        dtype = self.columns[0].dtype
        if dtype == pl.UInt64:
            return parts[0]
        return parts[0].to_physical().cast(pl.Int64).reinterpret(signed=False)

    def rows(self) -> pl.LazyFrame:
        """The rows that have a key."""
        rows = self.domain.rows()
        if not self.drop_missing:
            return rows
        return rows.filter(pl.any_horizontal([column.expr.is_not_null() for column in self.columns]))

    def repetition(self) -> Repetition:
        """Sort the words and count; a share of the words at a time when there are many."""
        if "repetition" not in self._memo:
            self._memo["repetition"] = self._count()
        return self._memo["repetition"]

    def _count(self) -> Repetition:
        frame = self.rows().select(self.word.alias(WORD))
        # No fewer than there are; of files it is known without reading them.
        total = int(self.domain.frame.select(pl.len()).collect(engine="streaming").item())
        shares = max(1, -(-total // WORDS_AT_ONCE))
        rows = distinct = repeated_rows = 0
        repeated: list[Words] = []
        for share in range(shares):
            part = frame if shares == 1 else frame.filter(pl.col(WORD) % shares == share)
            # Polars sorts on every core, NumPy on one.
            words = part.collect(engine="streaming")[WORD].sort(in_place=True).to_numpy()
            same = words[1:] == words[:-1]
            twins = int(np.count_nonzero(same))
            rows += len(words)
            distinct += len(words) - twins
            if twins:
                # Of each run, the second word: the first that has an equal one before it.
                second = same.copy()
                second[1:] &= ~same[:-1]
                found = words[1:][second]
                del second
                # Of each run of n equal words, n - 1 have an equal one before them.
                repeated_rows += twins + len(found)
                repeated.append(found)
            del words, same
        known = np.sort(np.concatenate(repeated)) if repeated else np.empty(0, dtype=np.uint64)
        return Repetition(rows, distinct, repeated_rows, known)

    def duplicated_rows(self) -> int:
        """Rows whose key occurs more than once, exactly."""
        found = self.repetition()
        if self.exact or not len(found.repeated):
            return found.repeated_rows
        frame = self.rows().select(self.word.alias(WORD), *self._parts())
        if len(found.repeated) <= SMALL_SET:
            frame = frame.filter(pl.col(WORD).is_in(pl.Series(found.repeated).implode()))
        shares = max(1, -(-found.repeated_rows // KEYS_AT_ONCE))
        return sum(
            self._compare(frame if shares == 1 else frame.filter(pl.col(WORD) % shares == share))
            for share in range(shares)
        )

    def _compare(self, frame: pl.LazyFrame) -> int:
        names = [f"__key{number}" for number in range(len(self.columns))]
        counts = frame.group_by(names).len("__n").filter(pl.col("__n") > 1)
        return int(counts.select(pl.col("__n").sum()).collect(engine="streaming").item())

    def _parts(self) -> list[pl.Expr]:
        return [_canonical(column).alias(f"__key{number}") for number, column in enumerate(self.columns)]

    def distinct_count(self) -> Work:
        """How many different keys there are. Of hashes: of ten million keys, one in 370,000 counts is one short."""
        return Procedure(("repetition", self.identity), lambda: self, lambda keys: keys.repetition().distinct)


def _canonical(column: Column) -> pl.Expr:
    if column.dtype.is_float():
        # Minus zero equals zero.
        return column.expr + 0.0
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        return column.expr.cast(pl.String)
    return column.expr


@dataclass(frozen=True)
class Duplicated:
    """Rows whose key another row has too."""

    keys: Keys

    @property
    def domain(self) -> Domain:
        """The rows meant."""
        return self.keys.domain

    def count(self) -> Work:
        """A procedure: no single row shows whether it is a duplicate."""
        return Procedure(("repetition", self.keys.identity), lambda: self.keys, lambda keys: keys.duplicated_rows())

    def first(self, limit: int, columns: Sequence[str]) -> pl.LazyFrame:
        """By a set of the repeated words, or slice by slice when that set would be large."""
        repeated = self.keys.repetition().repeated
        row, word = self.domain.free(ROW), self.domain.free(WORD)
        named = self.domain.frame.with_row_index(row)
        keyed = Keys(tuple(self._on(named, column) for column in self.keys.columns), self.keys.drop_missing)
        frame = keyed.rows().select(row, *columns, keyed.word.alias(word))
        if len(repeated) <= SMALL_SET:
            return frame.filter(pl.col(word).is_in(pl.Series(repeated).implode())).drop(word).head(limit)
        return self._search(frame, word, repeated, limit)

    @staticmethod
    def _on(frame: pl.LazyFrame, column: Column) -> Column:
        domain = Domain(frame, column.domain.schema, column.domain.mask)
        return Column(column.name, column.expr, column.dtype, domain, column.metric)

    @staticmethod
    def _search(frame: pl.LazyFrame, word: str, repeated: Words, limit: int) -> pl.LazyFrame:
        found: list[pl.DataFrame] = []
        start = 0
        while sum(map(len, found)) < limit:
            part = frame.slice(start, SLICE).collect(engine="streaming")
            if part.is_empty():
                break
            words = part[word].to_numpy()
            places = np.searchsorted(repeated, words).clip(max=len(repeated) - 1)
            found.append(part.filter(pl.Series(repeated[places] == words)))
            start += SLICE
        return pl.concat(found).drop(word).head(limit).lazy()
