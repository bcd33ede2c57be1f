"""One page about a product: what came in, what became of it, how the models compare, what was published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from assets.lake import Lake
from assets.stages.raw import raw_table


@dataclass(frozen=True)
class Chain:
    """The names of one road through a product."""

    source: str
    table: str
    labels: str
    model: str


@dataclass(frozen=True)
class LabelQuality:
    """How weak labels compare with a planted truth, as shares of the labelled units."""

    units: int
    covered: int
    label_model: float
    majority: float


def accounting_table(lake: Lake, chain: Chain, days: Sequence[date]) -> Table:
    """Rows in, kept, quarantined and removed by reason, for each day."""
    table = Table(title=f"{chain.source} → {chain.table}: every line accounted for", title_justify="left")
    for name in ("day", "lines in", "kept", "quarantined", "removed", "gate"):
        table.add_column(name, justify="right" if name in ("lines in", "kept") else "left", overflow="fold")
    for day in days:
        raw = _report(lake, raw_table(chain.source), day)
        clean = _latest_report(lake, chain.table, day)
        if raw is None:
            table.add_row(day.isoformat(), "-", "-", "-", "-", "not crawled")
            continue
        gate = "-" if clean is None else str(clean["gate"])
        kept = "-" if clean is None else str(clean["rows"]) if gate == "passed" else f"0 ({clean['rows']} refused)"
        table.add_row(
            day.isoformat(),
            str(raw["accounting"]["rows_in"]),
            kept,
            _reasons(raw, clean, "quarantined"),
            _reasons(raw, clean, "removed"),
            gate if raw["accounting"]["rows_in"] or raw["files"] else f"{gate} (no file)",
        )
    return table


def _report(lake: Lake, table: str, day: date) -> Mapping[str, Any] | None:
    entry = lake.ledger(table, day) if lake.exists(table) else None
    return None if entry is None else entry["report"]


def _latest_report(lake: Lake, table: str, day: date) -> Mapping[str, Any] | None:
    """The newest attempt's report, also when its gate refused it."""
    entries = sorted(lake.reports_dir(table, day).glob("*.json"), key=lambda path: path.stat().st_mtime)
    if not entries:
        return None
    report: Mapping[str, Any] = json.loads(entries[-1].read_text(encoding="utf-8"))["report"]
    return report


def _reasons(raw: Mapping[str, Any], clean: Mapping[str, Any] | None, fate: str) -> str:
    counts: dict[str, int] = dict(raw["accounting"][fate])
    for reason, rows in (clean["accounting"][fate] if clean else {}).items():
        counts[reason] = counts.get(reason, 0) + rows
    return "\n".join(f"{reason} {rows}" for reason, rows in sorted(counts.items(), key=lambda pair: -pair[1])) or "-"


def label_table(quality: LabelQuality) -> Table:
    """Label model beside majority vote, against the truth."""
    table = Table(title="Weak labels against the planted truth", title_justify="left")
    for name in ("method", "accuracy", "units labelled", "units in all"):
        table.add_column(name, justify="left" if name == "method" else "right")
    table.add_row("label model", f"{quality.label_model:.4f}", str(quality.covered), str(quality.units))
    table.add_row("majority vote", f"{quality.majority:.4f}", str(quality.covered), str(quality.units))
    return table


def evaluation_table(evaluation: Mapping[str, Any], verdict: Mapping[str, Any]) -> Table:
    """Quality, bytes and latency of each candidate, beside popularity."""
    k = evaluation.get("k", 10)
    table = Table(
        title=f"Models on {evaluation.get('test', 'the days after the training window')}", title_justify="left"
    )
    columns = ("model", "AUC", f"NDCG@{k}", f"recall@{k}", "KB", "KB gzip", "µs/row single", "µs/row batch", "")
    for name in columns:
        table.add_column(name, justify="left" if name in ("model", "") else "right")
    for row in evaluation["candidates"]:
        table.add_row(
            row["name"],
            _number(row.get("auc"), 4),
            _number(row.get("ndcg"), 4),
            _number(row.get("recall"), 4),
            _number(row["bytes"] / 1024 if row.get("bytes") else None, 1),
            _number(row["gzip_bytes"] / 1024 if row.get("gzip_bytes") else None, 1),
            _number(row.get("latency_single_us"), 1),
            _number(row.get("latency_batch_us_per_row"), 2),
            "blessed" if row["name"] == verdict.get("candidate") else "",
        )
    return table


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def print_report(console: Console, tables: Sequence[Table], notes: Mapping[str, str | Path]) -> None:
    """The tables one below the other, then where things lie."""
    for table in tables:
        console.print(table)
        console.print()
    width = max(len(name) for name in notes)
    for name, value in notes.items():
        console.print(f"{name:<{width}}  {value}", highlight=False, soft_wrap=True)
