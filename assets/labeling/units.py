"""Units: one row for each thing that gets a label, with what its events add up to."""

from collections.abc import Mapping

import polars as pl

from assets.labeling.errors import LabelsError, nearest
from assets.labeling.spec import PREVIOUS, TIME, LabelsSpec
from assets.labeling.sql import Schema, explain, null_safe_sums, read


def units(events: pl.LazyFrame, spec: LabelsSpec, *, history: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Group the events of one day into units.

    Args:
        events: The day's events.
        spec: The declaration.
        history: Events of the days before (see `history_days`), when the declaration has a `history`. Only those that
            share their `history.by` with a unit of the day are aggregated.

    Returns:
        One row a unit, sorted by the unit's columns: these, `time` (its earliest event), the aggregates, and
        `previous_<aggregate>` for each of them where there is a `history`; a unit without a past has there what the
        aggregate gives for no events (0 for counts and sums, else null). Collected by the in-memory engine, as `label`
        does, it depends on the events' values alone, and neither on their order nor on the number of threads: Polars'
        streaming engine adds floats in the order in which its threads finish, and differs in the last bits.

    Raises:
        LabelsError: A column or an aggregate does not fit the events, or `history` is missing or not declared.
    """
    schema = events.collect_schema()
    aggregates = aggregate_expressions(spec, schema)
    unit = list(spec.unit)
    frame = (
        _ordered(events, spec, aggregates, schema)
        .group_by(unit, maintain_order=True)
        .agg(pl.col(spec.time).min().alias(TIME), *(value.alias(name) for name, value in aggregates.items()))
        .sort(unit)
    )
    if spec.history is None:
        if history is not None:
            raise LabelsError(f"Labels '{spec.name}': a history was given, and none is declared; declare `history`.")
        return frame
    if history is None:
        raise LabelsError(f"Labels '{spec.name}': `history` is declared, so the events of the days before are needed.")
    by = list(spec.history.by)
    relevant = history.join(frame.select(by).unique(), on=by, how="semi")
    past = (
        _ordered(relevant, spec, aggregates, schema)
        .group_by(by, maintain_order=True)
        .agg(value.alias(PREVIOUS + name) for name, value in aggregates.items())
    )
    nothing = pl.DataFrame(schema=schema).select(value.alias(name) for name, value in aggregates.items())
    filled = [
        pl.col(PREVIOUS + name).fill_null(pl.lit(nothing[name][0], dtype=nothing.schema[name]))
        for name in aggregates
        if nothing[name][0] is not None
    ]
    return frame.join(past, on=by, how="left", maintain_order="left").with_columns(filled)


def units_schema(spec: LabelsSpec, schema: Schema) -> pl.Schema:
    """Return the columns of the units made from events of a schema.

    Raises:
        LabelsError: A column or an aggregate does not fit.
    """
    events = pl.LazyFrame(schema=dict(schema))
    return units(events, spec, history=events if spec.history else None).collect_schema()


def aggregate_expressions(spec: LabelsSpec, schema: Schema) -> Mapping[str, pl.Expr]:
    """Return the aggregates as expressions, checked against the events' schema."""
    for what, column in (*(("unit column", column) for column in spec.unit), ("time column", spec.time)):
        if column not in schema:
            raise LabelsError(
                f"Labels '{spec.name}': the {what} '{column}' is no column of '{spec.from_}'{nearest(column, schema)}"
            )
    return {name: _aggregate(spec, name, sql, schema) for name, sql in spec.aggregate.items()}


def _aggregate(spec: LabelsSpec, name: str, sql: str, schema: Schema) -> pl.Expr:
    subject = f"Labels '{spec.name}', aggregate '{name}'"
    expression = read(sql, subject=subject)
    try:
        expression = pl.sql_expr(null_safe_sums(sql, schema))
        empty = pl.LazyFrame(schema=dict(schema)).group_by(list(spec.unit)).agg(expression.alias("value"))
        kind = empty.collect().schema["value"]
    except pl.exceptions.PolarsError as error:
        raise explain(error, expression, schema, subject=subject, shown=repr(sql)) from None
    if isinstance(kind, pl.List | pl.Array):
        raise LabelsError(
            f"{subject}: {sql!r} gives a value for each event, not one for the unit; "
            "put it into an aggregate such as sum(...), max(...) or count(*)."
        )
    return expression


def _ordered(events: pl.LazyFrame, spec: LabelsSpec, aggregates: Mapping[str, pl.Expr], schema: Schema) -> pl.LazyFrame:
    columns = sorted({column for value in aggregates.values() for column in value.meta.root_names()})
    ordered = _asks_for_order(spec) or any(schema[column].is_float() for column in columns)
    # Floats add up to different last bits in a different order, and first() and last() mean first and last in time.
    return events.sort(list(dict.fromkeys([spec.time, *columns]))) if ordered else events


def _asks_for_order(spec: LabelsSpec) -> bool:
    """Whether an aggregate asks for the first or the last value."""
    return any(word in sql.lower() for sql in spec.aggregate.values() for word in ("first", "last"))
