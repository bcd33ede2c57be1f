"""Rows that do not meet an expectation: how many there are, and the first of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from expectations.polars_engine.bundle import Aggregate, Query, Work
from expectations.polars_engine.domain import Column, Domain

ROW = "__row"


class Unexpected(Protocol):
    """The unexpected rows of one expectation, planned and not yet looked for."""

    @property
    def domain(self) -> Domain:
        """The rows that the expectation speaks of."""

    def count(self) -> Work:
        """How many there are."""

    def first(self, limit: int, columns: Sequence[str]) -> pl.LazyFrame:
        """The first of them in the batch's order: their row numbers (`__row`) and the columns asked for."""


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
        return self.domain.frame.with_row_index(ROW).filter(self.expr).select(ROW, *columns).head(limit)


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
        present = self.domain.frame.with_row_index(ROW).filter(self.column.present())
        value = self.column.expr
        return present.select(
            ROW, *columns, self.wrong(value, value.shift(1)).fill_null(value=False).alias("__unexpected")
        )

    def count(self) -> Work:
        """A query of its own, since the rows between are left out first."""
        return Query(self._flagged(()).select(pl.col("__unexpected").sum()), lambda found: int(found.item()))

    def first(self, limit: int, columns: Sequence[str]) -> pl.LazyFrame:
        """A filter that stops as soon as it has enough."""
        return self._flagged(columns).filter("__unexpected").drop("__unexpected").head(limit)
