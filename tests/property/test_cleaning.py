"""Cleaning loses nothing, depends on neither order nor batching of its input, and changes nothing the second time."""

import datetime as dt
from itertools import pairwise

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from assets.cleaning import TableSpec, plan

DAY = dt.date(2026, 3, 1)
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
SCHEMA = {
    "event_id": pl.String,
    "user_id": pl.String,
    "price": pl.Float64,
    "ts": pl.Datetime("us", "UTC"),
    "crawled_at": pl.Datetime("us", "UTC"),
    "_file": pl.String,
    "_line": pl.Int64,
    "date": pl.Date,
}
SPEC = TableSpec.model_validate(
    {
        "name": "events",
        "from": "clicks",
        "lateness": "1d",
        "steps": [
            {"deduplicate": {"by": ["event_id"]}},
            {"reject": {"when": "price < 0", "reason": "negative_price"}},
            {"reject_bots": {"max_events_per_minute": 3}},
            {"sessionize": {"gap": "30m"}},
            {"dwell": {}},
        ],
    }
)
relaxed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def landed(draw):
    """Raw rows of five landing days, with late, early, doubled, hasty and timeless events."""
    minutes = st.one_of(st.integers(0, 5 * 24 * 60), st.sampled_from([0, 1, 1439, 1440, 1441, 2879, 2880]))
    event = st.tuples(
        st.one_of(st.none(), st.integers(0, 30).map(lambda i: f"e{i}")),
        st.one_of(st.none(), st.sampled_from(["ada", "bob"])),
        st.one_of(st.none(), st.integers(-1, 3).map(float)),
        st.one_of(st.none(), st.tuples(minutes, st.integers(0, 59))),
        st.integers(0, 4),
    )
    rows = []
    for line, (event_id, user, price, time, landing) in enumerate(draw(st.lists(event, max_size=40))):
        ts = None if time is None else START + dt.timedelta(minutes=time[0], seconds=time[1])
        # Mostly a row lands on its day, sometimes on another.
        day = ts.date() if ts is not None and draw(st.booleans()) else DAY + dt.timedelta(days=landing)
        rows.append((event_id, user, price, ts, START, f"f{line % 2}", line, day))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def clean(frame, day, spec=SPEC):
    """Kept, quarantined and counted rows of a day, from what it and the next one landed."""
    window = frame.lazy().filter(pl.col("date").is_between(day, day + dt.timedelta(days=spec.lateness_days)))
    cleaned = plan(spec, {"clicks": window}, day=day)
    return pl.collect_all([cleaned.kept, cleaned.quarantined, cleaned.removed, cleaned.rows_in])


def days(frame):
    return [DAY + dt.timedelta(days=offset) for offset in range(-1, 8)] if frame.height else [DAY]


@relaxed
@given(frame=landed())
def test_every_raw_row_belongs_to_exactly_one_day_and_is_accounted_for(frame):
    lines, removed_rows, total = [], 0, 0
    for day in days(frame):
        kept, quarantined, removed, rows_in = clean(frame, day)
        assert rows_in.item() == kept.height + quarantined.height + removed["rows"].sum()
        assert kept.filter(pl.col("ts").dt.date() != day).height == 0
        lines += [*kept["_line"], *quarantined["_line"]]
        removed_rows += removed["rows"].sum()
        total += rows_in.item()
    assert total == frame.height
    assert len(set(lines)) == len(lines) == frame.height - removed_rows


@st.composite
def arrivals(draw):
    """A first day, a lateness, and rows that land on days of the table, in some order of days."""
    first, lateness = draw(st.integers(-3, 3)), draw(st.integers(0, 3))
    landing = st.integers(max(first, 0), max(first, 0) + 3)
    events = st.one_of(st.none(), st.integers(-6 * 24, 10 * 24))
    rows = draw(st.lists(st.tuples(landing, events), min_size=1, max_size=25))
    frame = pl.DataFrame(
        [
            (
                None,
                None,
                None,
                hours if hours is None else START + dt.timedelta(hours=hours),
                START,
                "f",
                line,
                DAY + dt.timedelta(days=day),
            )
            for line, (day, hours) in enumerate(rows)
        ],
        schema=SCHEMA,
        orient="row",
    )
    order = draw(st.permutations(sorted(frame["date"].unique())))
    return DAY + dt.timedelta(days=first), lateness, frame, order


@relaxed
@given(arrivals())
def test_each_row_is_accounted_for_once_whatever_the_first_day_the_lateness_and_the_order_of_arrival(case):
    first_day, lateness, frame, order = case
    spec = TableSpec.model_validate({"name": "events", "from": "clicks", "lateness": f"{lateness}d"})
    there, result = set(), {}
    for arrived in order:
        there.add(arrived)
        # A run makes its own day, and brings those before it up to date that late rows may have reached.
        for day in (arrived - dt.timedelta(days=back) for back in range(lateness + 1)):
            if day in there:
                reach = [day + dt.timedelta(days=ahead) for ahead in range(lateness + 1)]
                window = frame.lazy().filter(pl.col("date").is_in([one for one in reach if one in there]))
                cleaned = plan(spec, {"clicks": window}, day=day, first_day=first_day)
                result[day] = pl.collect_all([cleaned.kept, cleaned.quarantined, cleaned.rows_in])
    lines = [line for kept, rejected, _ in result.values() for line in (*kept["_line"], *rejected["_line"])]
    unread = _rows_of_days_that_never_landed(frame, there, lateness, first_day)
    assert sorted([*lines, *unread]) == frame["_line"].to_list()
    assert sum(rows.item() for _, _, rows in result.values()) == len(lines)
    assert all(kept.filter(pl.col("ts").dt.date() < first_day).is_empty() for kept, _, _ in result.values())


