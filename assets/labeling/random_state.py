"""Keep the global random state of the process as it is, whatever a library does to it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """Restore the global random states of Python, NumPy and torch, and torch's number of threads, which is 1 inside.

    Importing Snorkel draws from NumPy's global generator, and `LabelModel.fit` seeds all three. One thread is enough
    for the label model's small matrices, leaves the machine to others, and makes sums independent of its cores.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the legacy global state is the subject
    import torch

    torch_state, threads = torch.get_rng_state(), torch.get_num_threads()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(torch_state)
        if devices:
            torch.cuda.set_rng_state_all(devices)
        np.random.set_state(numpy)  # noqa: NPY002
        random.setstate(python)
