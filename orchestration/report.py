"""One page about a product: what came in, what became of it, how the models compare, what was published."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

import polars as pl
from rich.console import Console
from rich.table import Table

from assets.lake import Lake
from assets.stages.raw import raw_table
from training.metrics import METRICS
from training.publish import champion


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


@dataclass
class _Account:
    """What became of the lines of a day, or of several."""

    days: int = 0
    empty: int = 0
    lines: int = 0
    kept: int = 0
    refused: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    gate: Counter[str] = field(default_factory=Counter)

    def add(self, other: _Account) -> None:
        """Count the days of another account as well."""
        for name in ("days", "empty", "lines", "kept", "refused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("quarantined", "removed", "made", "gate"):
            getattr(self, name).update(getattr(other, name))

    def cells(self, fates: Sequence[str]) -> tuple[str, ...]:
        """As the table shows it; a state that holds for every day needs no number."""
        kept = f"{self.kept} ({self.refused} refused)" if self.refused else str(self.kept)
        gate = [state if days == self.days else f"{state} {days}" for state, days in self.gate.most_common()]
        if self.empty:
            gate.append("(no file)" if self.days == 1 else f"{self.empty} of {self.days} days without a file")
        return (str(self.lines), kept, *(_reasons(getattr(self, fate)) for fate in fates), ", ".join(gate) or "-")


def accounting_table(lake: Lake, chain: Chain, days: Sequence[date], *, by: Literal["day", "month"] = "day") -> Table:
    """Rows in, kept, quarantined, removed and made by reason, for each day or month; with several, their sum below."""
    table = Table(title=f"{chain.source} → {chain.table}: every line accounted for", title_justify="left")
    accounts: dict[str, _Account] = {}
    total = _Account()
    raw = _reports(lake, raw_table(chain.source), days)
    for day in days:
        latest = None if day in raw else _latest_report(lake, raw_table(chain.source), day)
        account = _account(raw.get(day), _latest_report(lake, chain.table, day), unpublished=latest)
        accounts.setdefault(f"{day:%Y-%m}" if by == "month" else day.isoformat(), _Account()).add(account)
        total.add(account)
    fates = ("made", "quarantined", "removed") if total.made else ("quarantined", "removed")
    for name in (by, "lines in", "kept", *fates, "gate"):
        table.add_column(name, justify="right" if name in ("lines in", "kept") else "left", overflow="fold")
    for name, account in accounts.items():
        table.add_row(name, *account.cells(fates))
    if len(accounts) > 1:
        table.add_section()
        table.add_row("all", *total.cells(fates))
    return table


def _account(
    raw: Mapping[str, Any] | None,
    clean: Mapping[str, Any] | None,
    *,
    unpublished: Mapping[str, Any] | None = None,
) -> _Account:
    """The account of a day; `unpublished` is that of lines of which too few could be read to publish them."""
    if raw is None:
        if unpublished is None:
            return _Account(days=1, gate=Counter({"not crawled": 1}))
        read = unpublished["accounting"]
        refused = _Account(days=1, lines=read["rows_in"], refused=read["rows_out"], gate=Counter({"unreadable": 1}))
        refused.quarantined.update(read["quarantined"])
        refused.removed.update(read["removed"])
        return refused
    account = _Account(days=1, lines=raw["accounting"]["rows_in"], empty=int(not raw["files"]))
    for report in (raw, clean):
        for fate in ("made", "quarantined", "removed"):
            getattr(account, fate).update(report["accounting"].get(fate, {}) if report else {})
    if clean is not None:
        account.gate[str(clean["gate"])] += 1
        passed = clean["gate"] == "passed"
        account.kept, account.refused = (clean["rows"], 0) if passed else (0, clean["rows"])
    return account


def _reports(lake: Lake, table: str, days: Sequence[date]) -> dict[date, Mapping[str, Any]]:
    """The reports of what is published, by day; the log of a table is read once for all of them."""
    published = lake.published_days(table)
    entries = {day: lake.ledger(table, day, digest=published[day].digest) for day in days if day in published}
    return {day: entry["report"] for day, entry in entries.items() if entry is not None}


def _latest_report(lake: Lake, table: str, day: date) -> Mapping[str, Any] | None:
    """The newest attempt's report, also when its gate refused it."""
    folder = lake.reports.place(table, day)
    digests = [
        info.path.rsplit("/", 1)[-1].removesuffix(".json")
        for info in sorted(lake.reports.files(table, day), key=lambda info: info.modified)
        if info.path.rsplit("/", 1)[0] == folder and info.path.endswith(".json")
    ]
    entry = lake.ledger(table, day, digest=digests[-1]) if digests else None
    report: Mapping[str, Any] | None = entry["report"] if entry else None
    return report


