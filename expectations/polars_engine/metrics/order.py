"""Values that rise or fall from row to row."""

from __future__ import annotations

from expectations.polars_engine.domain import Column
from expectations.polars_engine.providers import column_map_metric
from expectations.polars_engine.unexpected import InOrder


@column_map_metric("column_values.increasing", keys=("strictly",))
def increasing(column: Column, *, strictly: bool | None = None) -> InOrder:
    """Expected: no less than the value before; when strictly, more."""
    column.need_number_or_time()
    return InOrder(column, lambda value, before: value <= before if strictly else value < before)


@column_map_metric("column_values.decreasing", keys=("strictly",))
def decreasing(column: Column, *, strictly: bool | None = None) -> InOrder:
    """Expected: no more than the value before; when strictly, less."""
    column.need_number_or_time()
    return InOrder(column, lambda value, before: value >= before if strictly else value > before)
