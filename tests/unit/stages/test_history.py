"""A file that holds many days is parsed once, and each of its records goes to its own day."""

import gzip
import json
import shutil
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from pydantic import ValidationError

from assets.lake import Lake
from assets.stages import raw
from assets.stages.history import Span, history_table, rejected_table, split
from crawlers.job import CrawlRequest
from crawlers.run import run
from crawlers.spec import ALL_DAYS, SourceSpec

FIRST = date(2026, 3, 2)
DAYS = [FIRST + timedelta(days=number) for number in range(5)]
SPAN = Span(FIRST, DAYS[-1])
CONTRACT = {
    "event_time": "t",
    "columns": {
        "id": {"type": "string", "required": True},
        "who": {"type": "string", "pii": "hash"},
        "price": {"type": "float"},
        "t": {"type": "datetime", "formats": ["iso8601"]},
    },
}
SECRET = b"a key for tests"


class Till:
    """A source whose archive lies in a folder, and one that gets the same lines day by day."""

    def __init__(self, folder):
        self.folder = folder
        self.lake = Lake(str(folder / "lake"))
        (folder / "archive").mkdir()
        crawl = {"kind": "folder", "files": "*.gz"}
        declared = {"format": {"kind": "jsonl"}, "contract": CONTRACT}
        archive = {"path": str(folder / "archive"), **crawl}
        self.spec = SourceSpec.model_validate({"name": "till", "history": True, "crawl": archive, **declared})
        daily = {"path": f"{folder}/daily/{{date}}", **crawl}
        self.daily = SourceSpec.model_validate({"name": "daily", "crawl": daily, **declared})

    def put(self, lines, name="2026.jsonl.gz", folder="archive"):
        (self.folder / folder).mkdir(parents=True, exist_ok=True)
        content = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
        (self.folder / folder / name).write_bytes(gzip.compress(content, mtime=0))

    def crawl(self, spec, day):
        messages = []
        run(CrawlRequest(spec=spec, days=(day,), root=self.lake.root), report=messages.append, log=messages.append)
        assert messages[-1]["status"] == "landed", messages

    def split(self):
        self.crawl(self.spec, ALL_DAYS)
        scratch = self.folder / "scratch"
        scratch.mkdir()
        code = raw.code_version(self.spec)
        try:
            return split(self.lake, self.spec, SPAN, code=code, secret=SECRET, scratch=scratch, run_id="test")
        finally:
            shutil.rmtree(scratch)

    def raw(self, spec, day):
        scratch = self.folder / f"parse-{spec.name}-{day}"
        scratch.mkdir(exist_ok=True)
        return raw.materialize(self.lake, spec, day, secret=SECRET, scratch=scratch, run_id="test")

    def rows(self, table):
        return self.lake.scan(table).drop("crawled_at", "_file", "_line", strict=False).collect().sort("date", "id")


@pytest.fixture
def till(tmp_path):
    return Till(tmp_path)


def record(day, number):
    moment = datetime.combine(day, datetime.min.time(), UTC) + timedelta(minutes=number)
    return {"id": f"{day}-{number}", "who": f"person-{number % 3}", "price": number / 4, "t": moment.isoformat()}


def archive(days=DAYS, count=20):
    """The records of all days in no order, as an archive may have them."""
    records = [record(day, number) for number in range(count) for day in days]
    return records[7:] + records[:7]


def test_each_record_goes_to_its_own_day_as_if_it_had_been_logged_there(till):
    till.put(archive())
    result = till.split()
    assert (result.status, result.report["days"], result.report["rows"]) == ("published", 5, 100)
    for day in DAYS:
        till.put([one for one in archive() if one["t"].startswith(str(day))], folder=f"daily/{day}")
        till.crawl(till.daily, day)
        assert till.raw(till.daily, day).status == till.raw(till.spec, day).status == "published"
    assert till.rows("till__raw").equals(till.rows("daily__raw"))
    assert "person-" not in till.rows("till__history").write_json()


