"""SQL over the columns of one row, checked against the schema before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from assets.cleaning.errors import StepError
from foundation.nearest import hint


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
    for name in expression.meta.root_names():
        if name not in schema:
            raise StepError(f"SQL `{sql}` uses column '{name}', which is not there; {hint(name, visible(schema))}")
    try:
        # Types are checked when rows are evaluated, not when a schema is asked for.
        result = pl.DataFrame(schema=dict(schema)).clear(1).select(expression.alias("result"))
    except pl.exceptions.PolarsError as error:
        raise StepError(f"SQL `{sql}` does not fit the types of its columns: {_first_line(error)}") from None
    if _looks_beyond_its_row(expression, schema):
        raise StepError(
            f"SQL `{sql}` looks beyond its row (an aggregate or a window), so its result would depend on how days are "
            "batched; use the columns of the row only",
        )
    return result.schema["result"]


def _looks_beyond_its_row(expression: pl.Expr, schema: Mapping[str, pl.DataType]) -> bool:
    """Whether rows give something else together than one by one.

    Found by trying: Polars knows of an expression from SQL whether it is row by row, but not of every one.
    """
    numbers = pl.Series([3, 1, 4, 1, 5, 9, 2, 6])
    columns = [_sample(numbers, dtype).alias(name) for name, dtype in schema.items()]
    frame = pl.DataFrame(columns)
    try:
        together = frame.select(expression.alias("result"))
        singly = pl.concat([frame[row].select(expression.alias("result")) for row in range(frame.height)])
    except pl.exceptions.PolarsError:
        # The values do not suit it (text that is no number, perhaps), which says nothing of rows.
        return False
    # A constant is one value, whatever the rows.
    if together.height == 1 and not expression.meta.root_names():
        together = pl.concat([together] * frame.height)
    return not together.equals(singly)


def _sample(numbers: pl.Series, dtype: pl.DataType) -> pl.Series:
    if dtype == pl.String:
        return numbers.cast(pl.String)
    if dtype == pl.Boolean:
        return numbers > 2
    return numbers.cast(dtype, strict=False)


def visible(schema: Mapping[str, pl.DataType]) -> list[str]:
    """The columns that a declaration may name: working columns are not among them."""
    return [name for name in schema if not name.startswith("__")]


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0].strip()
