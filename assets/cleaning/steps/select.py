"""Select: only these columns go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl

from assets.cleaning.registry import register_step
from assets.cleaning.step import WORKING, ColumnNames, Step, require_columns


@register_step("select")
class Select(Step):
    """The columns to keep, in this order.

    Attributes:
        columns: their names.
    """

    example: ClassVar[Mapping[str, Any]] = {"columns": ["event_id", "user_id"]}

    columns: ColumnNames

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """The columns are there."""
        require_columns(self.columns, schema, "columns")

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Keep the columns."""
        return frame.select(*dict.fromkeys(self.columns), *WORKING)
