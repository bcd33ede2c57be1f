"""SQL expressions of a declaration: read, checked against a schema, and with sums that do not overflow."""

import re
from collections.abc import Mapping

import polars as pl

from assets.labeling.errors import LabelsError, first_line
from foundation.nearest import hint
from foundation.row_only import reads_clock

Schema = Mapping[str, pl.DataType]

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\w+|\S", re.DOTALL)


def read(sql: str, *, subject: str) -> pl.Expr:
    """Read one SQL expression.

    Raises:
        LabelsError: It is not one, or it reads the clock; the message begins with the subject.
    """
    if clock := reads_clock(sql):
        raise LabelsError(
            f"{subject}: {sql!r} reads the clock ({clock}), so labels would depend on when they are made; compare "
            "times of the events."
        )
    try:
        return pl.sql_expr(sql)
    except pl.exceptions.PolarsError as error:
        raise LabelsError(
            f"{subject}: {sql!r} is not an SQL expression that Polars knows: {first_line(error)}"
        ) from None


def explain(error: Exception, expression: pl.Expr, schema: Schema, *, subject: str, shown: str) -> LabelsError:
    """Turn what Polars says of an expression into a message that names the column and the nearest right one."""
    for column in expression.meta.root_names():
        if column not in schema:
            quotes = " (a text stands in single quotes)" if f'"{column}"' in shown else ""
            return LabelsError(f"{subject}: {shown} names the column '{column}'{quotes}; {hint(column, schema)}")
    return LabelsError(f"{subject}: {shown} does not fit the columns: {first_line(error)}")


def type_of(expression: pl.Expr, schema: Schema, *, subject: str, shown: str) -> pl.DataType:
    """The type of an expression over the columns of a schema.

    Raises:
        LabelsError: It does not fit them.
    """
    try:
        return pl.LazyFrame(schema=dict(schema)).select(expression.alias("value")).collect().schema["value"]
    except pl.exceptions.PolarsError as error:
        raise explain(error, expression, schema, subject=subject, shown=shown) from None


def refuse_constant(expression: pl.Expr, schema: Schema, *, subject: str, shown: str) -> None:
    """Refuse an expression that is one value for all units.

    Raises:
        LabelsError: It is.
    """
    # On two rows a vote is two values; an aggregate is one, which would be repeated for every unit without a word.
    two_rows = pl.DataFrame({column: pl.Series([None, None], dtype=kind) for column, kind in schema.items()})
    try:
        height = two_rows.select(expression.alias("value")).height
    except Exception:  # noqa: BLE001 - somebody's own code may not bear nulls alone; the real rows will tell
        return
    if height != two_rows.height:
        raise LabelsError(f"{subject}: {shown} is one value for all units; refer to each unit's own columns.")


def exact_sums(sql: str, schema: Schema, *, of_no_events: bool = False) -> str:
    """Rewrite every `sum(...)` so that conditions and integers are added as 64 bits.

    Without it, Polars sums conditions as unsigned 32 bits, so that `sum(a) - sum(b)` wraps around below zero. The sum
    of no values stays null, as in SQL: what nobody knows is not 0.

    Args:
        sql: An aggregate.
        schema: The columns of the events.
        of_no_events: Write the value for where there is no event at all. The sum of a condition is a count, and that
            is known to be 0 then; the sum of a quantity is null.

    >>> exact_sums("sum(kind = 'view') / count(*)", {"kind": pl.String()})
    "sum(cast((kind = 'view') as bigint)) / count(*)"
    """
    tokens = list(_TOKEN.finditer(sql))
    written, position, index = "", 0, 0
    while index < len(tokens) - 1:
        if tokens[index].group().lower() != "sum" or tokens[index + 1].group() != "(":
            index += 1
            continue
        last = _closing(tokens, index + 1)
        if last is None:
            break
        inner = sql[tokens[index + 1].end() : tokens[last].start()]
        end = last
        # FILTER belongs to the sum; OVER would make a window of it, which is no aggregate and is refused elsewhere.
        if last + 2 < len(tokens) and tokens[last + 1].group().lower() == "filter":
            end = _closing(tokens, last + 2) or last
        tail = sql[tokens[last].end() : tokens[end].end()]
        written += sql[position : tokens[index].start()] + _exact_sum(inner, tail, schema, of_no_events=of_no_events)
        position = tokens[end].end()
        index = end + 1
    return written + sql[position:]


def _closing(tokens: list[re.Match[str]], opening: int) -> int | None:
    depth = 0
    for index in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[index].group(), 0)
        if depth == 0:
            return index
    return None


def _exact_sum(inner: str, tail: str, schema: Schema, *, of_no_events: bool) -> str:
    distinct = re.match(r"\s*distinct\b", inner, re.IGNORECASE)
    value = inner[distinct.end() :] if distinct else inner
    keyword = "distinct " if distinct else ""
    try:
        kind = pl.LazyFrame(schema=dict(schema)).select(pl.sql_expr(value)).collect_schema().dtypes()[0]
    except pl.exceptions.PolarsError:
        return f"sum({inner}){tail}"  # the check of the whole expression says what is wrong with it
    if kind == pl.Boolean or kind.is_integer():
        added = f"sum({keyword}cast(({value.strip()}) as bigint)){tail}"
        return f"coalesce({added}, 0)" if of_no_events and kind == pl.Boolean else added
    return f"sum({inner}){tail}"
