"""Where things are kept, which secrets there are, and who starts crawls and trainings."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from assets.lake import Lake

PII_KEY_VARIABLE = "SLUICE_PII_KEY"
DEMO_PII_KEY = "sluice-demo-key-protects-nobody"  # the demo's people are invented


class LakeResource(dg.ConfigurableResource[Lake]):
    """The lake: Delta tables, landing, reports and models.

    How an object store is reached stands in the environment: see `foundation.store.storage_options`.

    Attributes:
        root: A folder or an object-store URI; `SLUICE_LAKE`, or `data/lake` in the current folder.
    """

    root: str = ""

    def open(self) -> Lake:
        """The lake at the configured place."""
        root = self.root or os.environ.get("SLUICE_LAKE", "") or str(Path("data/lake").resolve())
        return Lake(root)


class SecretsResource(dg.ConfigurableResource[None]):
    """Secrets, read from the environment when they are needed and never stored."""

    def pii_key(self, *, demo: bool) -> bytes | None:
        """The key for hashing personal data, or None when there is none.

        Args:
            demo: The data comes from the demo shop, whose people are invented: a fixed key does when none is set.
        """
        key = os.environ.get(PII_KEY_VARIABLE, "")
        if not key and demo:
            key = DEMO_PII_KEY
        return key.encode() if key else None


class ProcessResource(dg.ConfigurableResource[None]):
    """Runs a module of Sluice in a process of its own, with Dagster Pipes between them.

    Attributes:
        module: What `python -m` runs: `crawlers` or `training`.
        environment: Variables that are added to the process's environment.
    """

    module: str
    environment: dict[str, str] = Field(default_factory=dict)

    def run(
        self, context: dg.AssetExecutionContext, arguments: Sequence[str], *, request: Mapping[str, Any] | None = None
    ) -> Sequence[Any]:
        """Run the module and wait; its log lines reach the run as they are written.

        Args:
            context: The step's context.
            arguments: The command line after the module.
            request: Written to a JSON file for the process's life, whose path is appended to the arguments.

        Returns:
            The custom messages that the process reported, in order.

        Raises:
            dagster_pipes or dagster errors: The process could not start, or ended with an error.
        """
        with tempfile.TemporaryDirectory(prefix=f"sluice-{self.module}-") as folder:
            command = [sys.executable, "-m", self.module, *arguments]
            if request is not None:
                path = Path(folder) / "request.json"
                path.write_text(json.dumps(request), encoding="utf-8")
                command.append(str(path))
            invocation = dg.PipesSubprocessClient(forward_termination=True).run(
                context=context, command=command, env=self.environment or None
            )
            return invocation.get_custom_messages()


def resources() -> dict[str, Any]:
    """The resources that the components ask for, by key."""
    return {
        "lake": LakeResource(),
        "secrets": SecretsResource(),
        "crawler": ProcessResource(module="crawlers"),
        "launcher": ProcessResource(module="training"),
    }
