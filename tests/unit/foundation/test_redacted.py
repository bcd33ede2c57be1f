"""What an error tells of itself, and what of the data it does not repeat."""

import doctest
import json

import polars as pl
import pytest
from pydantic import BaseModel

from foundation import redacted
from foundation.located import LocatedError
from foundation.redacted import frames_of, without_values

SECRET = "ann-4711@shop.example"


class Model(BaseModel):
    age: int


def raised(work):
    with pytest.raises(Exception) as caught:
        work()
    return caught.value


@pytest.mark.parametrize(
    "work",
    [
        lambda: int(SECRET),
        lambda: {"a": 1}[SECRET],
        lambda: json.loads(f'{{"a": {SECRET}'),
        lambda: bytes([255]).decode(),
        lambda: Model(age=SECRET),
        lambda: pl.DataFrame({"price": [SECRET]}).select(pl.col("price").cast(pl.Float64)),
        lambda: pl.LazyFrame({"price": [SECRET, "1"]}).select(pl.col("price").str.to_date("%Y")).collect(),
        lambda: pl.DataFrame({"price": [SECRET]}).select(pl.col("price").str.json_decode(pl.Struct({"a": pl.Int64}))),
        lambda: (_ for _ in ()).throw(RuntimeError(f"row {SECRET} is wrong")),
    ],
)
def test_no_error_repeats_a_value(work):
    error = raised(work)
    told = without_values(error)
    assert told.startswith(type(error).__name__)
    assert SECRET not in told
    assert SECRET not in frames_of(error).replace("lambda", "")


def test_what_names_a_column_is_told():
    told = without_values(raised(lambda: pl.DataFrame({"price": ["x"]}).select(pl.col("price").cast(pl.Float64))))
    assert "'price'" in told
    assert "`f64`" in told


def test_errors_of_our_own_and_of_the_system_are_told_whole():
    assert without_values(LocatedError("column 'a' is not there; did you mean 'b'?")) == (
        "LocatedError: column 'a' is not there; did you mean 'b'?"
    )
    assert "/nowhere/at all" in without_values(raised(lambda: open("/nowhere/at all")))  # noqa: PTH123, SIM115


def test_examples_in_the_documentation_hold():
    assert doctest.testmod(redacted).failed == 0
