"""Lists of values of one type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
import pyarrow as pa

from crawlers.contract.types.reading import read_column
from crawlers.contract.types.registry import COLUMN_TYPES, ColumnType, Fault, Kind, Typed
from foundation.located import LocatedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawlers.contract.column import Column


class ListType(ColumnType):
    """Lists; `items` says of what, and `separator` how they are written where they are written as text."""

    describes = "A list of values, each as `items` says: a JSON array, or a text that `separator` divides."
    example = '["a", "b"]'
    kinds: ClassVar[frozenset[Kind]] = frozenset({"string", "nested"})
    options = frozenset({"items", "separator"})
    noun = "a list"

    def dtype(self, column: Column) -> pl.DataType:
        """List of the type of its elements."""
        return pl.List(_elements(column).declared_dtype)

    def read(self, texts: pl.Series, column: Column) -> Typed:
        """The lists; a fault of an element is one of its record."""
        if column.separator is None:
            # Placement has written each element as a JSON text, so that nothing is lost on the way.
            lists = texts.str.json_decode(pl.List(pl.String))
        else:
            lists = texts.str.split(column.separator)
        lengths = lists.list.len().fill_null(0).to_numpy()
        rows = np.repeat(np.arange(len(lists)), lengths)
        read = read_column(flattened(lists), _elements(column))
        faults = []
        for fault in read.faults:
            hit = np.zeros(len(lists), dtype=bool)
            hit[rows[fault.rows.to_numpy()]] = True
            faults.append(Fault(pl.Series(hit), fault.reason, f"an element: {fault.detail}"))
        return Typed(regrouped(lists, read.values), faults)

    def check(self, column: Column) -> None:
        """A list is one of something other than lists."""
        if column.items is None:
            raise LocatedError("a list needs `items`, which says of what it is, such as {type: string}", ["items"])
        for option in ("source", "pii", "description"):
            if getattr(column.items, option):
                raise LocatedError(
                    f"`{'from' if option == 'source' else option}` is for the column, not for its elements",
                    ["items", option],
                )
        if column.items.type == "struct" and column.pii == "hash":
            raise LocatedError("structs are not hashed; declare their personal field as a list of its own", ["pii"])
        if column.items.type == "list":
            raise LocatedError("a list of lists is not kept; declare its elements as json", ["items", "type"])


def _elements(column: Column) -> Column:
    if column.items is None:
        raise LocatedError("a list needs `items`", ["items"])
    return column.items


def flattened(lists: pl.Series) -> pl.Series:
    """The elements of all lists, one below the other."""
    return lists.filter((lists.list.len() > 0).fill_null(value=False)).explode()


def regrouped(lists: pl.Series, elements: pl.Series) -> pl.Series:
    """Lists as long as others, of other elements.

    Args:
        lists: whose lengths are taken; null stays null.
        elements: as many as `flattened` gives of `lists`.
    """
    lengths = lists.list.len().fill_null(0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    array: Any = pa.LargeListArray
    array = array.from_arrays(
        pa.array(offsets), elements.rechunk().to_arrow(), mask=pa.array(lists.is_null().to_numpy())
    )
    return pl.Series(lists.name, pl.from_arrow(array), dtype=pl.List(elements.dtype))


def mapped(lists: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Lists with each element changed."""
    return regrouped(lists, change(flattened(lists)))


COLUMN_TYPES.register("list", ListType())
