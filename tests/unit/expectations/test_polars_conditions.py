"""Row conditions of every form keep the rows that pandas' engine keeps, or say why they cannot."""

from __future__ import annotations

import datetime as dt
import warnings

import polars as pl
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column as Row

    import expectations.polars_engine  # noqa: F401

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

FRAME = pl.DataFrame(
    {
        "key": [1, 2, 3, 4, 5, 6],
        "n": [1, 2, None, 2, 5, 9],
        "s": ["x", "y", "x", None, "zz", "o'b"],
        "a b": [1, 2, 3, 4, 5, 6],
        "f": [1.5, float("nan"), 2.0, 3.0, 4.0, None],
        "d": [dt.datetime(2020, 1, day) for day in range(1, 7)],  # noqa: DTZ001 - a column without a zone
        "b": [True, False, True, True, False, False],
    }
)
OBJECTS = [
    Row("n") > 2,
    Row("n") != 2,
    (Row("n") > 1) & (Row("s") == "zz"),
    ((Row("n") > 1) & (Row("key") < 5)) | Row("s").is_null(),
    Row("n").is_in([1, 2]),
    Row("n").is_not_in([1, 2]),
    Row("s").is_in([]),
    Row("a b") > 3,
    Row("d") > "2020-01-03",
    Row("f").is_not_null(),
    Row("f") != 2,
    Row("b") == True,  # noqa: E712 - a condition object
]
QUERIES = [
    "n > 2",
    "n > 2 & key < 6",
    "n > 2 and key < 6 | s == 'x'",
    "~(n > 2)",
    "not n > 2",
    "1 < n < 6",
    "'2020-01-03' < d",
    "s in ['x', 'y']",
    "s not in ['x']",
    "`a b` > 3",
    "n.isnull()",
    "n.notna() and b",
    "n + key > 6",
    "key % 2 == 0",
    "n.isin([1, 2])",
    "n.between(2, 5)",
    "s.str.contains('z')",
    "s.str.startswith('x') or s.str.len() > 1",
    "-n < -2",
    "n.abs() > 2",
]


def kept(judged, frame, condition):
    parser = "pandas" if isinstance(condition, str) else None
    nothing = gxe.ExpectColumnValuesToBeInSet(
        column="key", value_set=[0], row_condition=condition, condition_parser=parser
    )
    result = judged(nothing, frame)
    assert "unexpected_list" in result.result, result
    return result.result["unexpected_list"]


@pytest.mark.parametrize("condition", [*OBJECTS, *QUERIES], ids=str)
def test_rows_are_those_that_pandas_keeps(judged, condition):
    assert kept(judged, FRAME, condition) == kept(judged, FRAME.to_pandas(), condition)


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("n > 2 AND s = 'zz'", [5]),
        ("n is null", [3]),
        ("n BETWEEN 2 AND 5 OR s LIKE 'o%'", [2, 4, 5, 6]),
        ('"a b" > 3', [4, 5, 6]),
        ("length(s) > 1", [5, 6]),
        ("d > '2020-01-03'", [4, 5, 6]),
        ("s = 'o''b'", [6]),
        ("NOT b", [2, 5, 6]),
    ],
)
def test_sql_is_understood(judged, condition, rows):
    expectation = gxe.ExpectColumnValuesToBeInSet(column="key", value_set=[0], row_condition=condition)
    assert judged(expectation, FRAME).result["unexpected_list"] == rows


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("nn > 1", "There is no column 'nn' in the frame; did you mean 'n'?"),
        ("nn > 1 AND n > 2", "There is no column 'nn' in the frame; did you mean 'n'?"),
        ("n >", "neither in pandas' query style nor SQL"),
        ("1", "is a constant; it must say something of a column"),
        ("n", "gives Int64 and not true or false; compare it"),
        ("s.str.zfill(3) == 'x'", "uses 's.str.zfill(3)', which is not supported; write it in SQL"),
        ("n > (SELECT 1)", "cannot be evaluated: 'Expr: .subplan"),
        ("s > 1", "of type String cannot be compared with 1 (int); give a value of the column's type"),
        ("n is s", "uses 'n is s', which is not supported"),
    ],
)
def test_what_is_no_condition_says_so(judged, error_of, condition, message):
    expectation = gxe.ExpectColumnValuesToNotBeNull(column="key", row_condition=condition)
    assert message in error_of(judged(expectation, FRAME))
