"""The code location: every declaration under defs/, with its resources."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
from dagster.components.core.component_tree import ComponentTree

from assets.components.loading import load
from orchestration.resources import resources


def executor() -> dg.ExecutorDefinition:
    """How the steps of a run are executed.

    One after the other in the run's own process, unless `SLUICE_PARALLEL_STEPS` says how many may run at once, each in
    a process of its own. Crawls and trainings have their own processes anyway, and the rest is Polars, which uses
    every core by itself: a process for each step would spend more time on imports than on work.
    """
    steps = int(os.environ.get("SLUICE_PARALLEL_STEPS", "1"))
    return dg.in_process_executor if steps <= 1 else dg.multiprocess_executor.configured({"max_concurrent": steps})


@dg.definitions
def defs() -> dg.Definitions:
    """Load the declarations and bind resources."""
    return dg.Definitions.merge(
        load(ComponentTree.for_project(Path(__file__).parent)),
        dg.Definitions(resources=resources(), executor=executor()),
    )