def _reasons(counts: Mapping[str, int]) -> str:
    return "\n".join(f"{reason} {rows}" for reason, rows in sorted(counts.items(), key=lambda pair: -pair[1])) or "-"


def functions_table(lake: Lake, labels: str, days: Sequence[date]) -> Table:
    """What each labelling function did over several days, and what the label model believes of it."""
    reports = [report for report in _reports(lake, labels, days).values() if report["rows"]]
    units = sum(report["rows"] for report in reports)
    methods = Counter(report["method"] for report in reports)
    table = Table(
        title=f"{labels}: {units} units of {len(reports)} days, by "
        + ", ".join(f"{name.replace('_', ' ')} on {n}" for name, n in methods.most_common()),
        title_justify="left",
    )
    columns = ("labelling function", "votes", "coverage", "overlaps", "conflicts", "learned accuracy")
    for name in (columns[0], "votes for", *columns[1:]):
        table.add_column(name, justify="left" if name in (columns[0], "votes for") else "right")
    rows = [row for report in reports for row in report["analysis"]]
    for function in dict.fromkeys(row["function"] for row in rows):
        mine = [row for row in rows if row["function"] == function]
        table.add_row(
            function,
            ", ".join(dict.fromkeys(label for row in mine for label in row["polarity"])) or "-",
            str(sum(row["votes"] for row in mine)),
            *(_number(_mean(mine, share, "rows"), 4) for share in columns[2:5]),
            _number(_mean(mine, "learned_accuracy", "votes"), 4),
        )
    given = Counter[str]()
    for report in reports:
        given.update(report["labelling"]["labels"])
    table.caption = ", ".join(f"{label} {units}" for label, units in given.items())
    table.caption_justify = "left"
    return table


def _mean(rows: Sequence[Mapping[str, Any]], name: str, weight: str) -> float | None:
    known = [row for row in rows if row[name] is not None and row[weight]]
    total = sum(row[weight] for row in known)
    return sum(row[name] * row[weight] for row in known) / total if total else None


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
    # Popularity scores items, not examples: only over the ranked pairs is its AUC comparable with the models'.
    rows = evaluation["candidates"]
    metrics = [metric for metric in METRICS.entries().values() if any(metric.name in row for row in rows)]
    titles = [metric.called(k) for metric in metrics]
    for name in ("model", *titles, "AUC ranked", "KB", "KB gzip", "µs/row", "µs/row batch", ""):
        table.add_column(name, justify="left" if name in ("model", "") else "right")
    for row in rows:
        table.add_row(
            row["name"],
            *(_number(_measured(row, metric.name), 4) for metric in metrics),
            _number(row.get("ranking_auc", row.get("auc") if row.get("auc_of") == "ranking" else None), 4),
            _number(row["bytes"] / 1024 if row.get("bytes") else None, 1),
            _number(row["gzip_bytes"] / 1024 if row.get("gzip_bytes") else None, 1),
            _number(row.get("latency_single_us"), 1),
            _number(row.get("latency_batch_us_per_row"), 2),
            "blessed" if row["name"] == verdict.get("candidate") else "",
        )
    return table


def _measured(row: Mapping[str, Any], metric: str) -> float | None:
    return None if row.get(f"{metric}_of") == "ranking" else row.get(metric)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def model_report(lake: Lake, chain: Chain, day: date) -> tuple[Table, dict[str, str | Path]]:
    """How the models compared, and where the champion and what it recommends lie.

    Raises:
        LookupError: Nothing was published yet.
    """
    current = champion(lake.models(chain.model))
    if current is None:
        raise LookupError(f"{chain.model} has no champion; see its checks in the UI.")
    card = json.loads((current.path / "card.json").read_text(encoding="utf-8"))
    recommended = f"{chain.model}__recommendations"
    users = lake.scan(recommended, start=day, end=day).select(pl.col("user_id").n_unique()).collect().item()
    return evaluation_table(card["evaluation"], card["verdict"]), {
        "blessed": f"{card['candidate']}: {' '.join(card['verdict']['reasons'])}",
        "recommendations": f"for {users} users, in {recommended}",
        "lake": lake.root,
        "champion": current.uri,
        "model card": f"{current.uri}/card.md",
        "data docs": lake.reports.uri(chain.table, day, "docs/index.html"),
    }


def print_report(console: Console, tables: Sequence[Table], notes: Mapping[str, str | Path]) -> None:
    """The tables one below the other, then where things lie."""
    for table in tables:
        console.print(table)
        console.print()
    width = max(len(name) for name in notes)
    for name, value in notes.items():
        console.print(f"{name:<{width}}  {value}", highlight=False, soft_wrap=True)
