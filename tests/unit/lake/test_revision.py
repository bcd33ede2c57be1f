"""What is published again under one digest: readers see whether its rows are others."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.lake import Lake, digest
from assets.lake.revision import same_rows

DAY = date(2026, 3, 2)
ROWS = {"id": [1, 2, 2, None], "names": [["a", "b"], [], [], None], "price": [0.5, None, None, float("nan")]}
DIGEST = digest("one and the same")


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def publish(lake, frame, *, force=False, content=DIGEST):
    lake.publish(lake.stage("sales", DAY, frame, digest=content, run_id="run"), replace=force)
    return lake.published("sales", DAY)


def frame(**changes):
    return pl.LazyFrame(ROWS | changes)


def test_the_same_rows_in_another_order_are_the_same_content(lake):
    first = publish(lake, frame())
    again = publish(lake, frame().reverse(), force=True)
    assert again.files != first.files, "a forced run writes"
    assert again.fingerprint == first.fingerprint == DIGEST


@pytest.mark.parametrize(
    "changes",
    [
        {"id": [1, 2, 3, None]},
        {"id": [1, 2, 2, 0]},
        {"names": [["b", "a"], [], [], None]},
        {"names": [["a", "b"], [], None, None]},
        {"price": [0.5, None, None, None]},
    ],
)
def test_other_rows_of_the_same_inputs_are_another_content_until_they_are_those_again(lake, changes):
    first = publish(lake, frame())
    other = publish(lake, frame(**changes), force=True)
    assert other.digest == first.digest, "the day itself is still recognised"
    assert other.fingerprint != first.fingerprint, "those who read it see other rows"
    assert publish(lake, frame(**changes), force=True).fingerprint == other.fingerprint
    assert publish(lake, frame(), force=True).fingerprint not in (first.fingerprint, other.fingerprint)
    assert lake.scan("sales").collect().height == 4
    assert publish(lake, frame(**changes)).digest == first.digest


def test_a_row_more_of_one_kind_and_one_less_of_another_is_a_difference():
    assert not same_rows(pl.LazyFrame({"id": [1, 1, 2]}), pl.LazyFrame({"id": [1, 2, 2]}))
    assert not same_rows(pl.LazyFrame({"id": [1]}), pl.LazyFrame({"id": [1, 1]}))
    assert not same_rows(pl.LazyFrame({"id": [1]}), pl.LazyFrame({"id": [1.0]}))
    assert not same_rows(pl.LazyFrame({"id": [1]}), pl.LazyFrame({"id": [1], "note": [None]}))
    assert same_rows(pl.LazyFrame({"a": [1], "b": ["x"]}), pl.LazyFrame({"b": ["x"], "a": [1]}))


def test_content_in_the_place_of_a_damaged_file_counts_as_another(lake):
    first = publish(lake, frame())
    (path,) = Path(lake.root).rglob("*.parquet")
    path.write_bytes(b"\0" * path.stat().st_size)
    again = publish(lake, frame(), force=True)
    assert again.fingerprint != first.fingerprint
    assert lake.scan("sales").collect().height == 4


def test_content_of_other_inputs_needs_no_revision(lake):
    publish(lake, frame())
    publish(lake, frame(id=[1, 2, 3, 4]), force=True)
    other = digest("other inputs")
    assert publish(lake, frame(), content=other).fingerprint == other
