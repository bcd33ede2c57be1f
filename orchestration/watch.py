"""Launch a run with `dg launch` and show its progress, line by line, as it happens."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster import DagsterEventType, DagsterRun, EventLogEntry
from rich.console import Console

# A check that every day is there is worth a line when it fails; and of what carries messages, nobody wants to hear.
QUIET_STEPS = ("_every_day_published",)
QUIET_LINES = ("[pipes]",)
POLL_SECONDS = 0.5
TAIL_LINES = 30


class LaunchError(RuntimeError):
    """`dg launch` ended before a run existed."""


@dataclass(frozen=True)
class Watched:
    """A finished run."""

    run: DagsterRun
    seconds: float
    failures: tuple[str, ...]


def launch(
    arguments: Sequence[str],
    *,
    instance: dg.DagsterInstance,
    console: Console,
    log: Path,
    environment: Mapping[str, str],
    pace: float = 0,
) -> Watched:
    """Run `dg launch` with these arguments and print what happens.

    Args:
        arguments: After `dg launch`.
        instance: Where the run is recorded.
        console: Where progress is printed.
        log: Everything the process prints, for reading after a failure.
        environment: Variables on top of the current ones.
        pace: Seconds between two lines of what goes well in a step, so that a year is not thousands of them.

    Raises:
        LaunchError: No run was started; the last lines of the log are in the message.
    """
    started = time.time()
    console.print(f"[bold]$ dg launch {' '.join(arguments)}[/bold]", highlight=False)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("dg")), "launch", *arguments],
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
        watcher = _Watcher(instance, console, started, pace)
        try:
            while process.poll() is None:
                watcher.look()
                time.sleep(POLL_SECONDS)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)
        watcher.look()
    if watcher.run_id is None:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        raise LaunchError("dg launch did not start a run:\n" + "\n".join(tail))
    run = instance.get_run_by_id(watcher.run_id)
    if run is None:
        raise LaunchError(f"Run {watcher.run_id} is not in the instance any more.")
    return Watched(run, time.time() - started, tuple(watcher.failures))


class _Watcher:
    """Prints the events of the newest run that began after `since`."""

    def __init__(self, instance: dg.DagsterInstance, console: Console, since: float, pace: float) -> None:
        self._instance = instance
        self._console = console
        self._since = since
        self._pace = pace
        self._shown: dict[str, float] = {}
        self._cursor: str | None = None
        self._steps: int | None = None
        self._done = 0
        self.run_id: str | None = None
        self.failures: list[str] = []

    def look(self) -> None:
        if self.run_id is None:
            records = self._instance.get_run_records(limit=1)
            if not records or records[0].create_timestamp.timestamp() < self._since - 1:
                return
            self.run_id = records[0].dagster_run.run_id
        more = True
        while more:
            found = self._instance.get_records_for_run(self.run_id, cursor=self._cursor, limit=500)
            for record in found.records:
                self._show(record.event_log_entry)
            self._cursor, more = found.cursor, found.has_more

    def _progress(self) -> str:
        """How many of the run's steps are done; empty as long as nobody knows how many there are."""
        if self._steps is None and self.run_id is not None:
            run = self._instance.get_run_by_id(self.run_id)
            plan = (
                self._instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id)
                if run and run.execution_plan_snapshot_id
                else None
            )
            self._steps = len(plan.step_keys_to_execute) if plan else None
        return f" ({self._done} of {self._steps} steps)" if self._steps else ""

    def _is_due(self, step: str, level: int, time: float) -> bool:
        if level < logging.WARNING and time - self._shown.get(step, 0) < self._pace:
            return False
        self._shown[step] = time
        return True

    def _show(self, entry: EventLogEntry) -> None:
        elapsed = f"{entry.timestamp - self._since:6.1f}s"
        event = entry.dagster_event
        if event is None:
            level = int(entry.level)
            if level >= logging.INFO and entry.step_key and self._is_due(entry.step_key, level, entry.timestamp):
                colour = "red" if level >= logging.ERROR else "yellow" if level >= logging.WARNING else "default"
                first = entry.user_message.splitlines()[0] if entry.user_message else ""
                if not first.startswith(QUIET_LINES):
                    self._console.print(
                        f"{elapsed}    {entry.step_key}: {first}", style=colour, highlight=False, markup=False
                    )
            return
        quiet = (event.step_key or "").endswith(QUIET_STEPS)
        match event.event_type:
            case DagsterEventType.STEP_START if not quiet:
                self._console.print(f"{elapsed}  ▶ {event.step_key}", highlight=False)
            case DagsterEventType.STEP_SUCCESS:
                self._done += 1
                took = event.step_success_data.duration_ms / 1000
                if not quiet:
                    line = f"{elapsed}  ✓ {event.step_key} in {took:.1f}s{self._progress()}"
                    self._console.print(line, style="green", highlight=False)
            case DagsterEventType.STEP_FAILURE:
                self._done += 1
                data = event.step_failure_data
                text = (data.user_failure_data.description if data.user_failure_data else None) or (
                    data.error.message if data.error else ""
                )
                self.failures.append(f"{event.step_key}: {(text or '').strip()}")
                self._console.print(
                    f"{elapsed}  ✗ {event.step_key}: {text}", style="red", highlight=False, markup=False
                )
            case DagsterEventType.STEP_UP_FOR_RETRY:
                self._console.print(f"{elapsed}  ↻ {event.step_key}: trying again", style="yellow", highlight=False)
            case _:
                pass
