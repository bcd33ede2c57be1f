"""The tables at the end of a demo: every line of every day, by day and by month."""

import io
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console
from rich.table import Table

from assets.lake import Lake, digest
from orchestration.report import Chain, accounting_table, functions_table

CHAIN = Chain(source="clicks", table="events", labels="liking", model="ranker")
DAYS = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 2), date(2026, 2, 3)]


def publish(lake: Lake, table: str, day: date, report: Mapping[str, object]) -> None:
    rows = pl.LazyFrame({"item_id": ["a"] * int(str(report["rows"]))}, schema={"item_id": pl.String})
    staged = lake.stage(table, day, rows, digest=digest(table, day.isoformat()), run_id="run")
    lake.write_ledger(table, day, staged.digest, {"report": report, "checks": []})
    if report.get("gate") != "refused":
        lake.publish(staged)


def accounting(lines: int, kept: int, quarantined: Mapping[str, int], removed: Mapping[str, int]) -> dict[str, object]:
    return {"rows_in": lines, "rows_out": kept, "quarantined": quarantined, "removed": removed}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two good days, one refused, one that was never crawled; the second good one has no file."""
    made = Lake(str(tmp_path))
    raw = accounting(10, 9, {"not_json": 1}, {})
    clean = accounting(9, 6, {"no_user": 2}, {"duplicate": 1})
    nothing = accounting(0, 0, {}, {})
    publish(made, "clicks__raw", DAYS[0], {"rows": 9, "files": 2, "accounting": raw})
    publish(made, "events", DAYS[0], {"rows": 6, "gate": "passed", "accounting": clean})
    publish(made, "clicks__raw", DAYS[1], {"rows": 0, "files": 0, "accounting": nothing})
    publish(made, "events", DAYS[1], {"rows": 0, "gate": "passed", "accounting": nothing})
    publish(made, "clicks__raw", DAYS[2], {"rows": 9, "files": 2, "accounting": raw})
    publish(made, "events", DAYS[2], {"rows": 6, "gate": "refused", "accounting": clean})
    return made


def test_rows_that_were_made_have_a_column_where_there_are_any(lake: Lake) -> None:
    clean = accounting(9, 10, {}, {}) | {"made": {"exploded_items": 1}}
    publish(lake, "clicks__raw", DAYS[3], {"rows": 9, "files": 1, "accounting": accounting(9, 9, {}, {})})
    publish(lake, "events", DAYS[3], {"rows": 10, "gate": "passed", "accounting": clean})
    assert "made" not in [column.header for column in accounting_table(lake, CHAIN, DAYS[:3]).columns]
    table = accounting_table(lake, CHAIN, DAYS)
    assert table.columns[3].header == "made"
    assert cells(table)[str(DAYS[3])][1:4] == ["9", "10", "exploded_items 1"]


def cells(table: Table) -> dict[str, list[str]]:
    with io.StringIO() as page:
        Console(file=page, width=200).print(table)
        lines = page.getvalue().splitlines()
    split = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    rows: dict[str, list[str]] = {}
    last = ""
    for row in split:
        last = row[0] or last
        rows[last] = [f"{a} {b}".strip() for a, b in zip(rows.get(last, [""] * len(row)), row, strict=True)]
    return rows


def test_each_day_has_its_account(lake):
    rows = cells(accounting_table(lake, CHAIN, DAYS))
    assert rows["2026-01-31"][1:] == ["10", "6", "no_user 2 not_json 1", "duplicate 1", "passed"]
    assert rows["2026-02-01"][1:] == ["0", "0", "-", "-", "passed, (no file)"]
    assert rows["2026-02-02"][1:] == ["10", "0 (6 refused)", "no_user 2 not_json 1", "duplicate 1", "refused"]
    assert rows["2026-02-03"][1:] == ["0", "0", "-", "-", "not crawled"]


def test_a_day_of_which_too_little_can_be_read_is_not_one_that_nobody_crawled(lake):
    unreadable = {"rows": 2, "files": 1, "gate": "refused", "accounting": accounting(9, 2, {"not_json": 7}, {})}
    publish(lake, "clicks__raw", DAYS[3], unreadable)
    rows = cells(accounting_table(lake, CHAIN, DAYS))
    assert rows["2026-02-03"][1:] == ["9", "0 (2 refused)", "not_json 7", "-", "unreadable"]
    assert rows["all"][1] == "29"


def test_months_and_the_whole_are_sums_of_days(lake):
    rows = cells(accounting_table(lake, CHAIN, DAYS, by="month"))
    assert set(rows) == {"2026-01", "2026-02", "all"}
    assert rows["2026-02"][1:5] == ["10", "0 (6 refused)", "no_user 2 not_json 1", "duplicate 1"]
    assert rows["2026-02"][5] == "passed 1, refused 1, not crawled 1, 1 of 3 days without a file"
    assert rows["all"][1:5] == ["20", "6 (6 refused)", "no_user 4 not_json 2", "duplicate 2"]


def test_functions_are_weighed_by_their_days(lake):
    for day, units, votes, accuracy in ((DAYS[0], 30, 15, 0.9), (DAYS[1], 10, 5, 0.5)):
        function = {
            "function": "bought",
            "polarity": ["liked"],
            "rows": units,
            "votes": votes,
            "coverage": votes / units,
            "overlaps": 0.1,
            "conflicts": 0.0,
            "learned_accuracy": accuracy,
        }
        labelling = {"labels": {"liked": votes, "ignored": units - votes}}
        report = {"rows": units, "method": "label_model", "analysis": [function], "labelling": labelling}
        publish(lake, "liking", day, report)
    table = functions_table(lake, "liking", DAYS)
    assert cells(table)["bought"] == ["bought", "liked", "20", "0.5000", "0.1000", "0.0000", "0.8000"]
    assert table.title == "liking: 40 units of 2 days, by label model on 2"
    assert table.caption == "liked 20, ignored 20"
