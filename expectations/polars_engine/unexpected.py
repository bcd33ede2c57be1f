"""Rows that do not meet an expectation: how many there are, and the first of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from expectations.polars_engine.bundle import Aggregate, Query, Work
from expectations.polars_engine.domain import Column, Domain

# Columns that are added to a batch, under a name that it does not have.
ROW = "__row"
FLAG = "__unexpected"


class Unexpected(Protocol):
    """The unexpected rows of one expectation, planned and not yet looked for."""

    @property
    def domain(self) -> Domain:
        """The rows that the expectation speaks of."""

    def count(self) -> Work:
        """How many there are."""

    def first(self, limit: int, columns: Sequence[str]) -> pl.LazyFrame:
        """The first of them in the batch's order: the columns asked for, after their row numbers.

        The row numbers are the column `domain.free(ROW)`.
        """


@dataclass(frozen=True)
class RowWise:
    """Rows that can be told by themselves.

    Attributes:
        domain: The rows meant.
        expr: True for the unexpected rows of the domain, false for all other rows of the batch.
    """

    domain: Domain
    expr: pl.Expr

    def count(self) -> Work:
        """One expression among the suite's others."""
        return Aggregate(self.domain.frame, (self.expr.sum(),), int)

    def first(self, limit: int, columns: Sequence[str]) -> pl.LazyFrame:
        """A filter that stops as soon as it has enough."""
        row = self.domain.free(ROW)
        return self.domain.frame.with_row_index(row).filter(self.expr).select(row, *columns).head(limit)


@dataclass(frozen=True)
class InOrder:
    """Rows that are told by the present value before them.

    Attributes:
        column: The column whose values are compared.
        wrong: From (value, value before it) to true where the value is unexpected.
    """

    column: Column
    wrong: Callable[[pl.Expr, pl.Expr], pl.Expr]

    @property
    def domain(self) -> Domain:
        """The rows meant."""
        return self.column.domain

    def _flagged(self, columns: Sequence[str]) -> pl.LazyFrame:
        row, value = self.domain.free(ROW), self.column.expr
        present = self.domain.frame.with_row_index(row).filter(self.column.present())
        wrong = self.wrong(value, value.shift(1)).fill_null(value=False)
        return present.select(row, *columns, wrong.alias(self.domain.free(FLAG)))

    def count(self) -> Work:
        """A query of its own, since the rows between are left out first."""
        flags = self._flagged(()).select(pl.col(self.domain.free(FLAG)).sum())
        return Query(flags, lambda found: int(found.item()))

    def first(self, limit: int, columns: Sequence[str]) -> pl.LazyFrame:
        """A filter that stops as soon as it has enough."""
        flag = self.domain.free(FLAG)
        return self._flagged(columns).filter(pl.col(flag)).drop(flag).head(limit)
