"""Explode: each element of a list is a row of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import polars as pl

from assets.cleaning.errors import StepError
from assets.cleaning.registry import register_step
from assets.cleaning.sql import visible
from assets.cleaning.step import (
    ACTIVE,
    FATE,
    MADE,
    PART,
    REJECT,
    REMOVE,
    WHOLE,
    Step,
    flag,
    require_columns,
    require_free_names,
)

REASON = "empty_list"
# Parts of parts stay apart: no record has room for so many elements.
_MOST_ELEMENTS = 1 << 20


@register_step("explode")
class Explode(Step):
    """A row for each element of a list, in the list's order; all other columns are repeated.

    Elements that are records become columns, one a field; other elements stay in the list's column. The first element
    takes the row that was there, and each further one is counted as made.

    Attributes:
        column: the list.
        prefix: what the names of the fields are preceded by, where they would meet a column that is there.
        index: a new column (Int64) for the place of the element in its list, from 0; none unless it is named.
        empty: what becomes of a row whose list is empty or null: `keep` it, without an element, or `remove` it.
    """

    example: ClassVar[Mapping[str, Any]] = {"column": "items", "index": "place", "empty": "remove"}

    flags_rows: ClassVar[bool] = True
    makes_rows: ClassVar[bool] = True

    column: str
    prefix: str = ""
    index: str | None = None
    empty: Literal["keep", "remove"] = "keep"

    @property
    def reasons(self) -> Mapping[str, str]:
        """Only one, when rows without an element are removed."""
        return {REASON: f"no element in {self.column}"} if self.empty == "remove" else {}

    def derives(self, schema: Mapping[str, pl.DataType]) -> Mapping[str, frozenset[str]]:
        """Elements, their places and how many rows there are come from the list, unless the row is out."""
        element = _element(schema[self.column])
        new = (
            [self.prefix + field.name for field in element.fields] if isinstance(element, pl.Struct) else [self.column]
        )
        if self.index is not None:
            new.append(self.index)
        listed = FATE | {self.column}
        return {
            **dict.fromkeys(new, listed),
            PART: listed | {PART},
            MADE: listed | {MADE},
            WHOLE: frozenset({*visible(schema), *FATE, WHOLE}),
            **({REMOVE: listed} if self.empty == "remove" else {}),
        }

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """The column is there and holds lists, and the names of what it becomes are free."""
        require_columns([self.column], schema, "column")
        element = _element(schema[self.column])
        if element is None:
            raise StepError(
                f"column '{self.column}' is {schema[self.column]}, not a list; declare it as a list in the contract",
                ["column"],
            )
        fields = [self.prefix + field.name for field in element.fields] if isinstance(element, pl.Struct) else []
        new = [*fields, *([self.index] if self.index is not None else [])]
        require_free_names(new, "index")
        taken = [name for name in visible(schema) if name != self.column or not fields]
        for name in new:
            if name in taken or new.count(name) > 1:
                raise StepError(
                    f"'{name}' of the elements of '{self.column}' would be a column that is there; declare a `prefix`, "
                    "or rename the other"
                )

    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Make the rows."""
        schema = frame.collect_schema()
        element, dtype = _element(schema[self.column]), schema[self.column]
        others = [name for name in visible(schema) if name != self.column]
        elements = pl.col(self.column)
        filled = ACTIVE & (elements.list.len() > 0)
        nothing = pl.lit([None], dtype=dtype)
        places = pl.int_ranges(elements.list.len().cast(pl.Int64))
        # A row that is out keeps its record whole; a list is not one any more.
        whole = pl.when(pl.col(REJECT).is_not_null()).then(pl.struct(*others, self.column)).struct.json_encode()
        frame = frame.with_columns(
            pl.when(filled).then(elements).otherwise(nothing).alias(self.column),
            pl.when(filled).then(places).otherwise(pl.lit([None], dtype=pl.List(pl.Int64))).alias("__place"),
            pl.when(pl.col(REJECT).is_not_null()).then(pl.coalesce(WHOLE, whole)).alias(WHOLE),
            flag(~filled.fill_null(value=False), REMOVE, REASON) if self.empty == "remove" else pl.col(REMOVE),
        ).explode(self.column, "__place")
        frame = frame.with_columns(
            (pl.col(PART) * _MOST_ELEMENTS + pl.col("__place").fill_null(0)).alias(PART),
            pl.when(pl.col("__place") > 0).then(pl.lit(f"exploded_{self.column}")).otherwise(pl.col(MADE)).alias(MADE),
        )
        if self.index is not None:
            frame = frame.with_columns(pl.col("__place").alias(self.index))
        frame = frame.drop("__place")
        if not isinstance(element, pl.Struct):
            return frame
        fields = [
            pl.col(self.column).struct.field(field.name).alias(self.prefix + field.name) for field in element.fields
        ]
        new = [self.prefix + field.name for field in element.fields]
        return frame.with_columns(fields) if self.column in new else frame.with_columns(fields).drop(self.column)


def _element(dtype: pl.DataType) -> pl.DataType | None:
    return dtype.inner if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.DataType) else None
