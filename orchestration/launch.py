"""`python -m orchestration.launch`: what `dg launch` does, with days, counts, refusals and progress, a line each.

Every option of `dg launch` is passed on. What the framework prints goes into a file, which the last line names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus
from rich.console import Console

from orchestration.watch import LaunchError, Watched, launch

USAGE = """\
Usage: python -m orchestration.launch OPTIONS OF dg launch

  --assets SELECTION            such as 'group:shop'
  --job NAME                    such as shop_nightly
  --partition DAY               one day, as YYYY-MM-DD
  --partition-range FIRST...LAST  a backfill in one run

Exit code: 0 when the run succeeded; 1 when it ended red or did not start."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Launch a run and show what happens.

    Returns:
        0 when the run succeeded, else 1.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(width=None if sys.stdout.isatty() else 140)
    if not given or given[0] in ("-h", "--help"):
        console.print(USAGE, markup=False, highlight=False)
        return 0 if given else 1
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(Path("data/dagster").resolve())))
    home.mkdir(parents=True, exist_ok=True)
    log = home / "launch" / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}-{os.getpid()}.log"
    with dg.DagsterInstance.get() as instance:
        try:
            watched = launch(given, instance=instance, console=console, log=log, environment={})
        except LaunchError as error:
            console.print(str(error), style="red", markup=False, highlight=False)
            console.print(f"Everything it printed is in {log}", markup=False, highlight=False)
            return 1
    return _close(console, watched, log)


def _close(console: Console, watched: Watched, log: Path) -> int:
    good = watched.run.status is DagsterRunStatus.SUCCESS
    for failure in watched.failures:
        console.print(f"✗ {failure}", style="red", markup=False, highlight=False)
    outcome = "succeeded" if good else f"ended as {watched.run.status.value}"
    console.print(
        f"Run {watched.run.run_id[:8]} {outcome} after {watched.seconds:.0f} s. Everything it printed is in {log}",
        style="green" if good else "red",
        markup=False,
        highlight=False,
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
