"""Objects with declared fields, such as the items of an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import polars as pl

from crawlers.contract.types.reading import read_column
from crawlers.contract.types.registry import COLUMN_TYPES, ColumnType, Fault, Kind, Typed
from foundation.located import LocatedError

if TYPE_CHECKING:
    from crawlers.contract.column import Column


class StructType(ColumnType):
    """Objects; `fields` says what is kept of them, each field as a column of its own would be."""

    describes = "An object, of which `fields` are kept; in a list, one for each row that `explode` makes."
    example = '{"a": "1"}'
    kinds: ClassVar[frozenset[Kind]] = frozenset({"nested"})
    options = frozenset({"fields"})
    noun = "an object"

    def dtype(self, column: Column) -> pl.DataType:
        """Struct of the types of its fields."""
        return pl.Struct({name: field.declared_dtype for name, field in column.fields.items()})

    def read(self, texts: pl.Series, column: Column) -> Typed:
        """The objects; a fault of a field is one of its record."""
        # Placement has written each field as a JSON text, so that nothing is lost on the way.
        held = texts.is_not_null()
        index = held.arg_true()
        decoded = texts.gather(index).str.json_decode(pl.Struct(dict.fromkeys(column.fields, pl.String())))
        values: list[pl.Series] = []
        faults: list[Fault] = []
        empty = pl.repeat(None, len(texts), dtype=pl.Boolean, eager=True).fill_null(value=False)
        for name, field in column.fields.items():
            read = read_column(decoded.struct.field(name), field)
            values.append(read.values.alias(name))
            for fault in read.faults:
                rows = empty.scatter(index.filter(fault.rows), values=True)
                faults.append(Fault(rows, fault.reason, f"field {name}: {fault.detail}"))
        places = pl.select(pl.when(held).then(held.cum_sum() - 1)).to_series()
        objects = pl.DataFrame(values).to_struct(texts.name).gather(places)
        return Typed(objects, faults)

    def check(self, column: Column) -> None:
        """There must be fields, of plain values, and none personal by itself."""
        if not column.fields:
            raise LocatedError("a struct needs `fields`, which say what is kept of it", ["fields"])
        if column.pii == "hash":
            raise LocatedError("a struct is not hashed; declare its personal field as a column of its own", ["pii"])
        for name, field in column.fields.items():
            if field.pii is not None:
                raise LocatedError(
                    f"field '{name}' has `pii`, which is for columns; declare it as a column of its own with `from`, "
                    "or mark the whole column",
                    ["fields", name, "pii"],
                )


COLUMN_TYPES.register("struct", StructType())