def _rows_of_days_that_never_landed(frame, there, lateness, first_day):
    """Rows of a day of the table that has no partition of its own yet: it is blocked, and says so."""
    day = pl.col("ts").dt.date()
    on_time = (day >= pl.col("date") - dt.timedelta(days=lateness)) & (day <= pl.col("date")) & (day >= first_day)
    return frame.filter(on_time & ~day.is_in(sorted(there)))["_line"].to_list()


@relaxed
@given(frame=landed(), seed=st.integers(0, 1000))
def test_the_order_of_the_input_changes_nothing(frame, seed):
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
    for one, other in zip(clean(frame, DAY), clean(shuffled, DAY), strict=True):
        if "reason" in one.columns:
            by = "reason" if "rows" in one.columns else "_line"
            assert_frame_equal(one.sort(by), other.sort(by))
        else:
            assert_frame_equal(one, other)


@relaxed
@given(frame=landed())
def test_cleaning_clean_rows_again_changes_nothing(frame):
    kept = clean(frame, DAY)[0]
    again = clean(kept.drop("session_id", "dwell_seconds").with_columns(pl.lit(DAY).alias("date")), DAY)
    assert_frame_equal(kept, again[0])
    assert again[1].height == 0


@relaxed
@given(frame=landed())
def test_session_ids_do_not_depend_on_how_days_are_batched(frame):
    by_day = pl.concat([clean(frame, day)[0] for day in days(frame)]).sort("_line")
    assert_frame_equal(_sessions_of_a_range(by_day), by_day.select("_line", "session_id"))


@relaxed
@given(frame=landed(), seed=st.integers(0, 1000), cut=st.integers(0, 40))
def test_session_ids_depend_on_who_acts_and_when_the_session_began_alone(frame, seed, cut):
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
    chunked = pl.concat([shuffled[:cut], shuffled[cut:]], rechunk=False)
    kept = clean(chunked, DAY)[0].filter(pl.col("user_id").is_not_null())
    started = kept.group_by("session_id").agg(pl.col("user_id").first(), pl.col("ts").min())
    for session, user, start in started.iter_rows():
        assert session == _session_id(user, start)


def _session_id(user, start):
    """The stable hash of a text and a time, after its definition, in whole numbers of Python."""
    multiplier, modulus = 0x9E3779B97F4A7C15, 1 << 64

    def mixed(value):
        value = (value + multiplier) % modulus
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % modulus
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB % modulus
        return value ^ (value >> 31)

    text = user.encode()
    polynomial = sum((byte + 1) * pow(multiplier, place, modulus) for place, byte in enumerate(text)) % modulus
    micros = (start - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    state = mixed(20_240_229)
    for part in (mixed(polynomial ^ len(text) << 48), mixed(micros)):
        state = mixed(state * multiplier % modulus ^ part)
    return state - modulus if state >= modulus // 2 else state


def _sessions_of_a_range(frame):
    """The rows of all days sessionised at once."""
    from assets.cleaning.step import WORKING

    working = frame.drop("session_id", "dwell_seconds").with_columns(
        pl.lit(None, dtype=pl.String).alias("__reject"),
        pl.lit(None, dtype=pl.String).alias("__remove"),
        pl.col("ts").alias("__time"),
        pl.lit(DAY).alias("__landed"),
        pl.lit(DAY).alias("__known"),
        pl.lit(0, dtype=pl.Int32).alias("__source"),
        pl.col("_file").alias("__file"),
        pl.col("_line").alias("__line"),
        pl.lit(0, dtype=pl.Int64).alias("__part"),
        pl.lit(None, dtype=pl.String).alias("__made"),
        pl.lit(None, dtype=pl.String).alias("__whole"),
    )
    assert set(WORKING) <= set(working.columns)
    return SPEC.steps[3].apply(working.lazy()).collect().sort("_line").select("_line", "session_id")


@relaxed
@given(frame=landed())
def test_sessions_and_dwell_are_what_a_plain_loop_finds(frame):
    kept = clean(frame, DAY)[0]
    rows = sorted(
        (row for row in kept.iter_rows(named=True) if row["user_id"]), key=lambda row: (row["user_id"], row["ts"])
    )
    sessions: list[list[dict]] = []
    for row in rows:
        last = sessions[-1][-1] if sessions else None
        if last and last["user_id"] == row["user_id"] and row["ts"] - last["ts"] <= dt.timedelta(minutes=30):
            sessions[-1].append(row)
        else:
            sessions.append([row])
    ids = [{row["session_id"] for row in session} for session in sessions]
    assert all(len(one) == 1 and None not in one for one in ids)
    assert len(set.union(set(), *ids)) == len(sessions)
    for session in sessions:
        dwells = sorted(row["dwell_seconds"] for row in session if row["dwell_seconds"] is not None)
        gaps = sorted((b["ts"] - a["ts"]).total_seconds() for a, b in pairwise(session))
        assert dwells == gaps
    assert kept.filter(pl.col("user_id").is_null())["session_id"].null_count() == kept["user_id"].null_count()
