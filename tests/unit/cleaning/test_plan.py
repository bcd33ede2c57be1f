import datetime as dt
import json

import polars as pl
import pytest

from assets.cleaning import TableSpec, plan, write
from crawlers.quarantine import QUARANTINE_SCHEMA

DAY = dt.date(2026, 3, 10)
SCHEMA = {
    "event_id": pl.String,
    "user_id": pl.String,
    "ts": pl.Datetime("us", "UTC"),
    "_file": pl.String,
    "_line": pl.Int64,
    "date": pl.Date,
}


def at(text, day=DAY):
    return dt.datetime.combine(day, dt.time.fromisoformat(text), dt.UTC)


def raw(*rows):
    """Rows of (event_id, user_id, ts) that landed on the day, or of (…, landing day)."""
    full = [(*row[:3], "f", line, row[3] if len(row) > 3 else DAY) for line, row in enumerate(rows)]
    return pl.DataFrame(full, schema=SCHEMA, orient="row")


def run(frame, *steps, day=DAY, **other):
    spec = TableSpec.model_validate({"name": "events", "from": "clicks", "steps": list(steps)} | other)
    cleaned = plan(spec, {"clicks": frame.lazy()}, day=day)
    kept, quarantined, removed, rows_in = pl.collect_all(
        [cleaned.kept, cleaned.quarantined, cleaned.removed, cleaned.rows_in]
    )
    assert rows_in.item() == kept.height + quarantined.height + removed["rows"].sum()
    assert quarantined.schema == dict(QUARANTINE_SCHEMA)
    return kept, quarantined, dict(removed.iter_rows())


def test_late_records_go_to_their_day_within_the_lateness_and_no_further():
    yesterday, tomorrow = DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=1)
    frame = raw(
        ("on time", "u", at("12:00")),
        ("a day late", "u", at("13:00"), tomorrow),
        ("two days late", "u", at("12:00", DAY - dt.timedelta(days=2))),
        ("early", "u", at("12:00", tomorrow)),
        ("timeless", "u", None),
        ("of yesterday", "u", at("12:00", yesterday)),
        ("of tomorrow", "u", at("12:00", tomorrow), tomorrow),
    )
    kept, quarantined, _ = run(frame)
    assert kept["event_id"].to_list() == ["on time", "a day late"]
    assert dict(quarantined.select("_line", "reason").iter_rows()) == {
        2: "too_late",
        3: "from_the_future",
        4: "no_event_time",
    }
    assert "1d" in quarantined.filter(reason="too_late")["detail"].item()
    assert "date" not in kept.columns


def test_a_snapshot_keeps_all_rows_of_the_landing_day():
    frame = raw(("a", "u", None), ("b", "u", at("12:00", dt.date(2020, 1, 1))), ("c", "u", None, DAY + dt.timedelta(1)))
    kept, quarantined, _ = run(frame, event_time=None)
    assert (sorted(kept["event_id"]), quarantined.height) == (["a", "b"], 0)


@pytest.mark.parametrize(("keep", "line"), [("first", 1), ("last", 0)])
def test_of_duplicates_the_first_or_last_by_time_stays(keep, line):
    frame = raw(("a", "u", at("13:00")), ("a", "u", at("12:00")), (None, "u", at("12:00")), (None, "u", at("12:00")))
    kept, _, removed = run(frame, {"deduplicate": {"by": "event_id", "keep": keep}})
    assert set(kept["_line"]) == {line, 2, 3}
    assert removed == {"duplicate": 1}


def test_a_rejected_row_neither_hides_a_duplicate_nor_splits_a_session():
    frame = raw(("a", "bad", at("12:00")), ("a", "u", at("12:10")), ("x", "bad", at("12:20")), ("b", "u", at("12:30")))
    kept, quarantined, removed = run(
        frame,
        {"reject": {"when": "user_id = 'bad'", "reason": "bad_user"}},
        {"deduplicate": {"by": "event_id"}},
        {"sessionize": {}},
        {"reject": {"when": "event_id = 'x'", "reason": "late_check"}},
        {"dwell": {}},
    )
    assert kept.select("event_id", "dwell_seconds").rows() == [("a", 1200.0), ("b", None)]
    assert kept["session_id"].n_unique() == 1
    assert removed == {}
    assert quarantined["reason"].to_list() == ["bad_user", "bad_user"]
    assert quarantined["detail"][0] == "user_id = 'bad'"
    assert json.loads(quarantined.sort("_line")["record"][0])["event_id"] == "a"


