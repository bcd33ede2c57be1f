"""What a runtime does: load a file, score columns with it, measure how long that takes.

Vocabularies and normalisation travel beside the file, in the folder of the published version: whoever serves a model
needs that folder and the runtime, and nothing of what trained it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from foundation.importing import load
from foundation.registry import Registry
from training.failure import TaskError

MODEL = "model"
"""How the file of a model begins, whatever its runtime."""


class Loaded(Protocol):
    """A file that is loaded. It serves one thread at a time."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that it takes."""

    def score(self, arrays: Mapping[str, Any], *, batch: int = ...) -> npt.NDArray[np.float32]:
        """Probabilities.

        Args:
            arrays: Model inputs, by name, as `training.input.model_inputs` makes them.
            batch: Rows of one inference; what bounds memory.

        Returns:
            Float32 of shape (rows,).

        Raises:
            TaskError: An input is missing, or a score is not a number.
        """

    def latency(self, arrays: Mapping[str, Any], *, rows: int, repeats: int) -> float:
        """Median seconds of one inference of so many rows, inputs and output copied.

        Args:
            arrays: Model inputs; their first rows are taken, over and over when there are fewer.
            rows: Rows of one inference.
            repeats: How many inferences are timed.
        """


@dataclass(frozen=True)
class Runtime:
    """A runtime.

    Attributes:
        name: Its name.
        suffix: How the names of its files end, with the dot.
        place: `module:function` of `function(path, *, threads) -> Loaded`, imported when a file is loaded.
        describes: One sentence for the reference.
    """

    name: str
    suffix: str
    place: str
    describes: str = ""

    @property
    def file(self) -> str:
        """The name of the file of a model."""
        return f"{MODEL}{self.suffix}"

    def load(self, path: Path, *, threads: int = 1) -> Loaded:
        """Load a file.

        Args:
            path: The file.
            threads: Threads of one inference.

        Raises:
            TaskError: The file is missing or not one of this runtime.
        """
        loaded: Loaded = load(self.place)(path, threads=threads)
        return loaded


RUNTIMES: Registry[Runtime] = Registry("runtime", "What scores the file of a published model.")


def model_file(folder: Path) -> Path | None:
    """The file of a model in its folder, of whatever runtime; None when there is none."""
    files = (folder / runtime.file for runtime in RUNTIMES.entries().values())
    return next((path for path in files if path.is_file()), None)


def load_model(path: Path, *, threads: int = 1) -> Loaded:
    """Load a file with the runtime that its name belongs to.

    Raises:
        TaskError: There is no such runtime or no such file, or it is damaged.
    """
    for runtime in RUNTIMES.entries().values():
        if path.suffix == runtime.suffix:
            return runtime.load(path, threads=threads)
    known = ", ".join(f"{runtime.suffix} ({name})" for name, runtime in RUNTIMES.entries().items())
    raise TaskError(f"No runtime loads {path}; known are files that end with {known}")
