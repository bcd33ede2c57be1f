"""Two days at once are killed at each step of stage, audit and publish, with the gate of their table at work.

Readers always see the last good version, a retry completes, and a clean-up leaves nothing behind.
"""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.lake import Lake, digest
from crawlers.contract import TIMESTAMP

pytestmark = pytest.mark.slow

WORKER = Path(__file__).with_name("worker.py")
DAYS = [date(2026, 3, 2), date(2026, 3, 3)]
KILLED = -9
SPEC = {
    "name": "sales",
    "from": "visits",
    "lateness": "0d",
    "steps": [{"reject": {"when": "amount < 0", "reason": "negative"}}],
    "gate": [
        {"expect_table_row_count_to_be_between": {"min_value": 50}},
        {"expect_column_values_to_be_unique": {"column": "event_id"}},
    ],
}
OLD, NEW = 100, 200_000


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def land(lake, day, rows, *, version):
    """Raw records of a day; every tenth is to be quarantined, and each names the version of its day."""
    moment = datetime.combine(day, datetime.min.time(), UTC)
    number = pl.int_range(rows, eager=True)
    frame = pl.LazyFrame(
        {
            "event_id": "e" + number.cast(pl.String),
            "version": pl.Series([version] * rows),
            "amount": pl.select(pl.when(number % 10 == 0).then(-1).otherwise(number)).to_series(),
            "ts": pl.Series([moment]).new_from_index(0, rows).cast(TIMESTAMP),
            "crawled_at": pl.Series([moment + timedelta(days=1)]).new_from_index(0, rows).cast(TIMESTAMP),
            "_file": pl.Series(["f"] * rows),
            "_line": number + 1,
        }
    )
    lake.publish(lake.stage("visits__raw", day, frame, digest=digest(str(day), version), run_id="crawl"))


def start(lake, day, run, **how):
    job = {"root": str(lake.root), "day": day.isoformat(), "spec": SPEC, "run": run, **how}
    return subprocess.Popen([sys.executable, str(WORKER), json.dumps(job)], stdout=subprocess.PIPE, text=True)


def both(lake, run, **how):
    """The two days at once, each in a process of its own: exit codes and what became of them."""
    workers = [start(lake, day, run, **how) for day in DAYS]
    said = [worker.communicate(timeout=120)[0].strip() for worker in workers]
    return [worker.returncode for worker in workers], said


def seen(lake, table="sales"):
    """Rows by day and version, as a reader sees them at this moment."""
    if table == "sales":
        counts = lake.scan(table).group_by("date", "version").len().collect()
        return {(day, version): rows for day, version, rows in counts.iter_rows()}
    return dict(lake.scan(table).group_by("date").len().collect().iter_rows())


def assert_no_orphans(lake):
    for table in ("sales", "sales__quarantine"):
        lake.clean_up(table, timedelta(0))
        folder = Path(lake.root) / "tables" / table
        named = {path for published in lake.published_days(table).values() for path in published.files}
        left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        data = {path for path in left if not path.startswith(("_delta_log/", "_refused/")) and path != "_lock"}
        assert data == named
        assert not [path for path in left if path.endswith(".tmp")]


GOOD = {(day, "old"): OLD * 9 // 10 for day in DAYS}
DONE = {(day, "new"): NEW * 9 // 10 for day in DAYS}
REFUSED = {"rows": 20}


@pytest.mark.parametrize(
    ("step", "number", "after"),
    [
        pytest.param("staging", 1, GOOD, marks=pytest.mark.matrix),
        pytest.param("staged", 1, GOOD, marks=pytest.mark.matrix),
        pytest.param("audit", 1, GOOD, marks=pytest.mark.matrix),
        pytest.param("before_commit", 1, GOOD, id="before the quarantine is committed", marks=pytest.mark.matrix),
        pytest.param("after_commit", 1, GOOD, id="after the quarantine is committed"),
        pytest.param("before_commit", 2, GOOD, id="before the table is committed", marks=pytest.mark.matrix),
        pytest.param("after_commit", 2, DONE, id="after the table is committed"),
    ],
)
def test_two_days_killed_on_their_way_through_the_gate(lake, step, number, after):
    for day in DAYS:
        land(lake, day, OLD, version="old")
    assert both(lake, "good") == ([0, 0], ["published", "published"])
    for day in DAYS:
        land(lake, day, NEW, version="new")

    codes, _ = both(lake, "killed", step=step, number=number)
    assert codes == [KILLED, KILLED]
    assert seen(lake) == after

    codes, said = both(lake, "retry")
    assert codes == [0, 0]
    assert said == (["unchanged"] * 2 if after == DONE else ["published"] * 2)
    assert seen(lake) == DONE
    assert seen(lake, "sales__quarantine") == dict.fromkeys(DAYS, NEW // 10)
    assert_no_orphans(lake)
    assert seen(lake) == DONE


@pytest.mark.parametrize(
    "step",
    [
        *(pytest.param(step, marks=pytest.mark.matrix) for step in ("staged", "audit", "after_commit", "refused")),
        "before_commit",
    ],
)
def test_two_days_killed_while_their_gate_refuses_them(lake, step):
    for day in DAYS:
        land(lake, day, OLD, version="old")
    both(lake, "good")
    for day in DAYS:
        land(lake, day, REFUSED["rows"], version="bad")

    codes, _ = both(lake, "killed", step=step)
    assert codes == [KILLED, KILLED]
    assert seen(lake) == GOOD

    assert both(lake, "retry") == ([0, 0], ["refused", "refused"])
    assert seen(lake) == GOOD
    assert [lake.inspect_refused("sales", day).collect().height for day in DAYS] == [18, 18]
    assert_no_orphans(lake)
    for day in DAYS:
        land(lake, day, NEW, version="new")
    assert both(lake, "mended") == ([0, 0], ["published", "published"])
    assert seen(lake) == DONE
