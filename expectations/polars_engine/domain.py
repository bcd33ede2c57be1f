"""The rows that an expectation speaks of, and the columns in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from expectations.polars_engine.conditions import row_condition
from expectations.polars_engine.errors import PolarsEngineError, missing_column, unsuitable_type
from expectations.polars_engine.literals import is_number, is_text
from expectations.polars_engine.nulls import without_nan
from expectations.polars_engine.text import as_text

_IGNORE_PAIR = {"both_values_are_missing": "all", "either_value_is_missing": "any", "neither": None}
_IGNORE_LIST = {"all_values_are_missing": "all", "any_value_is_missing": "any", "never": None}


@dataclass(frozen=True)
class Domain:
    """Some rows of a batch.

    Attributes:
        frame: The whole batch, uncollected.
        schema: Its columns and types.
        mask: An expression, never null, that is true for the rows meant; None for all rows.
    """

    frame: pl.LazyFrame
    schema: pl.Schema
    mask: pl.Expr | None

    def column(self, name: str, metric: str = "This expectation") -> Column:
        """One column; its NaN count as missing."""
        if name not in self.schema:
            raise missing_column(name, self.schema)
        return Column(name, without_nan(pl.col(name), self.schema[name]), self.schema[name], self, metric)

    def columns(self, names: Sequence[str], metric: str = "This expectation") -> list[Column]:
        """Several columns."""
        return [self.column(name, metric) for name in names]

    def keep(self, condition: pl.Expr) -> pl.Expr:
        """A condition, restricted to the rows of the domain."""
        return condition if self.mask is None else self.mask & condition

    def rows(self) -> pl.LazyFrame:
        """The rows of the domain as a frame."""
        return self.frame if self.mask is None else self.frame.filter(self.mask)

    def free(self, name: str) -> str:
        """A name like this one that no column of the batch has."""
        while name in self.schema:
            name = f"_{name}"
        return name

    def row_count(self) -> pl.Expr:
        """The number of rows of the domain."""
        return pl.len() if self.mask is None else self.mask.sum()


@dataclass(frozen=True)
class Column:
    """One column in a domain.

    Attributes:
        name: Its name.
        expr: Its values in every row of the batch, NaN as null.
        dtype: Its type.
        domain: The rows meant.
        metric: Who asks, for messages.
    """

    name: str
    expr: pl.Expr
    dtype: pl.DataType
    domain: Domain
    metric: str

    @property
    def values(self) -> pl.Expr:
        """Its values in the domain; null elsewhere, so that every aggregate passes over the other rows."""
        return self.expr if self.domain.mask is None else pl.when(self.domain.mask).then(self.expr)

    @property
    def comparable(self) -> pl.Expr:
        """Its values in every row of the batch, text of every kind as strings."""
        return self.expr.cast(pl.String) if is_text(self.dtype) else self.expr

    @property
    def text(self) -> pl.Expr:
        """Its values as text, written as Python's `str` writes them."""
        self.need_scalar()
        return as_text(self.expr, self.dtype)

    def present(self) -> pl.Expr:
        """The rows of the domain in which it has a value."""
        return self.domain.keep(self.expr.is_not_null())

    def need_scalar(self) -> None:
        """Refuse lists, structs and other values made of values."""
        if self.dtype.is_nested() or self.dtype in (pl.Object, pl.Unknown):
            raise unsuitable_type(self.metric, self.name, self.dtype, "a column of single values")

    def need_number(self) -> None:
        """Refuse what is not a number; booleans count as 0 and 1."""
        if not is_number(self.dtype):
            raise unsuitable_type(self.metric, self.name, self.dtype, "numbers")

    def need_number_or_time(self) -> None:
        """Refuse what has no size."""
        if not (is_number(self.dtype) or self.dtype.is_temporal()):
            raise unsuitable_type(self.metric, self.name, self.dtype, "numbers or moments")

    def need_text(self) -> None:
        """Refuse what is not text."""
        if not is_text(self.dtype):
            raise unsuitable_type(self.metric, self.name, self.dtype, "text")


def domain_of(frame: pl.LazyFrame, schema: pl.Schema, kwargs: Mapping[str, Any]) -> Domain:
    """The domain that GX's domain arguments describe."""
    if kwargs.get("table"):
        raise PolarsEngineError(
            "expect_table_row_count_to_equal_other_table compares two tables; a Polars batch is one, and has no table "
            f"'{kwargs['table']}' in it. Count the other one first, and use expect_table_row_count_to_equal."
        )
    parts = []
    if kwargs.get("row_condition"):
        parts.append(row_condition(kwargs["row_condition"], schema))
    parts.extend(row_condition(each.condition, schema) for each in kwargs.get("filter_conditions") or ())
    missing = _ignored(schema, kwargs)
    if missing is not None:
        parts.append(~missing)
    return Domain(frame, schema, pl.all_horizontal(parts) if parts else None)


def _ignored(schema: pl.Schema, kwargs: Mapping[str, Any]) -> pl.Expr | None:
    rule = kwargs.get("ignore_row_if")
    if rule is None or "column" in kwargs:
        return None
    pair = "column_A" in kwargs
    names = [kwargs["column_A"], kwargs["column_B"]] if pair else kwargs.get("column_list") or []
    rules = _IGNORE_PAIR if pair else _IGNORE_LIST
    if rule not in rules:
        raise PolarsEngineError(f"ignore_row_if cannot be {rule!r}; choose one of {', '.join(rules)}.")
    for name in names:
        if name not in schema:
            raise missing_column(name, schema)
    missing = [without_nan(pl.col(name), schema[name]).is_null() for name in names]
    match rules[rule]:
        case "all":
            return pl.all_horizontal(missing)
        case "any":
            return pl.any_horizontal(missing)
    return None
