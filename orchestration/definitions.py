"""The code location: every declaration under defs/, with its resources."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from orchestration.resources import resources


@dg.definitions
def defs() -> dg.Definitions:
    """Load the declarations and bind resources."""
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(resources=resources(), executor=dg.multiprocess_executor.configured({"max_concurrent": 2})),
    )
