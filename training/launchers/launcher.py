"""What a launcher does: start the workers of a task somewhere, tell them each other's addresses, and end them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from foundation.registry import Registry
from training.failure import TaskError

Relay = Callable[[Mapping[str, Any] | None, str], None]
"""Takes a payload for machines (or None) and a line for people."""


class LaunchError(TaskError):
    """The workers failed for good; the message says why and shows the end of the log."""


class Launcher(Protocol):
    """Starts the workers of a task, watches over them, and starts them again after a fault.

    It knows nothing of what they do: each worker gets its address and its number in `TF_CONFIG`, reports into a file,
    and ends when it is let go. No worker outlives it.

    Args:
        start_deadline: From the start of the workers to the first step of each.
        freeze_deadline: How long no worker may show progress.
        max_restarts: How often all workers are started again after a fault.
    """

    def __init__(
        self, *, start_deadline: timedelta = ..., freeze_deadline: timedelta = ..., max_restarts: int = ...
    ) -> None: ...

    def run(self, task_file: Path, *, workers: int, folder: Path, subject: str, relay: Relay) -> list[dict[str, Any]]:
        """Run the workers of a task to their end.

        Args:
            task_file: The JSON of the task.
            workers: How many processes.
            folder: Scratch of the task, kept over restarts; logs are in `logs/worker-N.log`.
            subject: What is running, for messages.
            relay: Gets every report of a worker and every restart, as it happens.

        Returns:
            What each worker returned, by rank.

        Raises:
            LaunchError: A worker failed for good, or faults outnumbered the restarts.
        """
        ...


LAUNCHERS: Registry[type[Launcher]] = Registry("launcher", "Where the workers of a training run.")
