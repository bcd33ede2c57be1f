"""A code location of its own: the declarations beside this file, with Sluice's resources and executor."""

from __future__ import annotations

import importlib
from pathlib import Path

import dagster as dg
from dagster.components.core.component_tree import ComponentTree

from assets.components.loading import load
from orchestration.definitions import executor
from orchestration.resources import resources

PROJECT = Path(__file__).parents[3]
DEFS_MODULE = f"{__package__}.defs"


@dg.definitions
def defs() -> dg.Definitions:
    """Load the declarations and bind resources.

    `dg.load_from_defs_folder` reads the one defs folder that pyproject.toml names, so this second one is loaded by the
    component tree that it would build.
    """
    tree = ComponentTree.from_module(defs_module=importlib.import_module(DEFS_MODULE), project_root=PROJECT)
    return dg.Definitions.merge(load(tree), dg.Definitions(resources=resources(), executor=executor()))
