"""Scoring with a TensorFlow Lite file, without TensorFlow."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from training.failure import TaskError
from training.input import Arrays

LOGIT = "logit"
"""Name of the output of a file that leaves the sigmoid to whoever scores."""

Floats = npt.NDArray[np.float32]


class LiteModel:
    """A TensorFlow Lite file that scores rows.

    Args:
        path: The file.
        threads: Threads of one inference.

    Raises:
        TaskError: The file is missing or not a TensorFlow Lite model.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        try:
            self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
            # The runner itself is not kept: while somebody refers to it, the interpreter refuses to run.
            runner = self._interpreter.get_signature_runner()
            self._inputs = {name: int(one["index"]) for name, one in runner.get_input_details().items()}
            [(self._output_name, output)] = runner.get_output_details().items()
            self._output = int(output["index"])
        except (OSError, RuntimeError, ValueError) as error:
            raise TaskError(f"{path} cannot be loaded as a TensorFlow Lite model ({error}); make it again") from None
        self._path = path
        self._rows = -1

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that it takes."""
        return tuple(self._inputs)

    def score(self, arrays: Mapping[str, Any], *, batch: int = 1024) -> Floats:
        """Probabilities.

        Args:
            arrays: Model inputs, by name, as `training.input.model_inputs` makes them.
            batch: Rows of one inference; what bounds memory.

        Returns:
            Float32 of shape (rows,).

        Raises:
            TaskError: An input is missing, or a score is not a number.
        """
        missing = sorted(set(self._inputs) - set(arrays))
        if missing:
            raise TaskError(f"{self._path} takes input '{missing[0]}', which the data does not have; encode it anew")
        rows = len(next(iter(arrays.values())))
        scores = np.empty(rows, np.float32)
        for start in range(0, rows, batch):
            end = min(start + batch, rows)
            self._fill(arrays, start, end)
            self._interpreter.invoke()
            scores[start:end] = self._interpreter.get_tensor(self._output).reshape(-1)
        if not np.isfinite(scores).all():
            raise TaskError(
                f"{self._path} gives scores that are not finite: the training diverged; lower the learning_rate"
            )
        return _sigmoid(scores) if self._output_name == LOGIT else scores

    def _fill(self, arrays: Mapping[str, Any], start: int, end: int) -> None:
        if end - start != self._rows:
            for name, index in self._inputs.items():
                self._interpreter.resize_tensor_input(index, (end - start, *arrays[name].shape[1:]))
            self._interpreter.allocate_tensors()
            self._rows = end - start
        for name, index in self._inputs.items():
            self._interpreter.set_tensor(index, arrays[name][start:end])

    def latency(self, arrays: Arrays, *, rows: int, repeats: int) -> float:
        """Median seconds of one inference of so many rows, inputs and output copied.

        Args:
            arrays: Model inputs; their first rows are taken, over and over when there are fewer.
            rows: Rows of one inference.
            repeats: How many inferences are timed.
        """
        some = {name: np.resize(values, (rows, *values.shape[1:])) for name, values in arrays.items()}
        seconds = np.empty(repeats)
        self._fill(some, 0, rows)
        self._interpreter.invoke()
        for number in range(repeats):
            began = time.perf_counter()
            self._fill(some, 0, rows)
            self._interpreter.invoke()
            self._interpreter.get_tensor(self._output)
            seconds[number] = time.perf_counter() - began
        return float(np.median(seconds))


def _sigmoid(logits: Floats) -> Floats:
    return (1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -80, 80)))).astype(np.float32)


def float_tensors(content: bytes) -> list[str]:
    """Names of the tensors of a TensorFlow Lite file that are float32, its inputs and outputs left out."""
    interpreter = Interpreter(model_content=content)
    outside = {one["index"] for one in (*interpreter.get_input_details(), *interpreter.get_output_details())}
    return [
        str(one["name"])
        for one in interpreter.get_tensor_details()
        if one["dtype"] == np.float32 and one["index"] not in outside
    ]
