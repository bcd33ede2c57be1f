import json

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.input import InputError, batches, model_inputs, plan_shards, read_split
from training.normalise import Normalisation
from training.schema import CategoryInput, Inputs, SchemaError, TokensInput, read_inputs

INPUTS = Inputs(inputs=(CategoryInput(name="row", size=1_000_000),))


def write(folder, sizes, row_group):
    """Files whose column `row` numbers all rows, so that every row can be followed."""
    folder.mkdir(parents=True, exist_ok=True)
    start = 0
    for number, rows in enumerate(sizes):
        pl.DataFrame(
            {
                "row": pl.Series(range(start, start + rows), dtype=pl.Int32),
                "label": pl.Series([0.5] * rows, dtype=pl.Float32),
                "weight": pl.Series([1.0] * rows, dtype=pl.Float32),
            }
        ).write_parquet(folder / f"part-{number}.parquet", row_group_size=row_group)
        start += rows
    return folder


def epoch_rows(shards, epoch, rank, shuffle_rows=131_072):
    found = batches(shards, INPUTS, Normalisation(), epoch=epoch, rank=rank, shuffle_rows=shuffle_rows)
    return [batch["row"] for batch, _, _ in found]


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 300), min_size=1, max_size=4),
    row_group=st.integers(20, 200),
    world=st.integers(1, 4),
    batch=st.integers(1, 120),
    shuffle_rows=st.integers(1, 400),
)
def test_an_epoch_shows_no_row_twice_and_every_worker_makes_the_same_number_of_full_steps(
    tmp_path_factory, sizes, row_group, world, batch, shuffle_rows
):
    if sum(sizes) < world:
        return
    folder = write(tmp_path_factory.mktemp("train"), sizes, row_group)
    shards = plan_shards(folder, world=world, batch=max(batch, world), epochs=2, seed=3)
    assert shards.steps >= 1
    for epoch in range(2):
        shown = [epoch_rows(shards, epoch, rank, shuffle_rows) for rank in range(world)]
        assert {len(batches_of_one) for batches_of_one in shown} == {shards.steps}
        assert {len(rows) for worker in shown for rows in worker} == {shards.batch}
        rows = np.concatenate([rows for worker in shown for rows in worker])
        assert len(np.unique(rows)) == len(rows)
        assert rows.max() < sum(sizes)


def test_next_to_nothing_of_an_epoch_is_left_out_even_when_row_groups_are_unequal(tmp_path):
    shards = plan_shards(write(tmp_path, [1000, 200, 50], 600), world=2, batch=50, epochs=3, seed=1)
    assert shards.by_rows
    assert shards.steps * shards.batch * 2 >= 1250 - 50


def test_many_row_groups_are_dealt_whole(tmp_path):
    shards = plan_shards(write(tmp_path, [2000, 2000], 100), world=2, batch=100, epochs=3, seed=1)
    assert not shards.by_rows
    assert shards.steps == 40


def test_fewer_row_groups_than_workers_are_shared_by_rows(tmp_path):
    shards = plan_shards(write(tmp_path, [90], 1000), world=3, batch=30, epochs=2, seed=1)
    rows = np.concatenate([rows for rank in range(3) for rows in epoch_rows(shards, 0, rank)])
    assert sorted(rows) == list(range(90))


def test_the_order_is_that_of_the_epoch_and_of_nothing_else(tmp_path):
    shards = plan_shards(write(tmp_path, [500, 500], 100), world=2, batch=50, epochs=4, seed=5)
    again = plan_shards(tmp_path, world=2, batch=50, epochs=4, seed=5)
    other = plan_shards(tmp_path, world=2, batch=50, epochs=4, seed=6)
    epoch = np.concatenate(epoch_rows(shards, 2, 1))
    np.testing.assert_array_equal(epoch, np.concatenate(epoch_rows(again, 2, 1)))
    assert not np.array_equal(epoch, np.concatenate(epoch_rows(shards, 3, 1)))
    assert not np.array_equal(epoch, np.concatenate(epoch_rows(other, 2, 1)))


