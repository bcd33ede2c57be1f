"""Medians and quantiles of columns too long to be held are those of the whole column."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from expectations.polars_engine import ranks
from expectations.polars_engine.ranks import Ranks

SHARES = [0.0, 0.001, 0.25, 0.5, 0.77, 0.999, 1.0]
RANDOM = np.random.default_rng(3)
LONG = {
    "numbers": RANDOM.normal(size=30_001),
    "few values": RANDOM.integers(0, 4, 30_000),
    "one value": np.full(5_000, 7),
    "sorted": np.arange(20_000),
    "periodic": np.tile([1.0, 2.0, 3.0, 1000.0], 7_500),
    "heavy tail": RANDOM.pareto(0.3, size=25_000),
}


def ranked(values):
    return Ranks(pl.LazyFrame({"x": values}), "x", len(values))


@pytest.fixture(autouse=True)
def small_samples(monkeypatch):
    monkeypatch.setattr(ranks, "SAMPLE", 500)


@pytest.mark.parametrize("values", LONG.values(), ids=LONG.keys())
@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_quantiles_are_those_of_the_whole_column(values, interpolation):
    expected = pl.Series(values).to_pandas().quantile(SHARES, interpolation=interpolation)
    found = ranked(values).quantile(SHARES, interpolation=interpolation)
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-15)
    assert found.index.tolist() == SHARES


@pytest.mark.parametrize("values", LONG.values(), ids=LONG.keys())
def test_the_median_is_that_of_the_whole_column(values):
    assert ranked(values).median() == pl.Series(values).to_pandas().median()


def test_moments_keep_their_precision():
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    moments = pl.Series([start + dt.timedelta(microseconds=7 * n) for n in range(20_001)])
    assert ranked(moments).median().to_pydatetime() == start + dt.timedelta(microseconds=7 * 10_000)


def test_a_sample_that_misleads_costs_another_pass_and_no_exactness(monkeypatch):
    # What the sample never sees: one value in a thousand, all below the others.
    values = np.concatenate([np.zeros(40), np.arange(1, 40_000)])
    monkeypatch.setattr(ranks, "DEVIATIONS", 0)
    shares = [0.0005, 0.5, 0.9]
    expected = pl.Series(values).to_pandas().quantile(shares)
    assert ranked(values).quantile(shares).tolist() == pytest.approx(expected.tolist(), rel=1e-15)


def test_a_gate_uses_them_for_long_columns(monkeypatch):
    from expectations.gate import parse_gate, run_gate

    values = LONG["numbers"]
    gate = parse_gate(
        [
            {"expect_column_median_to_be_between": {"column": "x", "min_value": -9}},
            {"expect_column_values_to_not_be_outliers": {"column": "x"}},
        ]
    )
    frame = pl.LazyFrame({"x": [*values, None, float("nan")]})
    whole = run_gate(gate, frame, name="t", partition="p").results
    monkeypatch.setattr(ranks, "VALUES_AT_ONCE", 1000)
    assert run_gate(gate, frame, name="t", partition="p").results == whole
