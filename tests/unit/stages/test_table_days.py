"""Each row that landed is in one day of the table, whatever day it happened on."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from assets.cleaning import TableSpec
from assets.lake import Lake, digest
from assets.stages import table
from assets.stages.past import Audit
from crawlers.contract import TIMESTAMP

START = date(2021, 3, 3)
RAW = {"id": pl.String, "ts": TIMESTAMP, "crawled_at": TIMESTAMP, "_file": pl.String, "_line": pl.Int64}
SPEC = TableSpec.model_validate({"name": "events", "from": "site", "lateness": "30d", "max_quarantined_share": 1})


def land(lake, day, times):
    moment = datetime.combine(day, datetime.min.time(), UTC)
    rows = [
        (name, None if ts is None else datetime.fromisoformat(ts), moment, "f", n) for n, (name, ts) in enumerate(times)
    ]
    frame = pl.LazyFrame(rows, schema=RAW, orient="row")
    lake.publish(lake.stage("site__raw", day, frame, digest=digest(str(day), str(times)), run_id="crawl"))


def clean(lake, day, first_day=START):
    return table.materialize(lake, SPEC, Audit(), {"site": "site__raw"}, day, first_day=first_day, run_id="run")


@pytest.fixture
def lake(tmp_path):
    made = Lake(tmp_path / "lake")
    times = [("a", "2021-03-02T10:00:00Z"), ("b", "2021-03-03T10:00:00Z"), ("c", "2021-03-01T10:00:00Z")]
    land(made, START, [*times, ("future", "2021-03-09T10:00:00Z"), ("timeless", None)])
    return made


def test_what_happened_before_the_first_day_is_quarantined_on_the_day_that_it_landed(lake):
    result = clean(lake, START)
    assert result.report["accounting"] == {
        "rows_in": 5,
        "rows_out": 1,
        "quarantined": {"before_first_day": 2, "from_the_future": 1, "no_event_time": 1},
        "removed": {},
    }
    rejected = lake.scan("events__quarantine").filter(reason="before_first_day").collect()
    assert "earlier than the first day" in rejected["detail"][0]


def test_another_first_day_makes_the_days_within_its_reach_anew_and_no_others(lake):
    far = START + timedelta(days=31)
    land(lake, far, [("z", f"{far}T10:00:00Z")])
    assert [clean(lake, day).status for day in (START, far)] == ["published", "published"]
    earlier = START - timedelta(days=1)
    assert clean(lake, START, first_day=earlier).report["accounting"]["quarantined"]["before_first_day"] == 1
    assert clean(lake, far, first_day=earlier).status == "unchanged"
    assert clean(lake, START, first_day=earlier).status == "unchanged"
