"""What is planted in the logs is really there, to the line, as a reader who knows nothing of the shop counts it."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from crawlers import demo
from crawlers.demo.dirt import BOT_EVENTS, BOTS, KINDS, VERY_LATE_DAYS

TYPES = {"view", "click", "cart", "purchase", "remove"}
REQUIRED = ("event_id", "user_id", "item_id", "event_type", "ts")
DAY = date(2026, 3, 12)


def read(line):
    """The record of a line, or the reason that there is none."""
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError:
        return "not_utf8"
    except ValueError:
        return "truncated" if line.startswith(b"{") else "not_json"


def moment(value):
    """The time of a record, or None when that is no time."""
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC)
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def fault(record):
    """What is wrong with a record, if anything."""
    if any(record.get(field) is None for field in REQUIRED):
        return "missing_required"
    if not all(isinstance(record[field], str) for field in REQUIRED[:3]) or moment(record["ts"]) is None:
        return "wrong_type"
    if record["event_type"] not in TYPES:
        return "not_allowed"
    return "from_the_future" if moment(record["ts"]).year > DAY.year + 1 else None


@pytest.mark.parametrize(("day", "seed"), [(DAY, 7), (date(2026, 8, 3), 7), (date(2025, 12, 31), 3), (DAY, 12345)])
def test_faults_and_copies_are_as_many_as_planted(lines_of, day, seed):
    planted = demo.planted(day, seed)
    lines = lines_of(day, seed)
    records = [(name, read(line), line) for name, line in lines]
    faults = Counter(r if isinstance(r, str) else fault(r) for _, r, _ in records)
    good = [(name, r, line) for name, r, line in records if not isinstance(r, str) and fault(r) is None]
    copies = Counter(r["event_id"] for _, r, _ in good)
    places = {(r["event_id"], name) for name, r, _ in good}
    twice = {event for event, times in copies.items() if times > 1}
    twice_in_one_file = {event for event in twice if sum(place[0] == event for place in places) == 1}

    assert len(lines) == planted["lines"] == sum(planted[kind] for kind in KINDS)
    for kind in ("not_json", "truncated", "not_utf8", "wrong_type", "missing_required", "not_allowed"):
        assert faults[kind] == planted[kind] > 0, kind
    assert faults["from_the_future"] == planted["from_the_future"] > 0
    assert max(copies.values()) == 2
    assert len(twice_in_one_file) == planted["duplicated_in_file"] > 0
    assert len(twice - twice_in_one_file) == planted["duplicated_across_files"] > 0
    # Copies are exact.
    assert len({line for _, _, line in good}) == len(copies)


def test_days_of_events_and_of_logs_differ_as_planted(lines_of):
    planted = demo.planted(DAY)
    readable = [r for r in (read(line) for _, line in lines_of(DAY)) if not isinstance(r, str) and fault(r) is None]
    days = {r["event_id"]: moment(r["ts"]).astimezone(UTC).date() for r in readable}
    behind = Counter((DAY - day).days for day in days.values())
    yesterday = {
        r["event_id"]
        for r in (read(line) for _, line in lines_of(DAY - timedelta(days=1)))
        if not isinstance(r, str) and "event_id" in r
    }
    from_yesterday = {event for event, day in days.items() if day == DAY - timedelta(days=1)}

    assert set(behind) == {0, 1, VERY_LATE_DAYS}
    assert behind[VERY_LATE_DAYS] == planted["too_late"] > 0
    assert behind[1] == planted["late"] + planted["repeated_next_day"]
    assert len(from_yesterday & yesterday) == planted["repeated_next_day"] > 0
    assert len(from_yesterday - yesterday) == planted["late"] > 0


def test_every_honest_event_is_in_one_log_or_another_and_says_the_same_as_the_truth(lines_of):
    found = {}
    for later in (0, 1, VERY_LATE_DAYS):
        for _, line in lines_of(DAY + timedelta(days=later)):
            record = read(line)
            if not isinstance(record, str) and fault(record) is None:
                found[record["event_id"]] = (record["user_id"], record["item_id"], moment(record["ts"]))
    honest = demo.truth(DAY)
    in_time = {r.get("event_id") for r in (read(line) for _, line in lines_of(DAY)) if not isinstance(r, str)}

    assert all(
        found[event] == (user, item, ts)
        for event, user, item, ts in honest.select("event_id", "user_id", "item_id", "ts").iter_rows()
    )
    assert honest.height == demo.planted(DAY)["honest_events"]
    assert len(set(honest["event_id"]) - in_time) == demo.planted(DAY)["withheld"] > 0


def test_bots_send_hundreds_of_events_a_minute_and_people_do_not(lines_of):
    readable = [r for r in (read(line) for _, line in lines_of(DAY)) if not isinstance(r, str) and fault(r) is None]
    minutes = Counter((r["user_id"], moment(r["ts"]).timestamp() // 60) for r in readable)
    fastest = Counter()
    for (user, _), times in minutes.items():
        fastest[user] = max(fastest[user], times)
    bots = {user for user in fastest if user.startswith("bot")}

    assert len(bots) == BOTS
    assert demo.planted(DAY)["bot_events"] == BOTS * BOT_EVENTS == sum(r["user_id"] in bots for r in readable)
    assert min(fastest[user] for user in bots) > 150
    assert max(times for user, times in fastest.items() if user not in bots) < 60


def test_times_are_epochs_and_in_part_iso_8601_with_several_offsets(lines_of):
    records = [r for r in (read(line) for _, line in lines_of(DAY)) if not isinstance(r, str)]
    texts = [r["ts"] for r in records if isinstance(r.get("ts"), str) and r["ts"] != "soon"]

    assert len(texts) == demo.planted(DAY)["iso_timestamps"]
    assert 0.05 < len(texts) / len(records) < 0.2
    assert {text[23:] for text in texts} == {"Z", "+02:00", "-05:00", "+05:30"}


def test_records_hold_personal_data_and_a_field_that_nobody_announced(lines_of):
    records = [r for r in (read(line) for _, line in lines_of(DAY)) if not isinstance(r, str)]
    emails = Counter(type(r["email"]) for r in records if not str(r.get("user_id")).startswith("bot"))

    assert {r["experiment"] for r in records} == {"A", "B"}
    assert emails[str] > emails[type(None)] > 0
    assert all("@" in r["email"] for r in records if r["email"])


def test_a_broken_day_spells_items_otherwise_and_changes_nothing_else(lines_of):
    whole, broken = lines_of(DAY), lines_of(DAY, broken=True)
    records = [r for r in (read(line) for _, line in broken) if not isinstance(r, str)]
    otherwise = [r for r in records if str(r.get("item_id")).startswith("sku-")]

    assert len(otherwise) > 0.99 * len(records)
    assert demo.planted(DAY, broken=True)["items_spelled_otherwise"] == len(otherwise)
    assert demo.planted(DAY)["items_spelled_otherwise"] == 0
    for (name, line), (file, honest) in zip(broken, whole, strict=True):
        spelled = line.replace(b'"item_id": "sku-', b'"item_id": "i')
        # A line that is cut in half is cut after half of the longer line.
        assert name == file
        assert spelled == honest or (isinstance(read(line), str) and honest.startswith(spelled))


def test_files_are_in_the_order_of_arrival_and_of_similar_size(lines_of):
    sizes = Counter(name for name, _ in lines_of(DAY))
    times = pl.DataFrame(
        [
            (name, moment(r["ts"]).timestamp())
            for name, r in ((name, read(line)) for name, line in lines_of(DAY))
            if not isinstance(r, str) and str(r.get("event_id")).startswith(f"e{DAY:%Y%m%d}")
        ],
        schema=["file", "time"],
        orient="row",
    )

    assert sorted(sizes) == [f"events-{number:02d}.jsonl.gz" for number in range(6)]
    assert max(sizes.values()) < 1.2 * min(sizes.values())
    assert all(part["time"].is_sorted() for part in times.partition_by("file"))
