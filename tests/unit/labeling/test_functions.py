"""Labelling functions become votes, and say which of them is wrong, and how."""

import sys

import polars as pl
import pytest

from assets.labeling import LabelsError, LabelsSpec, votes

UNITS = pl.LazyFrame({"item": ["a", "b", "c", "d"], "n": [0, 1, None, 5]})

MODULE = """
import polars as pl

THRESHOLD = 3

def by_name():
    return pl.when(pl.col("n") > THRESHOLD).then(pl.lit("liked")).when(pl.col("n") == 0).then(pl.lit("ignored"))

def by_index():
    return pl.when(pl.col("n") > THRESHOLD).then(2).otherwise(None)

def snorkel_habit():
    return pl.when(pl.col("n") > 0).then(1).otherwise(-1)

def of_the_declaration(spec):
    return pl.when(pl.col("n") == 1).then(pl.lit(spec.labels[1]))

def categories():
    return by_name().otherwise(None).cast(pl.Categorical)

def silent():
    return pl.lit(None)

def wrong_label():
    return pl.when(pl.col("n") > 0).then(pl.lit("likd"))

def wrong_index():
    return pl.when(pl.col("n") > 0).then(7)

def label_as_column():
    return pl.when(pl.col("n") > 0).then("liked")

def wrong_column():
    return pl.when(pl.col("m") > 0).then(pl.lit("liked"))

def boolean():
    return pl.col("n") > 0

def aggregate():
    return pl.when(pl.col("n").sum() > 0).then(pl.lit("liked"))

def not_an_expression():
    return lambda row: 1

def sees_rows(row, other):
    return 1

def broken():
    raise KeyError("threshold")
"""


@pytest.fixture(autouse=True)
def _module(tmp_path, monkeypatch):
    (tmp_path / "shop_functions.py").write_text(MODULE)
    (tmp_path / "broken_functions.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("shop_functions", None)


def declared(*functions) -> LabelsSpec:
    return LabelsSpec.model_validate(
        {
            "name": "taste",
            "from": "events",
            "unit": "item",
            "labels": ["ignored", "seen", "liked"],
            "functions": functions,
            "method": "majority_vote",
        }
    )


def python(name: str) -> LabelsSpec:
    return declared({"name": "f", "python": f"shop_functions:{name}"})


def test_sql_votes_where_true_and_abstains_on_false_and_null():
    spec = declared(
        {"name": "f", "vote": "seen", "when": "n > 0"}, {"name": "g", "vote": "ignored", "when": "not n > 0"}
    )
    got = votes(UNITS, spec).collect()
    assert got["vote_f"].to_list() == [-1, 1, -1, 1]
    assert got["vote_g"].to_list() == [0, -1, -1, -1]
    assert got.schema["vote_f"] == pl.Int8


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("by_name", [0, -1, -1, 2]),
        ("by_index", [-1, -1, -1, 2]),
        ("snorkel_habit", [-1, 1, -1, 1]),
        ("of_the_declaration", [-1, 1, -1, -1]),
        ("categories", [0, -1, -1, 2]),
        ("silent", [-1, -1, -1, -1]),
    ],
)
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_python_function_votes(name, expected, engine):
    got = votes(UNITS, python(name)).collect(engine=engine)
    assert got["vote_f"].to_list() == expected
    assert got.schema["vote_f"] == pl.Int8


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("shop_functions:wrong_label", "gives 'likd', which is no label; did you mean 'liked'"),
        ("shop_functions:wrong_index", "gives 7, which is no index of a label; they go from 0 to 2"),
        ("shop_functions:label_as_column", r"reads 'liked' as a column.*pl.lit\('liked'\)"),
        ("shop_functions:wrong_column", "names the column 'm'; known are: item, n"),
        ("shop_functions:boolean", "gives Boolean, neither a label's name nor its index; return pl.when"),
        ("shop_functions:aggregate", "is one value for all units"),
        ("shop_functions:not_an_expression", "returns function; it must return one Polars expression"),
        ("shop_functions:sees_rows", "takes row, other; it returns an expression and sees no row"),
        ("shop_functions:broken", "fails with KeyError: 'threshold'"),
        ("shop_functions:by_nam", "has no function 'by_nam'; did you mean 'by_name'"),
        ("shop_functions:THRESHOLD", "is no function but int"),
        ("shop_function:by_name", "module 'shop_function' cannot be imported: No module named 'shop_function'"),
        ("broken_functions:f", "cannot be imported: No module named 'not_installed_anywhere'"),
    ],
)
def test_wrong_python_function_names_itself_and_the_fix(place, message):
    with pytest.raises(LabelsError, match=rf"Labels 'taste', labelling function 'f'.*{message}"):
        votes(UNITS, declared({"name": "f", "python": place})).collect()
