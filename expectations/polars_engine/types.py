"""`expect_column_values_to_be_of_type` and its kin: GX branches on the engines it knows, so they are told of this one.

A type has Polars' names (`Int64`, `String`, `Datetime`, `Datetime(time_unit='us', time_zone='UTC')`), and the names
that people bring along from pandas, NumPy and Python (`int64`, `str`, `datetime64[us, UTC]`, `float`, `object`).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
from great_expectations.expectations import core

from expectations.polars_engine.errors import PolarsEngineError, missing_column
from expectations.polars_engine.verdict import Judge, Verdict, judge_with

_INTEGERS = ("Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64")
# Names from elsewhere, lower case, to the names of the Polars types that they mean.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "int": _INTEGERS,
    "integer": _INTEGERS,
    "long": ("Int64",),
    "float": ("Float32", "Float64"),
    "float_": ("Float64",),
    "double": ("Float64",),
    "number": (*_INTEGERS, "Float32", "Float64", "Decimal"),
    "str": ("String", "Categorical", "Enum"),
    "str_": ("String",),
    "string": ("String",),
    "text": ("String",),
    "object": ("String", "Object"),
    "object_": ("String", "Object"),
    "utf8": ("String",),
    "category": ("Categorical", "Enum"),
    "categoricaldtype": ("Categorical", "Enum"),
    "categoricaldtypetype": ("Categorical", "Enum"),
    "bool": ("Boolean",),
    "bool_": ("Boolean",),
    "datetime": ("Datetime",),
    "datetime64": ("Datetime",),
    "timestamp": ("Datetime",),
    "datetime64[ns]": ("Datetime",),
    "timedelta": ("Duration",),
    "timedelta64": ("Duration",),
    "timedelta64[ns]": ("Duration",),
    "bytes": ("Binary",),
    "bytes_": ("Binary",),
    "list": ("List", "Array"),
    "dict": ("Struct",),
    **{
        f"{kind}{bits}": (f"{name}{bits}",)
        for kind, name in (("int", "Int"), ("uint", "UInt"))
        for bits in (8, 16, 32, 64)
    },
    "float32": ("Float32",),
    "float64": ("Float64",),
}
POLARS_NAMES = (
    *_INTEGERS, "UInt128", "Float32", "Float64", "Decimal", "Boolean", "String", "Categorical", "Enum", "Binary",
    "Date", "Datetime", "Time", "Duration", "List", "Array", "Struct", "Null", "Object",
)  # fmt: skip


def is_of_type(dtype: pl.DataType, name: str) -> bool:
    """Whether a type bears a name.

    Raises:
        PolarsEngineError: No type bears it.
    """
    plain = name.strip()
    if plain.replace(" ", "") in (str(dtype).replace(" ", ""), repr(dtype).replace(" ", "")):
        return True
    base = str(dtype.base_type())
    if plain in POLARS_NAMES:
        return base == plain
    if plain.lower() in ALIASES:
        return base in ALIASES[plain.lower()]
    if plain.lower().startswith("datetime64[") and plain.endswith("]"):
        unit, _, zone = plain[len("datetime64[") : -1].partition(",")
        return (
            isinstance(dtype, pl.Datetime)
            and dtype.time_unit == unit.strip()
            and dtype.time_zone == (zone.strip() or None)
        )
    by_lower = {known.lower(): known for known in POLARS_NAMES}
    if plain.lower() in by_lower:
        return base == by_lower[plain.lower()]
    if plain.split("(")[0] in POLARS_NAMES:
        # A type with other parameters, such as another time zone.
        return False
    near = difflib.get_close_matches(plain, [*POLARS_NAMES, *ALIASES], n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"the types are: {', '.join(POLARS_NAMES)}."
    raise PolarsEngineError(f"There is no type '{name}'; {hint}")


def _by(argument: str) -> Judge:
    """Judge by the column's type; the argument holds the name that it should have, or several to choose from."""

    def judge(expectation: Any, metrics: dict[str, Any], _: Callable[[Any], Verdict]) -> Verdict:
        known = {entry["name"]: entry["type"] for entry in metrics["table.column_types"]}
        if expectation.column not in known:
            raise missing_column(expectation.column, known)
        dtype, wanted = known[expectation.column], expectation.configuration.kwargs.get(argument)
        names = [wanted] if isinstance(wanted, str) else wanted
        success = names is None or any(is_of_type(dtype, name) for name in names)
        return {"success": success, "result": {"observed_value": str(dtype)}}

    return judge


judge_with(core.ExpectColumnValuesToBeOfType, _by("type_"))
judge_with(core.ExpectColumnValuesToBeInTypeList, _by("type_list"))
judge_with(core.ExpectColumnTypeToBe, _by("type_"))