def test_a_rejection_between_sessions_and_dwell_is_taken_into_account():
    frame = raw(("a", "u", at("12:00")), ("x", "u", at("12:10")), ("b", "u", at("12:20")))
    reject = {"reject": {"when": "event_id = 'x'", "reason": "r"}}
    kept, _, _ = run(frame, {"sessionize": {}}, reject, {"dwell": {}})
    assert kept["dwell_seconds"].to_list() == [1200.0, None]


def test_whoever_is_too_fast_within_any_minute_is_a_bot_all_day():
    fast = [(f"f{i}", "fast", at(f"12:00:{50 + i}" if i < 10 else f"12:01:{i - 10:02}")) for i in range(0, 13, 3)]
    steady = [(f"s{i}", "steady", at(f"12:{i:02}:00")) for i in range(8)]
    nobody = [(f"n{i}", None, at("12:00")) for i in range(6)]
    frame = raw(*fast, ("later", "fast", at("20:00")), *steady, *nobody)
    kept, quarantined, _ = run(frame, {"reject_bots": {"max_events_per_minute": 4}})
    assert set(quarantined["reason"]) == {"bot"}
    assert quarantined.height == len(fast) + 1
    assert set(kept["user_id"]) == {"steady", None}


def test_exactly_as_many_events_as_allowed_are_no_bot():
    frame = raw(*[(f"e{i}", "u", at(f"12:00:{i:02}")) for i in range(4)], ("next", "u", at("12:01:00")))
    assert run(frame, {"reject_bots": {"max_events_per_minute": 4}})[1].height == 0
    assert run(frame, {"reject_bots": {"max_events_per_minute": 3}})[1].height == 5


def test_a_pause_ends_a_session_and_one_of_exactly_the_gap_does_not():
    frame = raw(("a", "u", at("12:00")), ("b", "u", at("12:30")), ("c", "u", at("13:00:01")), ("d", "v", at("12:00")))
    kept, _, _ = run(frame, {"sessionize": {"gap": "30m"}}, {"dwell": {"cap": "10m"}})
    ids = dict(kept.select("event_id", "session_id").iter_rows())
    assert ids["a"] == ids["b"]
    assert len({ids["a"], ids["c"], ids["d"]}) == 3
    assert dict(kept.select("event_id", "dwell_seconds").iter_rows()) == {"a": 600.0, "b": None, "c": None, "d": None}


def test_session_ids_are_the_same_for_ever():
    # Pinned: if these change, published sessions change their ids on the next backfill.
    kept, _, _ = run(
        raw(("a", "ada", at("12:00")), ("b", "bob", at("12:00:00.000001")), ("c", "Zoë", at("12:00"))),
        {"sessionize": {}},
    )
    assert dict(kept.select("user_id", "session_id").iter_rows()) == {
        "ada": 7114377354666840728,
        "bob": -7612186250764505606,
        "Zoë": 3348651385543997399,
    }


def test_session_ids_of_numbers_days_and_several_columns_are_the_same_for_ever():
    frame = raw(("a", "ada", at("12:00"))).with_columns(
        shop=pl.lit(7, dtype=pl.Int16), far=pl.lit(2**64 - 1, dtype=pl.UInt64), born=DAY, member=True
    )
    by = ["user_id", "shop", "far", "born", "member"]
    assert run(frame, {"sessionize": {"by": by}})[0]["session_id"].to_list() == [8479776302852925373]


