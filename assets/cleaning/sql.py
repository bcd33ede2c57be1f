"""SQL over the columns of one row, checked against the schema before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from assets.cleaning.errors import StepError
from foundation.nearest import hint
from foundation.row_only import beyond_row, reads_clock


def row_expression(sql: str) -> pl.Expr:
    """The expression of some SQL.

    Raises:
        StepError: it is no SQL expression.
    """
    try:
        return pl.sql_expr(sql)
    except pl.exceptions.PolarsError as error:
        raise StepError(
            f"SQL `{sql}` cannot be read: {_first_line(error)}; write one expression, such as `price > 0`"
        ) from None


def check_sql(sql: str, schema: Mapping[str, pl.DataType]) -> pl.DataType:
    """The type of some SQL over a row.

    Args:
        sql: one expression.
        schema: the columns that it may use.

    Raises:
        StepError: it is no SQL, names a column that is not there, compares what cannot be compared, or looks beyond
            its row.
    """
    expression = row_expression(sql)
    if clock := reads_clock(sql):
        raise StepError(
            f"SQL `{sql}` reads the clock ({clock}), so its result would depend on when days are cleaned; compare "
            "columns of the row, such as `crawled_at`"
        )
    if culprit := beyond_row(expression):
        raise StepError(
            f"SQL `{sql}` looks beyond its row, or may, through {culprit}, so its result would depend on how days are "
            "batched; use plain functions of the row's own columns"
        )
    for name in expression.meta.root_names():
        if name not in schema:
            raise StepError(f"SQL `{sql}` uses column '{name}', which is not there; {hint(name, visible(schema))}")
    try:
        # Types are checked when rows are evaluated, not when a schema is asked for.
        result = pl.DataFrame(schema=dict(schema)).clear(1).select(expression.alias("result"))
    except pl.exceptions.PolarsError as error:
        raise StepError(f"SQL `{sql}` does not fit the types of its columns: {_first_line(error)}") from None
    return result.schema["result"]


def visible(schema: Mapping[str, pl.DataType]) -> list[str]:
    """The columns that a declaration may name: working columns are not among them."""
    return [name for name in schema if not name.startswith("__")]


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0].strip()
