"""`python -m expectations.profile FILES…`: propose a gate from a table's history, as YAML to copy into its declaration.

Each argument is a partition: a Parquet file, a folder or a glob, or `DELTA_TABLE@YYYY-MM-DD` for a day of a Delta
table that is partitioned by `date`; a Delta table without a day stands for its newest 28 days. What is proposed held
in all of them, with some room to breathe; what it should be is for a person to say.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from expectations.history import MOST_CATEGORIES, ColumnProfile, Profile, learn, profile

# With so few rows in all, a set of values or a uniqueness may be chance.
FEWEST_ROWS = 20
# Of a Delta table, when no day is named.
MOST_DAYS = 28
# Bounds of numbers are widened by this share of what has been seen.
ROOM = 0.25


def propose(history: Sequence[Profile]) -> list[dict[str, Any]]:
    """A gate in the short form that every partition of a history meets.

    Args:
        history: Profiles of good partitions; empty ones are left out.
    """
    past = [each for each in history if each.rows]
    if not past:
        return []
    counts = learn([each.rows for each in past], deviations=6.0, slack=0.5)
    rows = {"min_value": min(max(1, int(counts.low)), *(each.rows for each in past)), "severity": "warning"}
    gate: list[dict[str, Any]] = [{"expect_table_row_count_to_be_between": rows}]
    for name in dict.fromkeys(name for each in past for name in each.columns):
        columns = [(each.rows, each.columns[name]) for each in past if name in each.columns]
        if len(columns) < len(past):
            # A column that has come or gone is nothing to rely on.
            continue
        gate.extend(_of_column(name, columns))
    return gate


def _of_column(name: str, past: Sequence[tuple[int, ColumnProfile]]) -> list[dict[str, Any]]:
    total = sum(rows for rows, _ in past)
    proposed: list[dict[str, Any]] = []
    worst = max(column.null_share for _, column in past)
    if worst == 0:
        proposed.append({"expect_column_values_to_not_be_null": {"column": name}})
    elif worst < 0.5:
        share = {"column": name, "mostly": _down(1 - worst - (worst * ROOM)), "severity": "warning"}
        proposed.append({"expect_column_values_to_not_be_null": share})
    if total < FEWEST_ROWS:
        return proposed
    shares = [column.shares for _, column in past]
    if all(shares):
        values = sorted({value for each in shares if each for value in each})
        if len(values) <= MOST_CATEGORIES and len(values) < total / 10 and values != ["false", "true"]:
            proposed.append({"expect_column_values_to_be_in_set": {"column": name, "value_set": values}})
    lows = [column.minimum for _, column in past if column.minimum is not None]
    highs = [column.maximum for _, column in past if column.maximum is not None]
    means = [column.mean for _, column in past if column.mean is not None]
    if lows and highs and means:
        if min(lows) >= 0:
            proposed.append({"expect_column_values_to_be_between": {"column": name, "min_value": 0}})
        bounds = learn(means, deviations=6.0, slack=ROOM)
        limits = {
            "min_value": _round(min(bounds.low, *means), up=False),
            "max_value": _round(max(bounds.high, *means), up=True),
        }
        proposed.append({"expect_column_mean_to_be_between": {"column": name, **limits, "severity": "warning"}})
    return proposed


def _down(share: float) -> float:
    return max(0.0, int(share * 100) / 100)


def _round(value: float, *, up: bool) -> float:
    """Three digits, away from what has been seen."""
    if value == 0:
        return 0.0
    rounded = float(f"{value:.3g}")
    if (rounded < value) == up and rounded != value:
        step = abs(value) * 0.01
        rounded = float(f"{value + step if up else value - step:.3g}")
    return rounded


def as_yaml(gate: Sequence[Mapping[str, Any]]) -> str:
    """A gate as it stands in a declaration, one expectation a line."""
    lines = ["gate:"]
    for entry in gate:
        ((kind, arguments),) = entry.items()
        written = yaml.safe_dump(
            dict(arguments), default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True
        )
        lines.append(f"  - {kind}: {written.strip()}")
    return "\n".join(lines) + "\n"


def read(partition: str, number: int) -> tuple[pl.LazyFrame, date]:
    """A partition's rows and its day; the order of the arguments stands for the days where no name tells one."""
    table, at, day = partition.rpartition("@")
    if at and re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
        chosen = date.fromisoformat(day)
        frame = pl.scan_delta(table)
        kind = frame.collect_schema().get("date")
        return frame.filter(pl.col("date") == (pl.lit(day) if kind == pl.String else pl.lit(chosen))), chosen
    named = re.search(r"\d{4}-\d{2}-\d{2}", partition)
    path = Path(partition)
    source = str(path / "**/*.parquet") if path.is_dir() else partition
    chosen = date.fromisoformat(named[0]) if named else date(1970, 1, 1) + timedelta(days=number)
    return pl.scan_parquet(source), chosen


def expand(argument: str) -> list[str]:
    """The partitions that an argument names: of a Delta table without a day, the newest ones."""
    if not (Path(argument) / "_delta_log").is_dir():
        return [argument]
    days = pl.scan_delta(argument).select(pl.col("date").cast(pl.String).unique().sort()).collect()["date"]
    return [f"{argument}@{day}" for day in days.tail(MOST_DAYS)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a gate for the partitions named."""
    parser = argparse.ArgumentParser(
        prog="python -m expectations.profile", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument(
        "partitions", nargs="+", metavar="PARTITION", help="Parquet file, folder, glob, Delta table or TABLE@DATE"
    )
    chosen = parser.parse_args(arguments)
    history: list[Profile] = []
    for argument in chosen.partitions:
        try:
            for partition in expand(argument):
                frame, day = read(partition, len(history))
                history.append(profile(frame, day=day))
        except (OSError, pl.exceptions.PolarsError) as error:
            print(f"{argument} cannot be read: {str(error).splitlines()[0]}", file=sys.stderr)  # noqa: T201 - a command
            return 1
    print(as_yaml(propose(history)), end="")  # noqa: T201 - the command's answer
    return 0


if __name__ == "__main__":
    sys.exit(main())
