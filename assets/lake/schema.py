"""Which Polars types a Delta table can hold, what the others become, and how a table's schema may grow."""

import datetime as dt

import polars as pl
from polars.datatypes import DataTypeClass

from assets.lake.errors import SchemaChangeError, UnstorableTypeError

PARTITION = "date"

_AS_THEY_ARE = (
    pl.Boolean,
    pl.Int8,
    pl.Int16,
    pl.Int32,
    pl.Int64,
    pl.Float32,
    pl.Float64,
    pl.String,
    pl.Binary,
    pl.Date,
    pl.Decimal,
)
# Delta has no unsigned integers and no dictionaries; the next wider signed type holds every value. UInt64 has none:
# its values above 2**63 - 1 are an error when they occur.
_AS_ANOTHER: dict[type[pl.DataType], pl.DataType] = {
    pl.UInt8: pl.Int16(),
    pl.UInt16: pl.Int32(),
    pl.UInt32: pl.Int64(),
    pl.UInt64: pl.Int64(),
    pl.Float16: pl.Float32(),
    pl.Categorical: pl.String(),
    pl.Enum: pl.String(),
}
_ADVICE: dict[type[pl.DataType], str] = {
    pl.Null: "the column holds only nulls and has no type yet: cast it to the type it is meant to have",
    pl.Duration: "store a number instead, for example `.dt.total_microseconds()`",
    pl.Time: "store a text or a number instead, for example `.dt.to_string()`",
    pl.Int128: "cast it to Int64, Decimal or String",
    pl.UInt128: "cast it to Int64, Decimal or String",
    pl.Object: "Python objects have no columnar form: make it a text, a number or a struct",
}
_WIDENING = (
    (pl.Int8, pl.Int16, pl.Int32, pl.Int64),
    (pl.Float32, pl.Float64),
)


def stored_schema(schema: pl.Schema, table: str) -> pl.Schema:
    """Return the schema that a table has after a frame of this schema was written to it, without `date`.

    Unsigned integers become the next wider signed ones (UInt64 becomes Int64, and a value that does not fit is an
    error), Categorical and Enum become String, Array becomes List, Float16 becomes Float32, and datetimes of any time
    zone and unit become microseconds in UTC: the same instants, cut to the microsecond.

    Raises:
        UnstorableTypeError: A column has a type that Delta does not have; the message names it and what to do.
    """
    names = [name for name in schema if name != PARTITION]
    if not names:
        raise UnstorableTypeError(
            f"Table {table!r}: the frame has no columns besides {PARTITION!r}; a table needs one."
        )
    folded: dict[str, str] = {PARTITION: PARTITION}
    for name in names:
        if (twin := folded.setdefault(name.casefold(), name)) != name:
            raise UnstorableTypeError(
                f"Table {table!r}: columns {twin!r} and {name!r} differ in case only, which Delta readers cannot tell "
                "apart; rename one."
            )
    return pl.Schema({name: _stored(schema[name], name, table) for name in names})


def _stored(dtype: pl.DataType, column: str, table: str) -> pl.DataType:
    match dtype:
        case pl.Datetime():
            if dtype.time_zone is None:
                raise UnstorableTypeError(
                    f"Table {table!r}: column {column!r} is a datetime without a time zone; say which instants it "
                    "means, for example with `.dt.replace_time_zone('UTC')`."
                )
            return pl.Datetime("us", "UTC")
        case pl.List() | pl.Array():
            return pl.List(_stored(_as_instance(dtype.inner), column, table))
        case pl.Struct():
            return pl.Struct(
                {
                    field.name: _stored(_as_instance(field.dtype), f"{column}.{field.name}", table)
                    for field in dtype.fields
                }
            )
        case _ if isinstance(dtype, _AS_THEY_ARE):
            return dtype
    kind = type(dtype)
    if kind in _AS_ANOTHER:
        return _AS_ANOTHER[kind]
    advice = _ADVICE.get(kind, "cast it to a type that Delta tables have")
    raise UnstorableTypeError(
        f"Table {table!r}: column {column!r} is {dtype}, which Delta tables do not have; {advice}."
    )


def _as_instance(dtype: pl.DataType | DataTypeClass) -> pl.DataType:
    return dtype if isinstance(dtype, pl.DataType) else dtype()


def as_stored(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """Select the columns of a stored schema, each cast to its stored type."""
    return frame.select(pl.col(name).cast(dtype, strict=True) for name, dtype in schema.items())


def widened(schema: pl.Schema, existing: pl.Schema) -> pl.Schema:
    """Return a schema with narrower numbers widened to the types that the table already has."""
    return pl.Schema(
        {
            name: existing[name] if name in existing and _widens(dtype, existing[name]) else dtype
            for name, dtype in schema.items()
        }
    )


def _widens(narrow: pl.DataType, wide: pl.DataType) -> bool:
    return any(
        type(narrow) in family and type(wide) in family and family.index(type(narrow)) < family.index(type(wide))
        for family in _WIDENING
    )


def merged(existing: pl.Schema, new: pl.Schema, *, table: str, day: dt.date) -> pl.Schema:
    """Return the table's schema after new data: old columns first, new ones after them, `date` last.

    Columns that the new data lacks stay, and are null for its day; columns that it adds are null for the other days.

    Raises:
        SchemaChangeError: A column changes its type.
    """
    for name, dtype in new.items():
        if name in existing and existing[name] != dtype:
            raise SchemaChangeError(
                f"Table {table!r}: column {name!r} is {existing[name]} in the table but {dtype} in the new data of "
                f"{day}. Cast it to {existing[name]} in a step, or write it under a new name, or delete the table's "
                "folder and backfill every day with the new type."
            )
    folded = {name.casefold(): name for name in existing}
    for name in new:
        if (twin := folded.get(name.casefold(), name)) != name:
            raise SchemaChangeError(
                f"Table {table!r}: new column {name!r} of {day} and the table's column {twin!r} differ in case only; "
                f"rename it to {twin!r} or to something else."
            )
    together = {**existing, **new}
    together.pop(PARTITION, None)
    return pl.Schema({**together, PARTITION: pl.Date()})
