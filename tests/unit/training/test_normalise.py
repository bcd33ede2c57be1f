import numpy as np
import polars as pl
import pytest

from training.failure import TaskError
from training.normalise import LIMIT, fit_normalisation
from training.schema import DenseInput, Inputs

INPUTS = Inputs(inputs=(DenseInput(name="price"), DenseInput(name="views"), DenseInput(name="flag")))


def frame(rows, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "price": rng.normal(1000, 50, rows),
            "views": np.floor(rng.pareto(1.0, rows) * 10),
            "flag": np.zeros(rows),
        },
        schema=dict.fromkeys(["price", "views", "flag"], pl.Float32),
    )


def test_columns_come_to_one_scale_whatever_theirs_was(tmp_path):
    path = tmp_path / "part-0.parquet"
    frame(5000).write_parquet(path)
    normalisation = fit_normalisation([path], INPUTS)
    values = normalisation.apply(frame(5000).to_numpy().copy())
    assert np.abs(values).max() <= LIMIT
    np.testing.assert_allclose(values[:, :2].mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(values[:, :2].std(axis=0), 1, atol=0.1)
    assert not values[:, 2].any()


def test_only_the_count_with_a_long_tail_is_taken_by_its_logarithm(tmp_path):
    path = tmp_path / "part-0.parquet"
    frame(5000).write_parquet(path)
    assert [column.log for column in fit_normalisation([path], INPUTS).columns] == [False, True, False]


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_an_error_that_names_the_column(tmp_path, value):
    path = tmp_path / "part-0.parquet"
    damaged = pl.concat(
        [frame(10), pl.DataFrame({"price": [value], "views": [0.0], "flag": [0.0]}, schema=frame(1).schema)]
    )
    damaged.write_parquet(path)
    with pytest.raises(TaskError, match="Dense column 'price' of the train split holds 1 values"):
        fit_normalisation([path], INPUTS)
