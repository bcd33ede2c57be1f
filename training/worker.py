"""A worker process: who it is, how it learns that its supervisor is gone, and how it reports its end."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.failure import TaskError
from training.progress import ProgressWriter
from training.tasks import TASKS

if TYPE_CHECKING:
    from training.spec import Task

SUPERVISED = "SLUICE_TRAINING_SUPERVISED"
THREADS = "SLUICE_TRAINING_THREADS"
FOLDER = "SLUICE_TRAINING_FOLDER"

_PR_SET_PDEATHSIG = 1
_ORPHANED = 70


@dataclass(frozen=True)
class Worker:
    """One worker of a task.

    Attributes:
        rank: From 0; worker 0 is the chief.
        world: Number of workers.
        folder: Scratch of the task, shared by all workers and kept over restarts.
        threads: Threads that this worker may keep busy.
        progress: Where it reports.
    """

    rank: int
    world: int
    folder: Path
    threads: int
    progress: ProgressWriter

    @property
    def chief(self) -> bool:
        """Whether this is the worker that saves and reports."""
        return self.rank == 0

    @property
    def output(self) -> Path:
        """Where the chief leaves what is to be published when the whole task is complete."""
        return self.folder / "output"


def progress_path(folder: Path, rank: int) -> Path:
    """The file in which a worker reports."""
    return folder / "progress" / f"worker-{rank}.jsonl"


def _cluster() -> tuple[int, int]:
    config = json.loads(os.environ["TF_CONFIG"])
    return int(config["task"]["index"]), len(config["cluster"]["worker"])


def run_worker(task: Task, folder: Path) -> int:
    """Do this process's share of a task; `TF_CONFIG` says which.

    Returns:
        The exit code: 0 when the work is complete, 2 after a failure that no retry mends, 1 after any other.
    """
    rank, world = _cluster()
    supervised = os.environ.get(SUPERVISED) == "1"
    folder = Path(os.environ.get(FOLDER, folder))
    path = progress_path(folder, rank)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    progress = ProgressWriter(path)
    released = threading.Event()
    if supervised:
        die_with_parent()
        threading.Thread(target=_watch_supervisor, args=(released,), daemon=True).start()
    threads = int(os.environ.get(THREADS, "0")) or max(1, len(os.sched_getaffinity(0)) // world)
    worker = Worker(rank, world, folder, threads, progress)
    try:
        progress.phase("importing TensorFlow")
        module, _, function = TASKS[task.task].work.partition(":")
        work: Callable[[Any, Worker], dict[str, Any]] = getattr(importlib.import_module(module), function)
        result = work(task, worker)
    except TaskError as error:
        progress.failed(str(error), permanent=True)
        sys.stderr.write(f"{error}\n")
        return 2
    except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor must hear of it
        traceback.print_exc()
        # Only what TensorFlow or the system throws may be the fault of another process and pass by itself.
        passing = isinstance(error, OSError | MemoryError) or type(error).__module__.startswith("tensorflow")
        first = (str(error).strip() or "no message").splitlines()[0]
        progress.failed(f"{type(error).__name__}: {first}", permanent=not passing)
        return 1
    progress.done(result)
    if supervised:
        # A worker that left early would look like a fault to the others, which may still be saving.
        released.wait()
    sys.stdout.flush()
    sys.stderr.flush()
    # Tearing the cluster down takes TensorFlow seconds and can fail; everything is written by now.
    os._exit(0)


def die_with_parent() -> None:
    """End this process when the one that started it ends, however it ends."""
    if sys.platform == "linux":
        # Also ends a process that is stopped, which could not notice that its standard input has closed.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch_supervisor(released: threading.Event) -> None:
    # The supervisor writes one byte when all workers are done; the end of the pipe without it is its death.
    if os.read(0, 1):
        released.set()
    else:
        os._exit(_ORPHANED)
