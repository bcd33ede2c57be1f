"""The hash is pinned: published vocabularies and drawn negatives depend on its values."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from foundation.stable_hash import HASH_NAME, bucket, hash_strings, hash_tokens, stable_hash

WORDS = ["", "a", "b", "ab", "ba", "aa", "naïve", "日本", "a" * 3000]


def test_values_are_pinned_with_the_name_of_the_hash():
    assert HASH_NAME == "polynomial-splitmix64-1"
    found = hash_strings(pl.Series(["", "a", "item-17", "naïve"])).tolist()
    assert found == PINNED
    row = pl.DataFrame({"u": ["u1"], "n": [-3], "t": [datetime(2024, 1, 1, tzinfo=UTC)]})
    assert row.select(stable_hash("u", "n", "t", seed=7)).item() == PINNED_ROW


PINNED = [16294208416658607535, 3097690853653120715, 2370868001559480822, 10062346313211472425]
PINNED_ROW = 1482881104587468224


def test_it_is_the_polynomial_that_it_says():
    def mix(value):
        value = (value + 0x9E3779B97F4A7C15) % 2**64
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
        return value ^ value >> 31

    def reference(text):
        data = text.encode()
        total = sum((byte + 1) * 0x9E3779B97F4A7C15**place for place, byte in enumerate(data)) % 2**64
        return mix(total ^ len(data) << 48)

    assert hash_strings(pl.Series(WORDS)).tolist() == [reference(word) for word in WORDS]


def test_different_texts_differ_and_the_order_of_letters_and_columns_matters():
    assert len(set(hash_strings(pl.Series(WORDS)).tolist())) == len(WORDS)
    frame = pl.DataFrame({"a": ["x"], "b": ["y"]})
    hashes = frame.select(
        ab=stable_hash("a", "b"), ba=stable_hash("b", "a"), seeded=stable_hash("a", "b", seed=1), a=stable_hash("a")
    ).row(0)
    assert len(set(hashes)) == 4


def test_a_row_hashes_alike_whatever_stands_around_it():
    words = pl.Series("w", [f"word-{i}-{'é' * (i % 7)}" for i in range(70_000)])
    frame = words.to_frame()
    whole = frame.select(stable_hash("w"))["w"]
    sliced = pl.concat([frame.slice(i, 9_999) for i in range(0, 70_000, 9_999)], rechunk=False)
    assert sliced.select(stable_hash("w"))["w"].equals(whole)
    assert frame[::-1].select(stable_hash("w"))["w"].equals(whole[::-1])
    assert frame.lazy().select(stable_hash("w")).collect(engine="streaming")["w"].equals(whole)
    assert hash_strings(words[69_990:]).tolist() == hash_strings(words)[69_990:].tolist()


def test_nulls_and_empty_frames_are_no_special_case():
    assert hash_strings(pl.Series(["a", None, "b"], dtype=pl.String))[1] == 0
    assert hash_strings(pl.Series([None, None], dtype=pl.String)).tolist() == [0, 0]
    assert hash_strings(pl.Series([], dtype=pl.String)).tolist() == []
    assert pl.DataFrame({"w": []}, schema={"w": pl.String}).select(stable_hash("w")).height == 0


def test_buckets_are_filled_evenly():
    counts = (
        pl.select(w=pl.int_range(64_000).cast(pl.String)).select(bucket("w", 64)).to_series().value_counts()["count"]
    )
    assert counts.len() == 64
    # 1000 each is expected, and the standard deviation of each is 31.
    assert counts.min() > 850
    assert counts.max() < 1150


def test_every_output_bit_is_as_often_set_as_not():
    hashes = hash_strings(pl.select(w=pl.int_range(20_000).cast(pl.String)).to_series())
    bits = (hashes[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.02


def test_a_float_is_refused_by_name():
    with pytest.raises(TypeError, match="Column 'x' is Float64"):
        pl.DataFrame({"x": [0.5]}).select(stable_hash("x"))


def test_tokens_leave_zero_for_padding_and_keep_the_shape_of_the_lists():
    lists = pl.Series("t", [["red", "lamp"], [], None, ["lamp"], None], dtype=pl.List(pl.String))
    found = hash_tokens(lists, 3).to_list()
    assert [None if row is None else len(row) for row in found] == [2, 0, None, 1, None]
    assert found[0][1] == found[3][0]
    assert {token for row in found for token in row or []} <= {1, 2}
    assert hash_tokens(lists.slice(3, 2), 3).to_list() == found[3:]
    assert hash_tokens(pl.Series("t", [None], dtype=pl.List(pl.String)), 3).to_list() == [None]
    assert hash_tokens(pl.Series("t", [], dtype=pl.List(pl.String)), 3).to_list() == []
