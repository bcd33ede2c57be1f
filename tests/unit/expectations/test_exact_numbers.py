"""Decimals are held against bounds as written, integers against integers."""

from decimal import Decimal

import polars as pl
import pytest

from expectations.gate import parse_gate, run_gate

LONG = 2**53 + 1


def met(values, dtype, kind, **bounds):
    frame = pl.LazyFrame({"x": pl.Series(values, dtype=dtype)})
    gate = parse_gate([{kind: {"column": "x", **bounds}}])
    return run_gate(gate, frame, name="numbers", partition="2026-01-05", docs_dir=None).passed


@pytest.mark.parametrize(
    ("kind", "bound"),
    [
        ("expect_column_min_to_be_between", 0.1),
        ("expect_column_max_to_be_between", 0.3),
        ("expect_column_sum_to_be_between", 0.6),
        ("expect_column_mean_to_be_between", 0.2),
        ("expect_column_median_to_be_between", 0.2),
    ],
)
def test_a_decimal_equals_the_bound_that_is_written_like_it(kind, bound):
    values = [Decimal("0.10"), Decimal("0.20"), Decimal("0.30")]
    decimal = pl.Decimal(10, 2)
    assert met(values, decimal, kind, min_value=bound, max_value=bound if "mean" not in kind else 0.21)
    assert not met(values, decimal, kind, min_value=bound + 0.01)
    assert not met(values, decimal, kind, max_value=bound - 0.01)


@pytest.mark.parametrize("kind", ["values", "min", "max", "sum"])
@pytest.mark.parametrize("value", [LONG, 2**63 - 1, -(2**63), -LONG])
def test_long_integers_are_compared_as_integers(kind, value):
    kind = f"expect_column_{kind}_to_be_between"
    assert met([value], pl.Int64, kind, min_value=value, max_value=value)
    assert not met([value], pl.Int64, kind, max_value=value - 1)
    assert not met([value], pl.Int64, kind, min_value=value + 1)


def test_a_fraction_is_between_the_integers_beside_it():
    kind = "expect_column_values_to_be_between"
    assert met([LONG], pl.Int64, kind, max_value=float(LONG + 1))
    assert met([2], pl.Int64, kind, max_value=2.5)
    assert not met([3], pl.Int64, kind, max_value=2.5)
    assert met([1], pl.Int64, kind, max_value=float("inf"))


def test_the_mean_of_long_integers_is_held_against_the_nearest_float():
    assert met([2**63 - 1], pl.Int64, "expect_column_mean_to_be_between", min_value=2**63 - 1, max_value=2**63 - 1)
