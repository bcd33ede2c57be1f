"""Values and records that occur once."""

from __future__ import annotations

from collections.abc import Sequence

from expectations.polars_engine.bundle import Work
from expectations.polars_engine.distinct import Duplicated, Keys
from expectations.polars_engine.domain import Column
from expectations.polars_engine.providers import column_aggregate_metric, column_map_metric, multicolumn_map_metric


@column_map_metric("column_values.unique")
def unique(column: Column) -> Duplicated:
    """Expected: a value that no other row has."""
    return _duplicated(Keys((column,)))


@multicolumn_map_metric("compound_columns.unique")
def compound_unique(columns: Sequence[Column]) -> Duplicated:
    """Expected: a record that no other row has; missing values equal each other."""
    # A column named twice adds nothing to a key.
    return _duplicated(Keys(tuple({column.name: column for column in columns}.values()), drop_missing=False))


def _duplicated(keys: Keys) -> Duplicated:
    # The word is planned now, so that a column without words fails by itself.
    keys.domain.frame.select(keys.word).collect_schema()
    return Duplicated(keys)


@column_aggregate_metric("column.distinct_values.count")
def distinct_count(column: Column) -> Work:
    """How many different values there are."""
    return Keys((column,)).distinct_count()
