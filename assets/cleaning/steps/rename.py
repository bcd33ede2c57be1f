"""Rename: other names for columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from assets.cleaning.errors import StepError
from assets.cleaning.registry import register_step
from assets.cleaning.sql import visible
from assets.cleaning.step import Step, require_columns, require_free_names


@register_step("rename")
class Rename(Step):
    """Columns under new names.

    Attributes:
        columns: the new name of each column.
    """

    example: ClassVar[Mapping[str, Any]] = {"columns": {"price": "amount"}}

    columns: dict[str, str] = Field(min_length=1)

    def derives(self, schema: Mapping[str, pl.DataType]) -> Mapping[str, frozenset[str]]:  # noqa: ARG002
        """Each from the column of the old name."""
        return {new: frozenset({old}) for old, new in self.columns.items()}

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """The old names are there, the new ones are free and differ."""
        require_columns(self.columns, schema, "columns")
        require_free_names(self.columns.values(), "columns")
        after = [self.columns.get(name, name) for name in visible(schema)]
        for name in after:
            if after.count(name) > 1:
                raise StepError(f"two columns would be named '{name}'; choose another name or drop one first")

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Rename the columns."""
        return frame.rename(self.columns)
