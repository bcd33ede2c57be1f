"""Workers as processes of this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from training.launchers.launcher import LAUNCHERS, LaunchError, Relay
from training.progress import ProgressReader
from training.worker import FOLDER, SUPERVISED, THREADS, progress_path

_POLL_SECONDS = 0.1
_RELEASE_SECONDS = 2
_LAST_LINES = 20


class _FaultError(Exception):
    """Something that a restart may mend."""

    def __init__(self, rank: int, reason: str) -> None:
        super().__init__(reason)
        self.rank = rank


@dataclass(slots=True)
class _Process:
    rank: int
    popen: subprocess.Popen[bytes]
    reader: ProgressReader
    phase: str = "starting Python"
    ready: bool = False
    result: dict[str, Any] | None = None
    stamp: int = 0


@LAUNCHERS.registered("local")
@dataclass(frozen=True)
class LocalLauncher:
    """Workers as processes of this machine.

    Attributes:
        start_deadline: From the start of the workers to the first step of each: a peer that never starts would hang
            the others for good.
        freeze_deadline: How long no worker may show progress.
        max_restarts: How often all workers are started again after a fault.
        python: The interpreter of the workers.
    """

    start_deadline: timedelta = timedelta(minutes=3)
    freeze_deadline: timedelta = timedelta(minutes=3)
    max_restarts: int = 2
    python: str = sys.executable

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
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        for attempt in range(1, self.max_restarts + 2):
            try:
                return self._attempt(task_file, workers, folder, relay, attempt)
            except _FaultError as fault:
                reason, rank = str(fault), fault.rank
                if attempt <= self.max_restarts:
                    relay(
                        {"restart": attempt, "reason": reason},
                        f"{subject}: {reason}; all workers start again ({attempt} of {self.max_restarts} restarts)",
                    )
        raise LaunchError(
            f"{subject} failed after {self.max_restarts + 1} attempts: {reason}\n{_log_end(folder, rank)}"
        )

    def _attempt(self, task_file: Path, workers: int, folder: Path, relay: Relay, attempt: int) -> list[dict[str, Any]]:
        addresses = [f"127.0.0.1:{port}" for port in _free_ports(workers)]
        processes: list[_Process] = []
        with ExitStack() as stack:
            # However this ends, no worker outlives it.
            stack.callback(_kill, processes)
            for rank in range(workers):
                log = stack.enter_context((folder / "logs" / f"worker-{rank}.log").open("ab"))
                log.write(f"--- attempt {attempt}\n".encode())
                log.flush()
                processes.append(self._start(task_file, rank, addresses, folder, log))
            self._watch(processes, relay)
            _release(processes)
            return [process.result or {} for process in processes]

    def _start(self, task_file: Path, rank: int, addresses: list[str], folder: Path, log: IO[bytes]) -> _Process:
        path = progress_path(folder, rank)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        cores = len(os.sched_getaffinity(0))
        threads = str(max(1, cores // len(addresses)))
        environment = {
            **os.environ,
            "TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}),
            "TF_USE_LEGACY_KERAS": "1",
            "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
            "POLARS_MAX_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "PYTHONUNBUFFERED": "1",
            SUPERVISED: "1",
            THREADS: threads,
            FOLDER: str(folder.absolute()),
            **_own_gpu(rank, len(addresses)),
        }
        popen = subprocess.Popen(
            [self.python, "-m", "training", str(task_file)],
            env=environment,
            stdin=subprocess.PIPE,
            # What a worker that is gone did not take must not come up again when the pipe is closed.
            bufsize=0,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A key pressed at the terminal is for the supervisor, which ends the workers itself.
            start_new_session=True,
        )
        return _Process(rank, popen, ProgressReader(path))

    def _watch(self, processes: list[_Process], relay: Relay) -> None:
        began = moved = time.monotonic()
        while True:
            codes = [process.popen.poll() for process in processes]
            for process in processes:
                try:
                    _read(process, relay)
                except _FaultError:
                    _blame_the_killed(processes)
                    raise
                stamp = process.reader.stamp()
                if stamp != process.stamp:
                    process.stamp, moved = stamp, time.monotonic()
            if all(process.result is not None for process in processes):
                return
            for process, code in zip(processes, codes, strict=True):
                if code is not None:
                    raise _ended(process, code)
            now = time.monotonic()
            late = [process for process in processes if not process.ready and process.result is None]
            if late and now - began > self.start_deadline.total_seconds():
                raise _FaultError(
                    late[0].rank,
                    f"worker {late[0].rank} did not start within {self.start_deadline.total_seconds():g} s "
                    f"({_state(late[0])}while {late[0].phase})",
                )
            if not late and now - moved > self.freeze_deadline.total_seconds():
                stopped = [process for process in processes if _state(process)] or processes[:1]
                raise _FaultError(
                    stopped[0].rank,
                    f"no worker made progress for {self.freeze_deadline.total_seconds():g} s "
                    f"(worker {stopped[0].rank}: {_state(stopped[0])}while {stopped[0].phase})",
                )
            time.sleep(_POLL_SECONDS)


def _read(process: _Process, relay: Relay) -> None:
    for event in process.reader.events():
        match event["kind"]:
            case "phase":
                process.phase = event["phase"]
            case "ready":
                process.ready = True
            case "done":
                process.result = event["result"]
            case "report":
                relay(event["payload"], event["line"])
            case "failed" if event["permanent"]:
                raise LaunchError(event["message"])
            case "failed":
                raise _FaultError(
                    process.rank, f"worker {process.rank} failed while {process.phase}: {event['message']}"
                )


def _blame_the_killed(processes: list[_Process]) -> None:
    """A killed worker takes the others along, and they may be the first to be heard."""
    for process in processes:
        code = process.popen.poll()
        if code is not None and code < 0:
            raise _ended(process, code) from None


def _ended(process: _Process, code: int) -> _FaultError:
    return _FaultError(process.rank, f"worker {process.rank} {_end(code)} while {process.phase}")


def _kill(processes: list[_Process]) -> None:
    for process in processes:
        process.popen.kill()
    for process in processes:
        process.popen.wait()
        if process.popen.stdin is not None:
            process.popen.stdin.close()


def _release(processes: list[_Process]) -> None:
    """Let workers that are done go; whoever does not is killed, for it is done in any case."""
    with suppress(BrokenPipeError, subprocess.TimeoutExpired):
        for process in processes:
            if process.popen.stdin is not None:
                process.popen.stdin.write(b".")
        for process in processes:
            process.popen.wait(timeout=_RELEASE_SECONDS)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _own_gpu(rank: int, workers: int) -> dict[str, str]:
    """One GPU for each worker, where there are enough of them."""
    declared = os.environ.get("CUDA_VISIBLE_DEVICES")
    if declared is not None:
        gpus = [one for one in declared.split(",") if one not in ("", "-1")]
    else:
        gpus = [str(index) for index in range(64) if Path(f"/dev/nvidia{index}").exists()]
    return {"CUDA_VISIBLE_DEVICES": gpus[rank]} if len(gpus) >= workers else {"CUDA_VISIBLE_DEVICES": "-1"}


def _end(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _state(process: _Process) -> str:
    try:
        state = Path(f"/proc/{process.popen.pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""
    return "stopped " if state in "Tt" else ""


def _log_end(folder: Path, rank: int) -> str:
    path = folder / "logs" / f"worker-{rank}.log"
    lines = path.read_text(errors="replace").splitlines()[-_LAST_LINES:]
    return f"Last lines of {path}:\n" + "\n".join(f"    {line[:300]}" for line in lines)
