import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WRITER = Path(__file__).with_name("writer.py")


def wait_for(condition, what):
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)


class Writer:
    """A writer process, and how to wait for it."""

    def __init__(self, nursery, folder, name, job):
        self.paused, self.outcome = folder / f"{name}.paused", folder / f"{name}.outcome"
        for file in (self.paused, self.outcome):
            file.unlink(missing_ok=True)
        request = folder / f"{name}.json"
        known = {"writer": name, "paused": str(self.paused), "outcome": str(self.outcome)}
        # The nursery started before the test that says where the object store is.
        environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        request.write_text(json.dumps({**known, "environment": environment, **job}))
        nursery.stdin.write(f"{request}\n")
        nursery.stdin.flush()
        self.pid = int(nursery.stdout.readline())

    def alive(self):
        return Path(f"/proc/{self.pid}").exists()

    def wait_until_paused(self):
        wait_for(lambda: self.paused.exists() or not self.alive(), "the writer never came to the step")
        assert self.paused.exists(), self.outcome.read_text()

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        wait_for(lambda: not self.alive(), "the writer outlived its end")
        assert not self.outcome.exists()

    def finish(self):
        wait_for(lambda: not self.alive(), "the writer never ended")
        assert self.outcome.read_text() == "done"


@pytest.fixture(scope="session")
def nursery():
    with subprocess.Popen(
        [sys.executable, str(WRITER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def start(nursery, tmp_path):
    started = []

    def start(name, **job):
        started.append(Writer(nursery, tmp_path, name, job))
        return started[-1]

    yield start
    for writer in started:
        if writer.alive():
            os.kill(writer.pid, signal.SIGKILL)
