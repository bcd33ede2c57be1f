"""`make real`: the Online Retail product over all of its days, through Dagster, and what came of it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus
from rich.console import Console

from assets.lake import Lake
from orchestration.report import Chain, accounting_table, functions_table, model_report, print_report
from orchestration.resources import PII_KEY_VARIABLE, LakeResource
from orchestration.watch import Watched, launch
from tests.real.online_retail import data
from tests.real.online_retail.site import serve

LOCATION = f"{__package__}.definitions"
CHAIN = Chain(source="retail_invoices", table="retail_events", labels="retail_satisfaction", model="retail_ranker")
DATA = "group:retail and not kind:tensorflow and not kind:tflite"
MODEL = "group:retail and (kind:tensorflow or kind:tflite)"
PUBLIC_KEY = "online-retail-is-public"  # the data set's customers are numbers already
PACE_SECONDS = 10
PORT = 8766


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the product.

    Returns:
        0 when every day and the model were published, or when there is no data; else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.real.online_retail", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("data/real"), help="where everything is kept")
    parser.add_argument("--first", type=date.fromisoformat, default=data.FIRST)
    parser.add_argument("--last", type=date.fromisoformat, default=data.LAST)
    chosen = parser.parse_args(arguments)
    if reason := data.missing():
        print(f"Skipped: {reason}")
        return 0
    return run(chosen.home.resolve(), data.days(chosen.first, chosen.last))


def settle(home: Path) -> Mapping[str, str]:
    """Make the folders of a home; the environment that a run in it needs."""
    dagster = home / "dagster"
    dagster.mkdir(parents=True, exist_ok=True)
    if not (dagster / "dagster.yaml").exists():
        shutil.copyfile(data.PROJECT / "orchestration" / "dagster.yaml", dagster / "dagster.yaml")
    return {
        "DAGSTER_HOME": str(dagster),
        "SLUICE_LAKE": str(home / "lake"),
        PII_KEY_VARIABLE: os.environ.get(PII_KEY_VARIABLE) or PUBLIC_KEY,
    }


def materialize(
    what: str, where: Sequence[str], *, instance: dg.DagsterInstance, console: Console, log: Path, url: str
) -> Watched:
    """Launch one run of this code location.

    Args:
        what: The selection of assets.
        where: The option that names the partitions.
        instance: Where the run is recorded.
        console: Where progress is printed.
        log: Everything the run prints.
        url: Where the site is.
    """
    return launch(
        ["-m", LOCATION, "-d", str(data.PROJECT), "--assets", what, *where],
        instance=instance,
        console=console,
        log=log,
        environment={"RETAIL_URL": url},
        pace=PACE_SECONDS,
    )


def run(home: Path, days: Sequence[date]) -> int:
    """Backfill all days in one run, train as of the last one, and print the report."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    os.environ.update(settle(home))
    lake = LakeResource().open()
    started = time.monotonic()
    with serve(data.folder(), port=PORT) as site, dg.DagsterInstance.get() as instance:
        console.rule("UCI Online Retail")
        console.print(f"{data.folder()} is served at {site.url}")
        runs = []
        for title, what, where in (
            (f"Backfill of {days[0]} … {days[-1]}, one run", DATA, ["--partition-range", f"{days[0]}...{days[-1]}"]),
            (f"The model as of {days[-1]}", MODEL, ["--partition", days[-1].isoformat()]),
        ):
            console.rule(title)
            log = home / f"run-{len(runs) + 1}.log"
            runs.append(materialize(what, where, instance=instance, console=console, log=log, url=site.url))
            if runs[-1].run.status is not DagsterRunStatus.SUCCESS:
                break
        fetched, kept = len(site.files(200)), len(site.files(304))
    console.rule("What came of it")
    for watched in runs:
        for failure in watched.failures:
            console.print(failure, style="red", markup=False)
    took = ", ".join(f"{watched.seconds:.0f} s" for watched in runs)
    notes = {
        "crawled": f"{fetched} files fetched, {kept} unchanged since the last time",
        "time": f"{time.monotonic() - started:.0f} s (runs: {took})",
        "logs": home / "run-*.log",
        "see it all": f"DAGSTER_HOME={home / 'dagster'} SLUICE_LAKE={lake.root} dagster-webserver -m {LOCATION}",
    }
    return _report(console, lake, days, notes, published=len(runs) == 2 and not runs[-1].failures)


def _report(
    console: Console, lake: Lake, days: Sequence[date], notes: Mapping[str, str | Path], *, published: bool
) -> int:
    tables = [accounting_table(lake, CHAIN, days, by="month"), functions_table(lake, CHAIN.labels, days)]
    if not published:
        print_report(console, tables, notes)
        return 1
    models, lies = model_report(lake, CHAIN, days[-1])
    print_report(console, [*tables, models], {**lies, **notes})
    return 0


if __name__ == "__main__":
    sys.exit(main())
