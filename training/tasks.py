"""The tasks of ``python -m training``, by name of the function that does the work of each.

A function is imported in the process that runs it, so that the supervisor never imports TensorFlow.
"""

from dataclasses import dataclass
from typing import Literal

from foundation.nearest import hint


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """How a task runs.

    Attributes:
        work: `module:function` of `work(task, worker)`, called in every worker process with the task and a
            `training.worker.Worker`. It writes its results below `worker.output` and nowhere else.
        distributed: Whether the declared number of workers runs it; otherwise one does.
        publishes: `folder`: the results replace the whole folder `task.out`. `entries`: each top-level file or
            folder of the results replaces its namesake in `task.out`, the rest of which stays. `file`: the one file
            of the results, named like `task.out`, replaces it.
    """

    work: str
    distributed: bool
    publishes: Literal["folder", "entries", "file"]


TASKS: dict[str, TaskEntry] = {
    "train": TaskEntry(work="training.fit:work", distributed=True, publishes="folder"),
    "compress": TaskEntry(work="training.compression.run:work", distributed=True, publishes="entries"),
    "evaluate": TaskEntry(work="training.evaluate.run:work", distributed=False, publishes="entries"),
    "predict": TaskEntry(work="training.predict:work", distributed=False, publishes="file"),
}

COMMANDS: dict[str, str] = {
    "champion": "training.commands:champion_command",
    "promote": "training.commands:promote_command",
    "rollback": "training.commands:rollback_command",
}
"""Further words of the command line, each a `module:function` of `command(arguments: list[str]) -> int`."""


def suggest(name: str) -> str:
    """What a person who wrote an unknown task or command probably meant."""
    return hint(name, [*TASKS, *COMMANDS])
