"""Derive: new columns, or new values for old ones, from SQL over the row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from assets.cleaning.errors import StepError
from assets.cleaning.registry import register_step
from assets.cleaning.sql import check_sql, row_expression
from assets.cleaning.step import Step, require_free_names


@register_step("derive")
class Derive(Step):
    """Columns computed from those before the step; they do not see each other.

    Attributes:
        columns: SQL expression of each column. A decimal result becomes a float.
    """

    example: ClassVar[Mapping[str, Any]] = {"columns": {"double": "price * 2", "is_cheap": "price < 5"}}

    columns: dict[str, str] = Field(min_length=1)

    def derives(self, schema: Mapping[str, pl.DataType]) -> Mapping[str, frozenset[str]]:  # noqa: ARG002
        """From the columns that each expression names."""
        return {name: frozenset(row_expression(sql).meta.root_names()) for name, sql in self.columns.items()}

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """Each expression fits the schema."""
        require_free_names(self.columns, "columns")
        for name, sql in self.columns.items():
            try:
                check_sql(sql, schema)
            except StepError as error:
                raise error.within("columns", name) from None

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Compute the columns."""
        derived = frame.with_columns(row_expression(sql).alias(name) for name, sql in self.columns.items())
        # SQL reads `1.5` as a decimal; tables hold floats.
        decimals = [
            name for name, dtype in derived.collect_schema().items() if name in self.columns and dtype.is_decimal()
        ]
        return derived.with_columns(pl.col(decimals).cast(pl.Float64)) if decimals else derived
