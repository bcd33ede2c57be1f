"""Units: one row for each thing that gets a label, with what its events add up to."""

from collections.abc import Mapping, Sequence

import polars as pl

from assets.labeling.errors import LabelsError
from assets.labeling.spec import PREVIOUS, TIME, LabelsSpec
from assets.labeling.sql import Schema, exact_sums, explain, read
from foundation.nearest import hint


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
        aggregate gives for no events (0 for counts, also for those by `sum` of a condition; else null). The values
        depend on neither the order of the events nor the number of threads nor the engine, to the last bit.

    Raises:
        LabelsError: A column or an aggregate does not fit the events, or `history` is missing or not declared.
    """
    schema = events.collect_schema()
    aggregates = aggregate_expressions(spec, schema)
    unit = list(spec.unit)
    first = {TIME: pl.col(spec.time).min()}
    frame = _grouped(events, unit, {**first, **aggregates}, time=spec.time).sort(unit)
    if spec.history is None:
        if history is not None:
            raise LabelsError(f"Labels '{spec.name}': a history was given, and none is declared; declare `history`.")
        return frame
    if history is None:
        raise LabelsError(f"Labels '{spec.name}': `history` is declared, so the events of the days before are needed.")
    by = list(spec.history.by)
    relevant = history.join(frame.select(by).unique(), on=by, how="semi")
    past = _grouped(relevant, by, {PREVIOUS + name: value for name, value in aggregates.items()}, time=spec.time)
    nothing = pl.DataFrame(schema=schema).select(
        pl.sql_expr(exact_sums(sql, schema, of_no_events=True)).alias(name) for name, sql in spec.aggregate.items()
    )
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
            raise spec.fail(
                f"the {what} '{column}' is no column of '{spec.from_}'; {hint(column, schema)}", what.split()[0]
            )
    aggregates = {}
    for name, sql in spec.aggregate.items():
        try:
            aggregates[name] = _aggregate(spec, name, sql, schema)
        except LabelsError as error:
            raise error.within("aggregate", name) from None
    return aggregates


def _aggregate(spec: LabelsSpec, name: str, sql: str, schema: Schema) -> pl.Expr:
    subject = f"Labels '{spec.name}', aggregate '{name}'"
    expression = read(sql, subject=subject)
    try:
        expression = pl.sql_expr(exact_sums(sql, schema))
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


def _grouped(events: pl.LazyFrame, by: Sequence[str], values: Mapping[str, pl.Expr], *, time: str) -> pl.LazyFrame:
    aggregates = [value.alias(name) for name, value in values.items()]
    schema = events.collect_schema()
    columns = sorted({column for value in values.values() for column in value.meta.root_names()})
    ordered = any(schema[column].is_float() for column in columns) or in_order(values)
    if not ordered:
        return events.group_by(by).agg(aggregates)
    # Floats add up to other last bits in another order, and the first value means the first in time. Polars' optimiser
    # drops a sort before a sum, and its streaming engine adds in the order in which threads finish, so this step is
    # taken as a whole, outside of both.
    order = list(dict.fromkeys([*by, time, *columns]))
    grouped = pl.LazyFrame(schema=schema).group_by(by).agg(aggregates).collect_schema()

    def group(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.sort(order).group_by(by, maintain_order=True).agg(aggregates)

    return events.select(order).map_batches(group, schema=grouped)


def in_order(values: Mapping[str, pl.Expr]) -> bool:
    """Whether aggregates ask which event comes first or last."""
    return any(word in str(value).lower() for value in values.values() for word in ("first", "last"))