def test_rows_mix_across_the_row_groups_of_a_window(tmp_path):
    shards = plan_shards(write(tmp_path, [400], 100), world=1, batch=100, epochs=1, seed=5)
    first = epoch_rows(shards, 0, 0)[0]
    assert len({row // 100 for row in first}) == 4


def test_a_batch_larger_than_the_data_becomes_as_large_as_the_data(tmp_path):
    shards = plan_shards(write(tmp_path, [101], 40), world=2, batch=4096, epochs=3, seed=5)
    assert shards.steps == 1
    assert shards.batch * 2 >= 80


def test_no_example_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"There is no training example in .*; widen the window"):
        plan_shards(tmp_path / "train", world=2, batch=10, epochs=1, seed=1)
    with pytest.raises(InputError, match="There is no training example"):
        plan_shards(write(tmp_path / "empty", [0], 10), world=2, batch=10, epochs=1, seed=1)


def test_fewer_examples_than_workers_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"1 training examples in .* cannot be shared by 2 workers; set workers: 1"):
        plan_shards(write(tmp_path, [1], 10), world=2, batch=10, epochs=1, seed=1)


def test_a_file_cut_short_is_named(tmp_path):
    path = write(tmp_path, [1000], 100) / "part-0.parquet"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"part-0\.parquet cannot be read as Parquet"):
        plan_shards(tmp_path, world=1, batch=10, epochs=1, seed=1)


def test_a_file_damaged_inside_is_named(tmp_path):
    path = write(tmp_path, [1000], 1000) / "part-0.parquet"
    data = bytearray(path.read_bytes())
    data[4:200] = bytes(196)
    path.write_bytes(bytes(data))
    shards = plan_shards(tmp_path, world=1, batch=10, epochs=1, seed=1)
    with pytest.raises(InputError, match=r"part-0\.parquet cannot be read"):
        epoch_rows(shards, 0, 0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"other": [1]}), "Column 'user' of features.json is missing from the data"),
        (pa.table({"user": pa.array([1, None], pa.int32())}), "Column 'user' holds 1 nulls"),
        (pa.table({"user": pa.array([1, 7], pa.int32())}), "Column 'user' holds 7, outside its table of 5 rows"),
        (pa.table({"user": pa.array([-1, 2], pa.int32())}), "Column 'user' holds -1, outside its table of 5 rows"),
    ],
)
def test_a_column_that_is_not_as_declared_is_named(table, message):
    with pytest.raises(InputError) as error:
        model_inputs(table, Inputs(inputs=(CategoryInput(name="user", size=5),)), Normalisation())
    assert message in str(error.value)


def test_tokens_weigh_their_share_and_padding_nothing_also_in_a_slice_and_in_a_row_of_padding():
    tokens = pa.FixedSizeListArray.from_arrays(pa.array([9, 9, 9, 1, 2, 0, 0, 0, 0, 3, 4, 5], pa.int32()), 3)
    inputs = Inputs(inputs=(TokensInput(name="title", size=10, length=3),))
    found = model_inputs(pa.table({"title": tokens}).slice(1), inputs, Normalisation())
    np.testing.assert_array_equal(found["title"], [[1, 2, 0], [0, 0, 0], [3, 4, 5]])
    np.testing.assert_allclose(found["title__token_weights"], [[0.5, 0.5, 0], [0, 0, 0], [1 / 3, 1 / 3, 1 / 3]])


def test_a_split_is_read_in_order_and_thinned_evenly(tmp_path):
    write(tmp_path, [300, 300], 100)
    arrays, labels, weights = read_split(tmp_path, INPUTS, Normalisation())
    np.testing.assert_array_equal(arrays["row"], np.arange(600))
    assert labels.shape == weights.shape == (600,)
    thinned, _, _ = read_split(tmp_path, INPUTS, Normalisation(), rows=200)
    assert {row // 100 for row in thinned["row"]} == {0, 3}
    assert read_split(tmp_path / "none", INPUTS, Normalisation()) is None


def test_features_that_cannot_be_understood_are_named_with_their_field(tmp_path):
    with pytest.raises(SchemaError, match=r"has no encoding/features\.json"):
        read_inputs(tmp_path)
    (tmp_path / "encoding").mkdir()
    path = tmp_path / "encoding" / "features.json"
    path.write_text(json.dumps({"inputs": [{"name": "user", "kind": "category", "size": 0}]}))
    with pytest.raises(SchemaError, match=r"inputs\.0\.category\.size"):
        read_inputs(tmp_path)
    path.write_text("{")
    with pytest.raises(SchemaError, match="is not JSON"):
        read_inputs(tmp_path)


def test_two_inputs_of_one_name_are_refused():
    with pytest.raises(ValueError, match="input 'user' has the name of another input"):
        Inputs(inputs=(CategoryInput(name="user", size=5), CategoryInput(name="user", size=6)))
