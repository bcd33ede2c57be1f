"""Four days with everything wrong that a log can have: every line is accounted for, nobody is recognisable, and the
order in which days are materialised makes no difference.
"""

import gzip
import itertools
import json
import zlib
from collections import Counter
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

pytestmark = pytest.mark.slow

SECRET_WORDS = ("person-", "@bakery.example")


class Dirty:
    """The four days, and what must become of them."""

    def __init__(self, bread):
        self.days = bread.DAYS
        first, second, third, fourth = self.days
        cut = gzip.compress(bread.lines([bread.event(first, n) for n in range(100, 160)]), mtime=0)
        cut = cut[: len(cut) // 2]
        readable = zlib.decompressobj(31).decompress(cut)
        survived = [json.loads(line) for line in readable.splitlines()[:-1]]
        late = [bread.event(second, n, at=first) for n in range(200, 210)]
        too_late = [bread.event(third, n, at=first) for n in range(300, 305)]
        early = [bread.event(third, n, at=fourth + timedelta(days=3)) for n in range(310, 313)]
        whole = {day: bread.visits(day) for day in self.days}
        again = [*whole[first][:5], *late[:2]]
        broken = b"".join(
            [
                b'{"event_id": "1", "email": "person-1@bakery.example"\n',
                b'{"event_id": "2", "user_id": "person-2\xff\xfe"}\n',
                bread.lines(
                    [
                        bread.event(third, 401, ts="yesterday"),
                        bread.event(third, 402, item_id=None),
                        bread.event(third, 403, event_type="theft"),
                    ]
                ),
            ]
        )
        self.bodies = {
            first: [whole[first] + whole[first][:5], cut],
            second: [whole[second] + late + again, b"<html><body>Please log in</body></html>\n"],
            third: [
                gzip.compress(bread.lines(whole[third] + too_late + early) + broken, mtime=0),
                gzip.compress(b""),
                b"",
            ],
            fourth: [gzip.compress(bread.lines(whole[fourth]) + b'{"event_id": "' + b"9" * 50_000_000 + b'"}\n')],
        }
        ids = {day: [record["event_id"] for record in records] for day, records in whole.items()}
        ids[first] += [record["event_id"] for record in survived + late]
        self.kept = {day: sorted(found) for day, found in ids.items()}
        self.repeated = {first: 5 + len(again)}
        self.lines = {
            first: 65 + len(survived) + 1,
            second: 60 + len(late) + len(again) + 1,
            third: 60 + len(too_late) + len(early) + 5,
            fourth: 61,
        }
        self.empty_files = {third: 2}
        self.unreadable = {
            second: 1,
            third: 5,
            fourth: 1,
        }
        self.strangers = {third: {"too_late": len(too_late), "from_the_future": len(early)}}


@pytest.fixture(scope="module")
def dirty(bread):
    return Dirty(bread)


@pytest.fixture(scope="module")
def backfill(bread, dirty, new_site, tmp_path_factory):
    """One run over all four days, on a lake that the tests only read."""
    with pytest.MonkeyPatch.context() as patch:
        site = new_site()
        for day, bodies in dirty.bodies.items():
            site.put(day, *bodies)
        patch.setenv("BAKERY_URL", site.url)
        patch.setenv("SLUICE_PII_KEY", bread.KEY)
        bakery = bread.Bakery(tmp_path_factory.mktemp("dirty"), bread.DECLARATIONS, on_disk=True)
        bakery.site = site
        bakery.outcome = bakery.run(bread.DATA, dirty.days[0], dirty.days[-1])
        yield bakery
        bakery.close()


def test_the_run_over_all_days_succeeds(backfill):
    assert backfill.outcome.failures == {}


def test_every_line_becomes_a_record_or_a_row_of_quarantine(backfill, dirty):
    raw = Counter(backfill.rows("visits__raw")["date"].to_list())
    rejected = Counter(backfill.rows("visits__quarantine")["date"].to_list())
    assert {day: raw[day] + rejected[day] for day in dirty.days} == dirty.lines
    checks = backfill.outcome.checks("visits__raw")
    assert all(checks[day.isoformat(), "conserved"].passed for day in dirty.days)
    shown = backfill.outcome.materialized("visits__raw")
    counted = {day: shown[day.isoformat()] for day in dirty.days}
    # A file without a line is left out, and said to be.
    assert {day: one["removed"] for day, one in counted.items() if one["removed"]} == dirty.empty_files
    assert {day: one["rows_in"] - one["removed"] for day, one in counted.items()} == dirty.lines


def test_quarantine_tells_where_each_bad_line_stands_and_why(backfill, dirty):
    first, second, third, fourth = dirty.days
    rejected = backfill.rows("visits__quarantine")
    assert rejected["_file"].null_count() == rejected["_line"].null_count() == rejected["reason"].null_count() == 0
    reasons = {
        day: sorted(rejected.filter(pl.col("date") == day)["reason"].to_list()) for day in (second, third, fourth)
    }
    assert reasons == {
        second: ["html_instead"],
        third: sorted(["not_json", "not_utf8", "wrong_type", "missing_required", "not_allowed"]),
        fourth: ["line_too_long"],
    }
    assert rejected.filter(pl.col("date") == first).height == 1
    typed = rejected.filter(pl.col("reason") == "wrong_type").row(0, named=True)
    assert (typed["column"], typed["_line"]) == ("ts", 60 + 8 + 3)


def test_every_record_belongs_to_exactly_one_day_of_the_table(backfill, dirty):
    kept = backfill.rows("sales")
    by_day = {day: sorted(kept.filter(pl.col("date") == day)["event_id"].to_list()) for day in dirty.days}
    assert by_day == dirty.kept
    shown = backfill.outcome.materialized("sales")
    total = sum(shown[day.isoformat()]["rows_in"] for day in dirty.days)
    assert total == backfill.rows("visits__raw").height
    for day in dirty.days:
        report = backfill.lake.ledger("sales", day)["report"]["accounting"]
        assert report["rows_out"] == len(dirty.kept[day])
        assert report["quarantined"] == dirty.strangers.get(day, {})
        assert sum(report["removed"].values()) == dirty.repeated.get(day, 0)


def test_nobody_is_recognisable_outside_landing(backfill, dirty):
    root = Path(backfill.lake.root)
    looked_at = Counter()
    for path in itertools.chain(root.rglob("*"), backfill.home.rglob("*")):
        if not path.is_file() or path.is_relative_to(root / "landing"):
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            # Pages are compressed, so the bytes alone would hide what they hold.
            content += pl.read_parquet(path, hive_partitioning=False).write_json().encode()
        looked_at[path.suffix] += 1
        assert not [word for word in SECRET_WORDS if word.encode() in content], path
    assert looked_at[".parquet"] >= 20
    assert looked_at[".db"] >= 1
    log = backfill.outcome.log()
    assert "published" in log
    assert not [word for word in (*SECRET_WORDS, "a key for tests") if word in log]
    landed = next((root / "landing" / "visits" / dirty.days[3].isoformat()).rglob("*.gz"))
    assert b"person-" in gzip.decompress(landed.read_bytes()), "landing holds the bytes as served"


def test_a_second_run_fetches_nothing_that_has_not_changed_and_writes_nothing(backfill, bread, dirty, monkeypatch):
    monkeypatch.setenv("BAKERY_URL", backfill.site.url)
    monkeypatch.setenv("SLUICE_PII_KEY", bread.KEY)
    versions, files = backfill.versions(), parquet_files(backfill)
    served = list(backfill.site.served)
    assert served
    again = backfill.run(bread.DATA, dirty.days[0], dirty.days[-1])
    assert again.failures == {}
    assert backfill.site.served == served
    assert backfill.versions() == versions
    assert parquet_files(backfill) == files
    for asset in ("visits__raw", "sales", "liking", "portions"):
        assert {shown["status"] for shown in again.materialized(asset).values()} == {"unchanged"}


def parquet_files(bakery):
    return {path: path.stat().st_mtime_ns for path in Path(bakery.lake.root).rglob("*.parquet")}


@pytest.mark.parametrize("order", ["day by day", "backwards"])
def test_the_order_of_materialisation_makes_no_difference(order, backfill, bread, dirty, new_bakery, monkeypatch):
    monkeypatch.setenv("SLUICE_PII_KEY", bread.KEY)
    bakery = new_bakery()
    bakery.take_landing(backfill)
    if order == "day by day":
        for day in dirty.days:
            assert bakery.run(bread.PARSED, day).failures == {}
    else:
        # Features look back, so what is counted must be there before the examples of later days.
        for assets in bread.STAGES:
            for day in reversed(dirty.days):
                assert bakery.run(assets, day).failures == {}
    for table in ("visits__raw", "visits__quarantine", "sales", "sales__quarantine", "liking", "portions"):
        assert_same(bakery.rows(table), backfill.rows(table), table)


def assert_same(found, expected, table):
    assert found.height == expected.height, table
    assert found.write_ipc(None).getvalue() == expected.write_ipc(None).getvalue(), table
