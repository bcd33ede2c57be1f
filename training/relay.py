"""Where the supervisor's news go: to the Dagster run that started it, or to the terminal."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster_pipes import open_dagster_pipes

from training.launchers import Relay

PIPES = "DAGSTER_PIPES_CONTEXT"
"""The variable by which a Dagster run says that it listens."""


@contextmanager
def open_relay() -> Iterator[Relay]:
    """Open Dagster Pipes when this process was started by a run, and print otherwise."""
    if PIPES not in os.environ:

        def show(payload: Mapping[str, Any] | None, line: str) -> None:  # noqa: ARG001 - one signature for both
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

        yield show
        return

    with open_dagster_pipes() as pipes:

        def send(payload: Mapping[str, Any] | None, line: str) -> None:
            if payload is not None:
                pipes.report_custom_message(dict(payload))
            pipes.log.info(line)

        yield send
