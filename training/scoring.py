"""Encoded rows scored by the files of one or several models: row group by row group, in order, on several threads."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from training.input import Arrays, InputError, Unit, model_inputs, read_units
from training.normalise import Normalisation
from training.runtimes import Loaded, load_model
from training.schema import Inputs


@dataclass(frozen=True)
class Scored:
    """Rows of one row group.

    Attributes:
        columns: The further columns that were asked for.
        scores: Probabilities, by name of the file's model.
    """

    columns: dict[str, npt.NDArray[Any]]
    scores: dict[str, npt.NDArray[np.float32]]


class Scoring:
    """Scores files of encoded rows.

    Args:
        models: Files of published or candidate models, by name.
        inputs: What the columns are.
        normalisation: Constants of the dense columns that the models were trained with.
        threads: How many row groups are read and scored at a time; memory is that of so many of them.

    Raises:
        TaskError: A file of a model cannot be loaded.
    """

    def __init__(
        self, models: Mapping[str, Path], inputs: Inputs, normalisation: Normalisation, *, threads: int = 1
    ) -> None:
        self._models, self._inputs, self._normalisation, self._threads = models, inputs, normalisation, threads
        # An interpreter serves one thread at a time.
        self._own = threading.local()
        self._own.models = self._load()

    def _load(self) -> dict[str, Loaded]:
        return {name: load_model(path) for name, path in self._models.items()}

    def rows(self, files: Sequence[Path], *, columns: Sequence[str] = ()) -> Iterator[Scored]:
        """Score all rows of files, in the order of the files and their rows.

        Args:
            files: Parquet files of encoded rows.
            columns: Further columns to pass on; they must not hold nulls.

        Raises:
            InputError: A file is not Parquet, or lacks a column.
        """
        units = deque(read_units(files))
        waiting: deque[Future[Scored]] = deque()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="scoring") as pool:
            try:
                while units or waiting:
                    while units and len(waiting) <= self._threads:
                        waiting.append(pool.submit(self._score, units.popleft(), columns))
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _score(self, unit: Unit, columns: Sequence[str]) -> Scored:
        if not hasattr(self._own, "models"):
            self._own.models = self._load()
        table, arrays = read_encoded(unit, self._inputs, self._normalisation, columns=columns)
        scores = {name: model.score(arrays) for name, model in self._own.models.items()}
        return Scored({name: table.column(name).to_numpy(zero_copy_only=False) for name in columns}, scores)


def read_encoded(
    unit: Unit, inputs: Inputs, normalisation: Normalisation, *, columns: Sequence[str] = ()
) -> tuple[pa.Table, Arrays]:
    """Read encoded rows, as a table with further columns and as model inputs.

    Raises:
        InputError: The file cannot be read, or lacks a column.
    """
    try:
        file = pq.ParquetFile(unit.path)
        missing = [name for name in (*inputs.columns, *columns) if name not in file.schema_arrow.names]
        if missing:
            raise InputError(f"{unit.path} has no column '{missing[0]}'; encode it again")
        wanted = list(dict.fromkeys((*inputs.columns, *columns)))
        table = file.read_row_group(unit.row_group, columns=wanted).slice(unit.start, unit.rows)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{unit.path} cannot be read ({error}); make it again") from None
    for name in columns:
        if table.column(name).null_count:
            raise InputError(f"Column '{name}' of {unit.path} holds nulls; make it again")
    return table, model_inputs(table, inputs, normalisation)
