"""The supervisor of a task: it starts the workers, checks what they made, and publishes it as a whole or not at all.

It never imports TensorFlow.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training.failure import TaskError
from training.launchers import LAUNCHERS, Launcher, LaunchError, Relay
from training.spec import PredictTask, Task
from training.tasks import TASKS

_FOOTER_BYTES = 65_536


def work_folder(task: Task) -> Path:
    """Scratch of a task, beside its output; what a killed run leaves there is resumed or removed by the next."""
    return task.out.absolute().parent / f".{task.out.name}.{task.task}"


def supervise(task: Task, relay: Relay, *, launcher: Launcher | None = None) -> None:
    """Run a task to its end and publish its results.

    Args:
        task: What to do.
        relay: Gets the news.
        launcher: Starts the workers; by default the declared one, with the deadlines of the declaration.

    Raises:
        TaskError: It failed; nothing was published.
    """
    entry, spec = TASKS[task.task], task.model
    folder = work_folder(task)
    workers = spec.workers if entry.distributed else 1
    launcher = launcher or LAUNCHERS[spec.launcher](
        start_deadline=spec.start_deadline, freeze_deadline=spec.freeze_deadline, max_restarts=spec.max_restarts
    )
    with _alone(task):
        _recover(folder, task.out)
        _resume_or_start_clean(folder, _fingerprint(task, workers))
        task_file = folder / "task.json"
        task_file.write_text(task.model_dump_json())
        try:
            results = launcher.run(
                task_file, workers=workers, folder=folder, subject=f"{task.task} of {spec.name}", relay=relay
            )
            _check_digests(folder, results, subject=spec.name, name=_digest_name(task))
        except TaskError:
            # A failure for good is not resumed: its checkpoint may be the cause.
            (folder / "fingerprint").unlink(missing_ok=True)
            raise
        match entry.publishes:
            case "folder":
                _publish_folder(folder, task.out)
            case "entries":
                _publish_entries(folder, task)
            case "file":
                _publish_file(folder, task.out)


@contextmanager
def _alone(task: Task) -> Iterator[None]:
    out = task.out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    with (out.parent / f".{out.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TaskError(
                f"Another run is writing {out} already; wait for it to end, or end it, then run this one again"
            ) from None
        yield


def _fingerprint(task: Task, workers: int) -> str:
    """Changes when a checkpoint of an earlier run would no longer fit: with the task, the data or the workers."""
    found = hashlib.sha256(task.model_dump_json(exclude={"model": {"description", "owners", "tags"}}).encode())
    found.update(str(workers).encode())
    data = task.pairs if isinstance(task, PredictTask) else task.data
    for path in sorted(data.rglob("*")):
        if path.is_file():
            # The footer of a Parquet file holds the statistics of every column, and the JSON files are short.
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _FOOTER_BYTES))
                found.update(f"{path.relative_to(data)} {size}".encode())
                found.update(file.read())
    return found.hexdigest()


def _resume_or_start_clean(folder: Path, fingerprint: str) -> None:
    mark = folder / "fingerprint"
    if not mark.exists() or mark.read_text() != fingerprint:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mark.write_text(fingerprint)
    # What a killed run had saved is saved again; its checkpoints and the epochs it logged stay.
    for path in (folder / "output").glob("*"):
        if path.name != "tensorboard":
            _remove(path)
    (folder / "output").mkdir(exist_ok=True)


def _digest_name(task: Task) -> str:
    # A task that adds to a folder leaves the digests of the training alone.
    return "digest.json" if TASKS[task.task].publishes == "folder" else f"{task.task}-digest.json"


def _check_digests(folder: Path, results: list[dict[str, Any]], *, subject: str, name: str) -> None:
    digests = {f"worker-{rank}": result["digest"] for rank, result in enumerate(results) if "digest" in result}
    if len(set(digests.values())) > 1:
        shown = ", ".join(f"{name} {digest[:12]}" for name, digest in digests.items())
        raise LaunchError(
            f"The workers of {subject} ended with different weights ({shown}), so they did not train one model; "
            f"nothing was published, see {folder / 'logs'}"
        )
    if digests:
        (folder / "output" / name).write_text(json.dumps(digests, indent=2) + "\n")


def _publish_folder(folder: Path, out: Path) -> None:
    (folder / "logs").replace(folder / "output" / "logs")
    if out.exists():
        out.replace(folder / "replaced")
    (folder / "output").replace(out)
    shutil.rmtree(folder)


def _recover(folder: Path, out: Path) -> None:
    """Put back what a run was about to replace when it was killed."""
    replaced = folder / "replaced"
    if not replaced.exists():
        return
    if out.exists():
        shutil.rmtree(replaced)
    else:
        replaced.replace(out)


def _publish_entries(folder: Path, task: Task) -> None:
    task.out.mkdir(parents=True, exist_ok=True)
    for path in sorted((folder / "output").iterdir()):
        target = task.out / path.name
        if target.exists():
            _remove(target)
        path.replace(target)
    logs = task.out / "logs"
    logs.mkdir(exist_ok=True)
    for path in (folder / "logs").iterdir():
        path.replace(logs / f"{task.task}-{path.name}")
    shutil.rmtree(folder)


def _publish_file(folder: Path, out: Path) -> None:
    (folder / "output" / out.name).replace(out)
    shutil.rmtree(folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