def test_which_of_two_events_of_one_moment_is_first_depends_on_where_they_landed():
    frame = raw(*[(f"e{line}", "u", at("12:00")) for line in range(12)], ("last", "u", at("12:01")))
    frame = frame.with_columns(_file=pl.format("part-{}", 30 - pl.col("_line")))
    kept, _, _ = run(frame, {"sessionize": {}}, {"dwell": {}})
    before_the_last = kept.filter(pl.col("dwell_seconds") == 60)
    assert before_the_last["event_id"].to_list() == ["e0"]


def test_several_sources_are_one_table():
    first = raw(("a", "u", at("12:00")))
    second = raw(("b", "u", at("12:10"))).with_columns(colour=pl.lit("red"))
    spec = TableSpec.model_validate(
        {"name": "events", "from": ["one", "two"], "steps": [{"sessionize": {}}, {"dwell": {}}]}
    )
    kept = plan(spec, {"one": first.lazy(), "two": second.lazy()}, day=DAY).kept.collect()
    assert kept.select("event_id", "colour", "dwell_seconds").rows() == [("a", None, 600.0), ("b", "red", None)]


def test_columns_of_time_and_origin_may_be_renamed_or_left_out():
    frame = raw(("a", "u", at("12:00")), ("b", "u", at("12:10")))
    kept, quarantined, _ = run(
        frame,
        {"select": {"columns": ["event_id", "user_id"]}},
        {"rename": {"columns": {"user_id": "who"}}},
        {"sessionize": {"by": "who"}},
        {"dwell": {"by": ["who", "session_id"]}},
        {"reject": {"when": "event_id = 'b'", "reason": "b"}},
    )
    assert kept.rows() == [("a", "u", kept["session_id"][0], 600.0, kept["known_on"][0])]
    assert kept["known_on"].to_list() == [at("12:00").date()]
    assert quarantined.select("_file", "_line").rows() == [("f", 1)]


def test_a_renamed_group_is_sorted_anew():
    frame = raw(("a", "u", at("12:00")), ("b", "v", at("12:05")), ("c", "u", at("12:10")))
    steps = [
        {"sessionize": {}},
        {"rename": {"columns": {"user_id": "x"}}},
        {"derive": {"columns": {"user_id": "event_id"}}},
    ]
    kept, _, _ = run(frame, *steps, {"dwell": {"by": "x"}})
    assert dict(kept.select("event_id", "dwell_seconds").iter_rows()) == {"a": 600.0, "b": None, "c": None}


def test_write_computes_all_in_one_pass(tmp_path):
    frame = raw(("a", "u", at("12:00")), ("a", "u", at("12:01")), ("b", "bad", at("12:02")))
    steps = [{"deduplicate": {"by": "event_id"}}, {"reject": {"when": "user_id = 'bad'", "reason": "bad_user"}}]
    spec = TableSpec.model_validate({"name": "events", "from": "clicks", "steps": steps})
    cleaned = plan(spec, {"clicks": frame.lazy()}, day=DAY)
    account = write(cleaned, kept=tmp_path / "kept.parquet", quarantined=tmp_path / "rejected.parquet")
    account.check("events")
    assert account.to_json() == {
        "rows_in": 3,
        "rows_out": 1,
        "quarantined": {"bad_user": 1},
        "removed": {"duplicate": 1},
    }
    assert pl.read_parquet(tmp_path / "kept.parquet")["event_id"].to_list() == ["a"]
    assert pl.read_parquet(tmp_path / "rejected.parquet").schema == dict(QUARANTINE_SCHEMA)


def test_an_empty_day_is_empty(tmp_path):
    spec = TableSpec.model_validate(
        {
            "name": "events",
            "from": "clicks",
            "steps": [{"reject_bots": {"max_events_per_minute": 1}}, {"sessionize": {}}],
        }
    )
    cleaned = plan(spec, {"clicks": raw().lazy()}, day=DAY)
    account = write(cleaned, kept=tmp_path / "kept.parquet", quarantined=tmp_path / "rejected.parquet")
    assert account.rows_in == account.rows_out == 0
    assert pl.read_parquet(tmp_path / "kept.parquet").height == 0
