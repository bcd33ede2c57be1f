"""Parquet files to batches of arrays: sharded by worker, shuffled by epoch, without a loop over rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from training.failure import TaskError
from training.normalise import Normalisation
from training.schema import DENSE, TOKEN_WEIGHTS, Inputs

Array = npt.NDArray[np.generic]
Arrays = dict[str, Array]
Batch = tuple[Arrays, npt.NDArray[np.float32], npt.NDArray[np.float32]]

_LABEL, _WEIGHT = "|label", "|weight"
_WORTHWHILE = 0.98


class InputError(TaskError):
    """Training data that is empty or not as its `features.json` says."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of one row group of one file: `rows` rows from row `start` of the group on."""

    path: Path
    row_group: int
    start: int
    rows: int


@dataclass(frozen=True, slots=True)
class Shards:
    """How an epoch is dealt to the workers.

    Attributes:
        units: All row groups of the split.
        world: Number of workers.
        batch: Rows of one worker's batch.
        steps: Batches of each worker in every epoch: those of the smallest shard of any epoch.
        by_rows: Whether each row group is cut into one slice a worker, for want of row groups to deal out evenly.
        seed: Of the order of the units and of the rows.
    """

    units: tuple[Unit, ...]
    world: int
    batch: int
    steps: int
    by_rows: bool
    seed: int

    def of(self, *, epoch: int, rank: int) -> list[Unit]:
        """The units of one worker in one epoch, in order."""
        return _deal(self.units, world=self.world, rank=rank, by_rows=self.by_rows, seed=self.seed, epoch=epoch)


def split_files(folder: Path) -> list[Path]:
    """The Parquet files of a split, sorted; none when the folder is missing."""
    return sorted(folder.glob("*.parquet"))


