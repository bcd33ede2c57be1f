"""What a worker process tells its supervisor: lines of JSON in a file, and the file's time as the heartbeat."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_BEAT_SECONDS = 0.5


class ProgressWriter:
    """The worker's side; also usable without a file, when nobody listens."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._last_beat = 0.0

    def beat(self) -> None:
        """Say that work goes on; cheap enough to be called every step."""
        now = time.monotonic()
        if self._path is not None and now - self._last_beat > _BEAT_SECONDS:
            self._last_beat = now
            os.utime(self._path)

    def phase(self, name: str) -> None:
        """Say what is being done now; named in messages about a worker that hangs."""
        self._write({"kind": "phase", "phase": name})

    def ready(self) -> None:
        """Say that the start is over: the first step is done."""
        self._write({"kind": "ready"})

    def report(self, payload: Mapping[str, Any], line: str) -> None:
        """Pass a message on to whoever watches the run.

        Args:
            payload: For machines; JSON.
            line: For people.
        """
        self._write({"kind": "report", "payload": dict(payload), "line": line})

    def log(self, line: str) -> None:
        """Pass a line on to whoever watches the run."""
        self._write({"kind": "report", "payload": None, "line": line})

    def done(self, result: Mapping[str, Any]) -> None:
        """Say that the work is complete and its files are written."""
        self._write({"kind": "done", "result": dict(result)})

    def failed(self, message: str, *, permanent: bool) -> None:
        """Say that the work failed; a permanent failure is not tried again."""
        self._write({"kind": "failed", "message": message, "permanent": permanent})

    def _write(self, event: Mapping[str, Any]) -> None:
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(event) + "\n")


class ProgressReader:
    """The supervisor's side."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = ""

    def events(self) -> list[dict[str, Any]]:
        """The events since the last call; a line that is still being written waits for the next."""
        with self._path.open() as file:
            file.seek(self._offset)
            text = self._rest + file.read()
            self._offset = file.tell()
        *lines, self._rest = text.split("\n")
        return [json.loads(line) for line in lines if line]

    def stamp(self) -> int:
        """Changes whenever the worker gave a sign of life; only equality means anything, clocks may differ."""
        return self._path.stat().st_mtime_ns
