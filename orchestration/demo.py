"""`make demo`: the whole road on the demo shop, for the last several days and then one night, and what came of it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
from dagster import DagsterRunStatus
from rich.console import Console

from assets.lake import Lake
from crawlers.demo import declared_seed, serve, truth
from crawlers.demo.broken import choose
from orchestration.report import (
    Chain,
    LabelQuality,
    accounting_table,
    label_table,
    model_report,
    print_report,
)
from orchestration.resources import DEMO_PII_KEY, PII_KEY_VARIABLE, LakeResource
from orchestration.watch import Watched, launch

CHAIN = Chain(source="shop_clickstream", table="shop_events", labels="shop_engagement", model="shop_ranker")
DATA = "group:shop and not kind:tensorflow and not kind:tflite"
NIGHTLY = "shop_nightly"
SHOP_PORT = 8765


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo.

    Returns:
        0 when a champion was published, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m orchestration.demo", description=__doc__)
    parser.add_argument("--days", type=int, default=8, help="how many days in all; the last one is the night's")
    parser.add_argument("--last", type=date.fromisoformat, help="the last day; yesterday (UTC) when left out")
    chosen = parser.parse_args(arguments)
    last = chosen.last or datetime.now(UTC).date() - timedelta(days=1)
    days = [last - timedelta(days=back) for back in reversed(range(chosen.days))]
    return run(days)


def run(days: Sequence[date]) -> int:
    """Backfill all days but the last, refresh the last, and print the report."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(Path("data/dagster").resolve())))
    home.mkdir(parents=True, exist_ok=True)
    lake = LakeResource().open()
    started = time.monotonic()
    try:
        broken = choose(days, lake.root)
    except ValueError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    logs = home / "demo"
    with _shop(lake.root) as url, dg.DagsterInstance.get() as instance:
        os.environ.setdefault(PII_KEY_VARIABLE, DEMO_PII_KEY)
        environment = {"SHOP_URL": url}
        console.rule("The demo shop")
        fault = (
            f"on {broken} its log has a broken schema: the gate will refuse that day" if broken else "no day is broken"
        )
        console.print(f"It is at {url}, and {fault}.")
        console.rule(f"Backfill of {days[0]} … {days[-2]}, one run")
        backfill = launch(
            ["--assets", DATA, "--partition-range", f"{days[0]}...{days[-2]}"],
            instance=instance,
            console=console,
            log=logs / "backfill.log",
            environment=environment,
        )
        console.rule(f"Nightly refresh of {days[-1]}")
        nightly = launch(
            ["--job", NIGHTLY, "--partition", days[-1].isoformat()],
            instance=instance,
            console=console,
            log=logs / "nightly.log",
            environment=environment,
        )
    console.rule("What came of it")
    _explain(console, backfill, broken, logs / "backfill.log")
    if nightly.run.status is not DagsterRunStatus.SUCCESS:
        console.print(f"[red]The nightly refresh ended as {nightly.run.status.value}:[/red]")
        for failure in nightly.failures:
            console.print(f"  {failure}", markup=False)
        console.print(f"Everything it printed is in {logs / 'nightly.log'}")
        return 1
    _report(console, lake, days, backfill, nightly, time.monotonic() - started)
    return 0


@contextmanager
def _shop(lake: str) -> Iterator[str]:
    """The shop at its usual port, so that a second demo asks the same server what has changed; else at any port."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(serve(port=SHOP_PORT, lake=lake))
        except OSError:
            url = stack.enter_context(serve(lake=lake))
        yield url


def _explain(console: Console, backfill: Watched, broken: date | None, log: Path) -> None:
    if backfill.run.status is DagsterRunStatus.SUCCESS:
        return
    expected = [failure for failure in backfill.failures if "every_day_published" in failure and str(broken) in failure]
    if len(expected) == len(backfill.failures):
        console.print(
            f"The backfill ended red, as it should: the gate refused {broken}, and said so. The other days went on.\n"
        )
        return
    console.print("[red]The backfill had unexpected failures:[/red]")
    for failure in backfill.failures:
        console.print(f"  {failure}", markup=False)
    console.print(f"Everything it printed is in {log}\n")


def _report(
    console: Console, lake: Lake, days: Sequence[date], backfill: Watched, nightly: Watched, seconds: float
) -> None:
    models, notes = model_report(lake, CHAIN, days[-1])
    tables = [
        accounting_table(lake, CHAIN, days),
        label_table(label_quality(lake, CHAIN, days)),
        models,
    ]
    took = f"{seconds:.0f} s (backfill {backfill.seconds:.0f} s, nightly {nightly.seconds:.0f} s)"
    print_report(console, tables, {**notes, "time": took, "see it all": "make ui, then http://127.0.0.1:3000"})


def label_quality(lake: Lake, chain: Chain, days: Sequence[date]) -> LabelQuality:
    """Compare weak labels with what the shop planted; a unit is engaged when one of its events was."""
    seed = declared_seed()
    planted = pl.concat([truth(day, seed).lazy() for day in days]).select("event_id", "engaged")
    unit = ["user_id", "item_id", "session_id", "date"]
    true = (
        lake.scan(chain.table, start=days[0], end=days[-1])
        .join(planted, on="event_id", how="inner")
        .group_by(unit)
        .agg(pl.col("engaged").any())
    )
    joined = lake.scan(chain.labels, start=days[0], end=days[-1]).join(true, on=unit, how="inner")
    right = pl.col("engaged") == (pl.col("label") == "engaged")
    majority = pl.col("engaged") == (pl.col("majority") == "engaged")
    row = joined.select(
        units=pl.len(),
        covered=pl.col("covered").sum(),
        label_model=right.filter("covered").mean(),
        majority=majority.filter("covered").mean(),
    ).collect()
    return LabelQuality(**row.row(0, named=True))


if __name__ == "__main__":
    sys.exit(main())
