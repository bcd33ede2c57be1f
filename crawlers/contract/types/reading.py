"""From the texts of a column to its values: type, required, allowed values and bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crawlers.contract.types.registry import COLUMN_TYPES, Fault, Typed

if TYPE_CHECKING:
    from crawlers.contract.column import Column

_DETAIL_LENGTH = 300


def read_column(texts: pl.Series, column: Column) -> Typed:
    """The values of a column, and what is wrong with the others.

    Args:
        texts: as served (String), null where the record has no value.
        column: its declaration.

    Returns:
        Values of `column.declared_dtype`, and the faults in the order in which a record is judged by them.
    """
    if column.null_values:
        blank = texts.is_in(column.null_values)
        if blank.any():
            texts = pl.select(pl.when(~blank).then(texts)).to_series().alias(texts.name)
    faults: list[Fault] = []
    if column.required and texts.null_count():
        faults.append(Fault(texts.is_null(), "missing_required", "no value, though the column is required"))
    typed = COLUMN_TYPES[column.type].read(texts, column)
    return Typed(typed.values, [*faults, *typed.faults, *_not_allowed(typed.values, column)])


def _not_allowed(values: pl.Series, column: Column) -> list[Fault]:
    faults = []
    if column.one_of is not None:
        allowed = values.is_in(pl.Series(column.one_of, dtype=values.dtype).implode()) | values.is_null()
        if not allowed.all():
            listed = f"allowed are {', '.join(map(str, column.one_of))}"[:_DETAIL_LENGTH]
            faults.append(Fault(~allowed, "not_allowed", listed))
    low, high = column.bounds
    if low is not None and (below := (values < low).fill_null(value=False)).any():
        faults.append(Fault(below, "out_of_range", f"below the minimum, {column.minimum}"))
    if high is not None and (above := (values > high).fill_null(value=False)).any():
        faults.append(Fault(above, "out_of_range", f"above the maximum, {column.maximum}"))
    return faults
