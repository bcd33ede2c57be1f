"""Units group a day's events, and know what the days before held."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assets.cleaning import TableSpec, plan
from assets.labeling import LabelsError, LabelsSpec, units, votes
from assets.labeling.sql import exact_sums

DAY = date(2017, 11, 26)
SCHEMA = {
    "user": pl.String,
    "item": pl.String,
    "kind": pl.String,
    "seconds": pl.Float64,
    "ts": pl.Datetime("us", "UTC"),
}


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def frame(*rows) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=SCHEMA, orient="row")


TODAY = frame(
    ("b", "x", "view", None, at(2, 9)),
    ("a", "x", "purchase", 2.5, at(2, 12)),
    ("a", "x", "view", 1.0, at(2, 8)),
    ("a", "y", None, None, at(2, 10)),
)


def declared(aggregate, **changes) -> LabelsSpec:
    functions = [{"name": "f", "vote": "yes", "when": "time is not null"}]
    fixed = {"name": "u", "from": "events", "labels": ["no", "yes"], "functions": functions, "method": "majority_vote"}
    return LabelsSpec.model_validate({"unit": ["user", "item"], "aggregate": aggregate, **fixed, **changes})


def values(sql: str) -> list[object]:
    return units(TODAY, declared({"value": sql})).collect()["value"].to_list()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("sum(kind = 'purchase')", [1, None, 0]),
        ("SUM ( seconds )", [3.5, None, None]),
        ("count(*)", [2, 1, 1]),
        ("count(seconds)", [2, 0, 0]),
        ("count(distinct kind)", [2, 0, 1]),
        ("max(seconds)", [2.5, None, None]),
        ("sum(kind = 'purchase') - sum(kind = 'view')", [0, None, -1]),
        ("sum(seconds) / count(*)", [1.75, None, None]),
        ("sum(kind = 'view' and seconds > 0.5) > 0", [True, None, None]),
        ("sum(seconds) filter (where kind = 'view')", [1.0, None, None]),
        ("sum(distinct seconds) + 1", [4.5, None, None]),
        ("sum(case when kind = 'it''s sum(' then 1 else 2 end)", [4, 2, 2]),
        ("sum(seconds) -- sum(nothing)", [3.5, None, None]),
        ("coalesce(sum(seconds), 0)", [3.5, 0.0, 0.0]),
        ("count(*) filter (where kind = 'purchase')", [1, 0, 0]),
        ("first(kind)", ["view", None, "view"]),
        ("last(kind)", ["purchase", None, "view"]),
    ],
)
def test_aggregates_are_those_of_sql(sql, expected):
    assert values(sql) == expected


def test_nobody_votes_on_how_long_the_last_event_of_a_session_took():
    """Nothing follows it, so its dwell is unknown: neither short nor long, and its sum is not 0."""
    raw = pl.LazyFrame(
        [("u", "i1", 1511664900, 1), ("u", "i2", 1511664999, 2)],
        schema=["user_id", "item_id", "ts", "_line"],
        orient="row",
    ).with_columns(pl.from_epoch("ts").cast(pl.Datetime("us", "UTC")), pl.lit("f").alias("_file"), date=DAY)
    table = TableSpec.model_validate({"name": "events", "from": "site", "steps": [{"sessionize": {}}, {"dwell": {}}]})
    events = plan(table, {"site": raw}, day=DAY).kept
    conditions = {
        "quick": "dwell < 10",
        "slow": "not (dwell < 10)",
        "unknown": "dwell is null",
        "any": "dwell < 10 or n > 0",
    }
    spec = declared(
        {"dwell": "sum(dwell_seconds)", "n": "count(*)"},
        unit=["user_id", "item_id"],
        functions=[{"name": name, "vote": "yes", "when": when} for name, when in conditions.items()],
    )
    got = votes(units(events, spec), spec).collect()
    assert got.select("item_id", "dwell").rows() == [("i1", 99.0), ("i2", None)]
    assert got.select(f"vote_{name}" for name in conditions).rows() == [(-1, 1, -1, 1), (-1, -1, 1, 1)]


def test_sum_of_integers_does_not_overflow_their_type():
    events = TODAY.with_columns(small=pl.lit(2_000_000_000, pl.Int32))
    got = units(events, declared({"value": "sum(small)"})).collect()
    assert got["value"].to_list() == [4_000_000_000, 2_000_000_000, 2_000_000_000]


def test_sum_of_durations_is_left_to_polars():
    schema = {"took": pl.Duration("us")}
    assert exact_sums("sum(took)", schema) == "sum(took)"


def test_unit_starts_with_its_earliest_event_and_units_are_sorted():
    got = units(TODAY, declared({})).collect()
    assert got.rows() == [("a", "x", at(2, 8)), ("a", "y", at(2, 10)), ("b", "x", at(2, 9))]


def test_history_repeats_the_aggregates_over_the_events_before():
    past = frame(
        ("a", "x", "purchase", 7.0, at(1, 9)),
        ("a", "x", "view", None, at(1, 10)),
        ("c", "z", "purchase", 9.0, at(1, 10)),
    )
    spec = declared(
        {"purchases": "sum(kind = 'purchase')", "seconds": "sum(seconds)", "longest": "max(seconds)"},
        history={"window": "30d", "by": ["user", "item"]},
    )
    got = units(TODAY, spec, history=past).collect()
    assert got.select("user", "item", "^previous_.*$").rows() == [
        ("a", "x", 1, 7.0, 7.0),
        ("a", "y", 0, None, None),
        ("b", "x", 0, None, None),
    ]


def test_history_by_part_of_the_unit_reaches_all_its_units():
    past = frame(("a", "z", "purchase", 7.0, at(1, 9)))
    spec = declared({"n": "count(*)"}, history={"window": "30d", "by": "user"})
    assert units(TODAY, spec, history=past).collect()["previous_n"].to_list() == [1, 1, 0]


def test_history_must_be_given_when_declared_and_only_then():
    with pytest.raises(LabelsError, match="events of the days before are needed"):
        units(TODAY, declared({"n": "count(*)"}, history={"window": "1d", "by": "user"}))
    with pytest.raises(LabelsError, match="none is declared"):
        units(TODAY, declared({"n": "count(*)"}), history=TODAY)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_order_of_events_does_not_show_in_the_units(engine):
    events = pl.LazyFrame(
        {
            "user": [f"u{n % 50}" for n in range(5000)],
            "item": ["x"] * 5000,
            "kind": ["view"] * 5000,
            "seconds": [(n * 7919 % 1013) / 7 for n in range(5000)],
            "ts": [at(2, n % 24) for n in range(5000)],
        },
        schema=SCHEMA,
    )
    spec = declared({"seconds": "sum(seconds)", "mean": "avg(seconds)"})
    shuffled = events.collect().sample(fraction=1.0, shuffle=True, seed=3).lazy()
    assert_frame_equal(units(events, spec).collect(), units(shuffled, spec).collect(engine=engine), check_exact=True)


def test_day_without_events_has_no_units():
    spec = declared({"n": "sum(kind = 'view')"}, history={"window": "30d", "by": "user"})
    got = units(TODAY.filter(False), spec, history=TODAY).collect()
    assert got.height == 0
    assert got.schema["previous_n"] == pl.Int64