def read_units(files: Sequence[Path]) -> tuple[Unit, ...]:
    """The row groups of files, in order, without the empty ones.

    Raises:
        InputError: A file is not Parquet.
    """
    units: list[Unit] = []
    for path in files:
        try:
            metadata = pq.read_metadata(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{path} cannot be read as Parquet ({error}); prepare the training set again") from None
        rows = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
        units += [Unit(path, index, 0, count) for index, count in enumerate(rows) if count]
    return tuple(units)


def _deal(units: Sequence[Unit], *, world: int, rank: int, by_rows: bool, seed: int, epoch: int) -> list[Unit]:
    order = np.random.default_rng([seed, epoch]).permutation(len(units))
    if not by_rows:
        return [units[index] for index in order[rank::world]]
    mine: list[Unit] = []
    for place, index in enumerate(order):
        unit = units[index]
        # The slices rotate, so that the odd rows of all groups do not pile up on one worker.
        share = (rank + place) % world
        start, end = unit.rows * share // world, unit.rows * (share + 1) // world
        if end > start:
            mine.append(Unit(unit.path, unit.row_group, unit.start + start, end - start))
    return mine


def _steps(units: Sequence[Unit], *, world: int, batch: int, by_rows: bool, seed: int, epochs: int) -> int:
    return min(
        sum(unit.rows for unit in _deal(units, world=world, rank=rank, by_rows=by_rows, seed=seed, epoch=epoch))
        // batch
        for epoch in range(epochs)
        for rank in range(world)
    )


def plan_shards(folder: Path, *, world: int, batch: int, epochs: int, seed: int) -> Shards:
    """Decide how the epochs of a split are dealt to the workers.

    Row groups are dealt whole where that wastes next to nothing of an epoch; where there are too few of them, or
    they are too unequal, every row group is cut into one slice a worker.

    Args:
        folder: The split: a folder of Parquet files.
        world: Number of workers.
        batch: Rows of a step over all workers; less when the split is smaller.
        epochs: Number of epochs.
        seed: Of the order.

    Raises:
        InputError: There is no example, or not one for each worker.
    """
    units = read_units(split_files(folder))
    rows = sum(unit.rows for unit in units)
    if not rows:
        raise InputError(
            f"There is no training example in {folder}; widen the window, or look whether labels were made"
        )
    if rows < world:
        raise InputError(f"{rows} training examples in {folder} cannot be shared by {world} workers; set workers: 1")
    local = max(1, min(batch // world, rows // world))
    plans = []
    for by_rows in (False, True):
        steps = _steps(units, world=world, batch=local, by_rows=by_rows, seed=seed, epochs=epochs)
        plans.append(Shards(units, world, local, steps, by_rows, seed))
    whole, sliced = plans
    while not sliced.steps:
        # A split of about one batch: the slices of some worker are a few rows short of it.
        local = max(1, local - max(1, local // 16))
        steps = _steps(units, world=world, batch=local, by_rows=True, seed=seed, epochs=epochs)
        sliced = Shards(units, world, local, steps, True, seed)
    return whole if whole.steps and whole.steps >= _WORTHWHILE * sliced.steps else sliced


def model_inputs(table: pa.Table, inputs: Inputs, normalisation: Normalisation) -> Arrays:
    """Turn columns into what a model takes.

    Args:
        table: Encoded rows; columns other than the inputs are ignored.
        inputs: What the columns are.
        normalisation: Constants of the dense columns.

    Returns:
        Arrays by model input: each category Int32 of shape (rows,); each tokens column Int32 (rows, length), and
        beside it `<name>__token_weights` Float32 of the same shape; all dense columns normalised in
        `dense_features`, Float32 (rows, columns).

    Raises:
        InputError: A column is missing, holds nulls, or an index beyond its table.
    """
    arrays: Arrays = {}
    for category in inputs.categories:
        values = _numbers(table, category.name, np.dtype(np.int32))
        _check_range(values, category.name, category.size)
        arrays[category.name] = values
    for tokens in inputs.tokens:
        column = _column(table, tokens.name)
        ids = column.flatten().to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
        if ids.size != table.num_rows * tokens.length:
            raise InputError(f"Column '{tokens.name}' does not hold {tokens.length} tokens in every row")
        _check_range(ids, tokens.name, tokens.size)
        ids = ids.reshape(-1, tokens.length)
        present = (ids != 0).astype(np.float32)
        arrays[tokens.name] = ids
        arrays[tokens.name + TOKEN_WEIGHTS] = present / np.maximum(present.sum(axis=1, keepdims=True), 1)
    if inputs.dense:
        dense = np.empty((table.num_rows, len(inputs.dense)), np.float32)
        for index, one in enumerate(inputs.dense):
            dense[:, index] = _numbers(table, one.name, np.dtype(np.float32))
        arrays[DENSE] = normalisation.apply(dense)
    return arrays


def _column(table: pa.Table, name: str) -> Any:
    if name not in table.column_names:
        raise InputError(f"Column '{name}' of features.json is missing from the data; prepare the training set again")
    column = table.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if column.null_count:
        raise InputError(f"Column '{name}' holds {column.null_count} nulls; encode them before training")
    return column


def _numbers(table: pa.Table, name: str, dtype: np.dtype[Any]) -> Any:
    return _column(table, name).to_numpy(zero_copy_only=False).astype(dtype, copy=False)


def _check_range(values: npt.NDArray[np.int32], name: str, size: int) -> None:
    if values.size and (values.min() < 0 or values.max() >= size):
        culprit = values.min() if values.min() < 0 else values.max()
        raise InputError(f"Column '{name}' holds {culprit}, outside its table of {size} rows; prepare the set again")


def read_arrays(
    units: Sequence[Unit], inputs: Inputs, normalisation: Normalisation, *, labelled: bool = True
) -> Arrays:
    """Read units as one set of arrays; with `|label` and `|weight` unless not labelled."""
    extra = [inputs.label, inputs.weight] if labelled else []
    parts: list[Arrays] = []
    for unit in units:
        try:
            table = pq.ParquetFile(unit.path).read_row_group(unit.row_group, columns=[*inputs.columns, *extra])
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{unit.path} cannot be read ({error}); prepare the training set again") from None
        table = table.slice(unit.start, unit.rows)
        arrays = model_inputs(table, inputs, normalisation)
        if labelled:
            arrays[_LABEL] = _numbers(table, inputs.label, np.dtype(np.float32))
            arrays[_WEIGHT] = _numbers(table, inputs.weight, np.dtype(np.float32))
        parts.append(arrays)
    return _join(parts)


def _join(parts: list[Arrays]) -> Arrays:
    return parts[0] if len(parts) == 1 else {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def batches(
    shards: Shards,
    inputs: Inputs,
    normalisation: Normalisation,
    *,
    epoch: int,
    rank: int,
    shuffle_rows: int = 131_072,
) -> Iterator[Batch]:
    """The batches of one worker in one epoch: exactly `shards.steps`, in an order that the epoch alone determines.

    Args:
        shards: How the epoch is dealt.
        inputs: What the columns are.
        normalisation: Constants of the dense columns.
        epoch: Number of the epoch, from 0.
        rank: Number of the worker.
        shuffle_rows: Rows are permuted within windows of whole units of at least this size.

    Yields:
        Model inputs, labels of shape (batch, 1) and weights of shape (batch,).
    """
    order = np.random.default_rng([shards.seed, epoch, rank])
    left, waiting, carried = shards.steps, shards.of(epoch=epoch, rank=rank), None
    while left:
        window: list[Unit] = []
        while waiting and sum(unit.rows for unit in window) < shuffle_rows:
            window.append(waiting.pop(0))
        arrays = read_arrays(window, inputs, normalisation)
        if carried is not None:
            arrays = _join([carried, arrays])
        rows = len(arrays[_LABEL])
        permutation = order.permutation(rows)
        whole = min(rows // shards.batch, left)
        for number in range(whole):
            picked = permutation[number * shards.batch : (number + 1) * shards.batch]
            batch = {name: values[picked] for name, values in arrays.items()}
            label, weight = batch.pop(_LABEL), batch.pop(_WEIGHT)
            yield batch, label.reshape(-1, 1).astype(np.float32), weight.astype(np.float32)
        left -= whole
        carried = {name: values[permutation[whole * shards.batch :]] for name, values in arrays.items()}


def read_split(
    folder: Path,
    inputs: Inputs,
    normalisation: Normalisation,
    *,
    rows: int | None = None,
) -> Batch | None:
    """Read a labelled split whole, in the order of its files.

    Args:
        folder: The split.
        inputs: What the columns are.
        normalisation: Constants of the dense columns.
        rows: When the split is larger, row groups spread evenly over it are read until about so many.

    Returns:
        Model inputs, labels of shape (rows,), weights of shape (rows,); None when the split is empty.
    """
    units = list(read_units(split_files(folder)))
    total = sum(unit.rows for unit in units)
    if rows is not None and total > rows:
        units = units[:: max(1, round(total / rows))]
    if not units:
        return None
    arrays = read_arrays(units, inputs, normalisation)
    label, weight = arrays.pop(_LABEL), arrays.pop(_WEIGHT)
    return arrays, label.astype(np.float32), weight.astype(np.float32)
