"""``python -m training task.json``: supervises a task, or, where `TF_CONFIG` is set, is one of its workers.

``python -m training rollback MODELS_DIR`` and the other words of `training.tasks.COMMANDS` are commands.
"""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from training.failure import TaskError
from training.relay import PIPES, open_relay
from training.spec import read_task
from training.supervise import supervise, work_folder
from training.tasks import COMMANDS, suggest
from training.worker import die_with_parent, run_worker

_USAGE = f"usage: python -m training TASK.json | {' | '.join(f'{word} …' for word in COMMANDS)}"


def main(arguments: list[str]) -> int:
    """Run the command line.

    Returns:
        The exit code: 0, or 1 after a failure, or 2 for a command line that is not understood.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stderr.write(f"{_USAGE}\n")
        return 0 if arguments else 2
    first = arguments[0]
    if first in COMMANDS:
        module, _, function = COMMANDS[first].partition(":")
        command: Callable[[list[str]], int] = getattr(importlib.import_module(module), function)
        try:
            return command(arguments[1:])
        except TaskError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    if not first.endswith(".json"):
        sys.stderr.write(f"'{first}' is neither a task file nor a command; {suggest(first)}\n{_USAGE}\n")
        return 2
    if "TF_CONFIG" in os.environ:
        task = read_task(Path(first))
        return run_worker(task, work_folder(task))
    return _supervise(Path(first))


def _supervise(path: Path) -> int:
    if PIPES in os.environ:
        # A run that is killed takes its training along: it would hold what the next run goes on with.
        die_with_parent()
    with open_relay() as relay:
        try:
            supervise(read_task(path), relay)
        except TaskError as error:
            relay({"error": str(error)}, str(error))
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
