"""Reject: rows that meet a condition go to quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl

from assets.cleaning.errors import StepError
from assets.cleaning.registry import register_step
from assets.cleaning.sql import check_sql, row_expression
from assets.cleaning.step import FATE, REJECT, Reason, Step, flag


@register_step("reject")
class Reject(Step):
    """Rows for which a condition is true. Where it is null, because a column is, the row stays.

    Attributes:
        when: the condition, in SQL.
        reason: what quarantine and the account call it.
    """

    example: ClassVar[Mapping[str, Any]] = {"when": "price <= 0", "reason": "free"}

    flags_rows: ClassVar[bool] = True

    when: str
    reason: Reason

    @property
    def reasons(self) -> Mapping[str, str]:
        """The declared one."""
        return {self.reason: self.when}

    def derives(self, schema: Mapping[str, pl.DataType]) -> Mapping[str, frozenset[str]]:  # noqa: ARG002
        """Which rows are rejected comes from the columns of the condition."""
        return {REJECT: FATE | {*row_expression(self.when).meta.root_names()}}

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """The condition fits the schema and is true or false."""
        try:
            dtype = check_sql(self.when, schema)
        except StepError as error:
            raise error.within("when") from None
        if dtype != pl.Boolean:
            raise StepError(
                f"SQL `{self.when}` gives {dtype}, but `when` must be true or false; compare it with something",
                ["when"],
            )

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Flag the rows."""
        return frame.with_columns(flag(row_expression(self.when).fill_null(value=False), REJECT, self.reason))
