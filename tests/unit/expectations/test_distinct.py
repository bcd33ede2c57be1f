"""Duplicates and distinct values: exact, in shares, through hashes that collide, in the batch's order."""

from __future__ import annotations

import warnings

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from expectations.polars_engine import distinct
    from expectations.polars_engine.distinct import Duplicated, Keys
    from expectations.polars_engine.domain import Domain
    from expectations.polars_engine.unexpected import ROW

VALUES = {
    pl.Int64(): st.integers(-3, 3),
    pl.UInt64(): st.integers(2**63 - 1, 2**63 + 2),
    pl.Float64(): st.sampled_from([0.0, -0.0, 1.5, float("nan")]),
    pl.String(): st.sampled_from(["", "a", "b", "ab"]),
    pl.Categorical(): st.sampled_from(["a", "b"]),
    pl.Boolean(): st.booleans(),
    pl.Decimal(5, 1): st.sampled_from([1, 2, 3]),
}


@st.composite
def frames(draw) -> pl.DataFrame:
    size = draw(st.integers(0, 30))
    column = {
        f"c{number}": pl.Series([draw(st.none() | value) for _ in range(size)], dtype=dtype)
        for number, (dtype, value) in enumerate(VALUES.items())
    }
    return pl.DataFrame(column)


def keys_of(frame: pl.DataFrame, names: list[str]) -> Keys:
    domain = Domain(frame.lazy(), frame.schema, None)
    return Keys(tuple(domain.columns(names)), drop_missing=len(names) == 1)


@settings(max_examples=60, deadline=None)
@given(
    frame=frames(),
    names=st.lists(st.sampled_from([f"c{n}" for n in range(len(VALUES))]), min_size=1, max_size=3, unique=True),
)
def test_duplicates_are_those_of_a_plain_count(frame, names):
    plain = frame.with_columns(pl.col(pl.Float64).fill_nan(None)).with_row_index(ROW)
    if len(names) == 1:
        plain = plain.filter(pl.col(names[0]).is_not_null())
    counted = plain.with_columns(n=pl.len().over(names))
    keys = keys_of(frame, names)
    assert keys.duplicated_rows() == counted.filter(pl.col("n") > 1).height
    assert keys.repetition().distinct == plain.select(names).n_unique()
    if keys.duplicated_rows():
        found = Duplicated(keys_of(frame, names)).first(5, []).collect()[ROW].to_list()
        assert found == counted.filter(pl.col("n") > 1)[ROW].head(5).to_list()


@pytest.mark.parametrize("words", [7, 1000])
@pytest.mark.parametrize("small_set", [0, 1000])
def test_shares_and_slices_find_the_same(monkeypatch, words, small_set):
    monkeypatch.setattr(distinct, "WORDS_AT_ONCE", words)
    monkeypatch.setattr(distinct, "KEYS_AT_ONCE", words)
    monkeypatch.setattr(distinct, "SMALL_SET", small_set)
    monkeypatch.setattr(distinct, "SLICE", 9)
    frame = pl.DataFrame({"s": [f"k{n % 40}" for n in range(60)], "n": [n % 40 for n in range(60)]})
    for names in (["s"], ["n"], ["s", "n"]):
        keys = keys_of(frame, names)
        assert (keys.duplicated_rows(), keys.repetition().distinct) == (40, 40)
        first = Duplicated(keys).first(25, names).collect()
        assert first[ROW].to_list() == [*range(20), 40, 41, 42, 43, 44]
        assert first[names[0]].to_list()[:2] == frame[names[0]].to_list()[:2]


def test_keys_whose_hashes_collide_are_told_apart(monkeypatch):
    # Every key has one of two hashes.
    monkeypatch.setattr(Keys, "word", property(lambda self: self.columns[0].expr.str.len_chars().cast(pl.UInt64) % 2))
    frame = pl.DataFrame({"s": ["a", "bb", "c", "dd", "a", "eee"]})
    assert keys_of(frame, ["s"]).duplicated_rows() == 2


def test_a_mask_leaves_rows_out():
    frame = pl.DataFrame({"n": [1, 1, 2, 2], "on": [True, False, True, True]})
    domain = Domain(frame.lazy(), frame.schema, pl.col("on"))
    keys = Keys((domain.column("n"),))
    assert keys.duplicated_rows() == 2
    assert Duplicated(keys).first(9, ["n"]).collect()[ROW].to_list() == [2, 3]