def test_days_are_made_from_what_was_split_and_no_file_is_read_again(till):
    till.put(archive())
    till.split()
    shutil.rmtree(till.folder / "archive")
    shutil.rmtree(till.folder / "lake" / "landing")
    assert [till.raw(till.spec, day).status for day in DAYS] == ["published"] * 5
    assert [till.raw(till.spec, day).status for day in DAYS] == ["unchanged"] * 5
    assert till.rows("till__raw").height == 100


def test_a_longer_archive_makes_only_the_days_anew_whose_records_changed(till):
    till.put(archive(DAYS[:3]))
    till.split()
    for day in DAYS:
        assert till.raw(till.spec, day).status == "published"
    changed = [one | ({"price": 99.0} if one["id"] == f"{DAYS[1]}-4" else {}) for one in archive(DAYS[:3])]
    till.put([*changed, *(record(DAYS[3], number) for number in range(5))])
    assert till.split().report["changed_days"] == 2
    assert [till.raw(till.spec, day).status for day in DAYS] == [
        "unchanged",
        "published",
        "unchanged",
        "published",
        "unchanged",
    ]
    assert till.split().status == "unchanged"


def test_a_day_that_the_archive_holds_no_longer_is_empty(till):
    till.put(archive(DAYS[:1]) + archive(DAYS[1:2]))
    till.split()
    till.put(archive(DAYS[:1]))
    assert till.split().report["changed_days"] == 1
    assert till.raw(till.spec, DAYS[1]).report["rows"] == 0
    assert till.raw(till.spec, DAYS[0]).report["rows"] == 20


def test_every_line_is_a_record_of_a_day_or_a_row_of_quarantine(till):
    strangers = [
        record(FIRST - timedelta(days=1), 1),
        record(DAYS[-1] + timedelta(days=1), 2),
        record(FIRST, 3) | {"t": None},
    ]
    faults = [b'{"id": "x"\n', b'{"id": "y", "who": "\xff"}\n', {"id": "z", "t": "yesterday"}]
    till.put([*archive(), *strangers, *faults])
    result = till.split()
    accounting = result.report["accounting"]
    assert accounting["rows_in"] == 106
    assert accounting["quarantined"] == {
        "after_last_day": 1,
        "before_first_day": 1,
        "no_event_time": 1,
        "not_json": 1,
        "not_utf8": 1,
        "wrong_type": 1,
    }
    rejected = till.lake.scan(rejected_table("till")).collect()
    assert rejected["_line"].null_count() == 0
    assert rejected.filter(pl.col("reason") == "before_first_day")["record"].str.contains("2026-03-01-1").all()
    assert "person-" not in rejected.write_json()


def test_a_cut_archive_gives_what_can_be_read_and_says_so(till):
    till.put(archive(count=400))
    path = till.folder / "archive" / "2026.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-200])
    result = till.split()
    assert result.status == "published"
    assert 0 < result.report["rows"] < 2000
    assert result.report["accounting"]["quarantined"]


def test_an_archive_of_which_little_can_be_read_replaces_nothing(till):
    till.put(archive())
    till.split()
    till.put([b"<html>log in</html>\n"] * 30 + archive(DAYS[:1], count=5))
    result = till.split()
    assert (result.status, "Too little of the history of till can be read" in result.message) == ("refused", True)
    assert till.rows(history_table("till")).height == 100


def test_without_a_history_a_day_is_blocked(till):
    result = till.raw(till.spec, FIRST)
    assert (result.status, "till__history" in result.message) == ("blocked", True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"snapshot": True}, "a snapshot holds the state of a day"),
        ({"contract": {"columns": CONTRACT["columns"]}}, "declare 'event_time'"),
        ({"crawl": {"kind": "folder", "path": "in/{date}", "files": "*.gz"}}, "take {date} out"),
        ({"crawl": {"kind": "folder", "path": "in", "files": "{date}.gz"}}, "take {date} out"),
    ],
)
def test_a_declaration_that_makes_no_history_is_refused(till, changes, message):
    with pytest.raises(ValidationError, match=message):
        SourceSpec.model_validate(till.spec.model_dump(by_alias=True) | changes)
