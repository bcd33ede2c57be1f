"""A day of a table before its gate: earlier days, other tables, and what is published on purpose."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from assets.cleaning import TableSpec
from assets.lake import Lake, digest
from assets.stages import table
from assets.stages.override import Override
from assets.stages.past import Audit, Reference
from crawlers.contract import TIMESTAMP
from expectations.gate import GateError, parse_gate
from expectations.history import parse_history

FIRST = date(2026, 3, 2)
RAW = {
    "event_id": pl.String,
    "item_id": pl.String,
    "kind": pl.String,
    "price": pl.Float64,
    "ts": TIMESTAMP,
    "crawled_at": TIMESTAMP,
    "_file": pl.String,
    "_line": pl.Int64,
}
SCHEMA = {name: RAW[name] for name in ("event_id", "item_id", "kind", "price", "ts")}
DECISION = Override("the shop was closed in the afternoon", "ana")


def day_of(number):
    return FIRST + timedelta(days=number)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def land(lake, day, rows=40, *, items=("i1", "i2"), price=10.0, kinds=("view", "view", "buy"), version="1"):
    moment = datetime.combine(day, datetime.min.time(), UTC)
    columns = {
        "event_id": [f"{day}-{n}" for n in range(rows)],
        "item_id": [items[n % len(items)] for n in range(rows)],
        "kind": [kinds[n % len(kinds)] for n in range(rows)],
        "price": [price + n % 5 for n in range(rows)],
        "ts": [moment + timedelta(minutes=n) for n in range(rows)],
        "crawled_at": [moment + timedelta(days=1)] * rows,
        "_file": ["f"] * rows,
        "_line": range(1, rows + 1),
    }
    frame = pl.LazyFrame(columns, schema=RAW)
    lake.publish(lake.stage("visits__raw", day, frame, digest=digest(str(day), version, rows, price), run_id="crawl"))


def spec(*gate):
    return TableSpec.model_validate({"name": "sales", "from": "visits", "lateness": "0d", "gate": list(gate)})


def clean(lake, declared, day, references=None):
    audit = audit_of(declared, references)
    return table.materialize(lake, declared, audit, {"visits": "visits__raw"}, day, first_day=FIRST, run_id="run")


def audit_of(declared, references=None):
    gate = list(declared.gate)
    return Audit(parse_gate(gate), parse_history(gate, SCHEMA), references or {}, SCHEMA)


def override(lake, declared, day):
    return table.publish_refused(
        lake, declared, audit_of(declared), {"visits": "visits__raw"}, day, DECISION, first_day=FIRST
    )


def checks(result):
    return {check.name: check for check in result.checks}


HISTORY = {
    "history": {
        "watch": ["row_count", "null_share", "mean", "distribution"],
        "columns": ["price", "kind"],
        "minimum": 3,
        "severity": "critical",
    }
}
ROWS = "history__row_count"


def test_a_day_is_held_against_the_good_days_before_it_once_there_are_enough(lake):
    declared = spec(HISTORY)
    for number in range(4):
        land(lake, day_of(number), 40 + number % 2)
        result = clean(lake, declared, day_of(number))
        assert result.status == "published"
        told = checks(result)
        assert set(told) == {
            "conserved",
            "mostly_kept",
            ROWS,
            "history__null_share__price",
            "history__null_share__kind",
            "history__mean__price",
            "history__distribution__kind",
        }
        assert ("Not judged yet" in told[ROWS].description) == (number < 3)
        if number < 3:
            assert f"{number} of the 3" in told[ROWS].description
    observed = checks(result)[ROWS].metadata
    assert observed["observed"] == 41
    assert observed["lowest_good"] < 40
    assert observed["highest_good"] > 41


@pytest.mark.parametrize(
    ("spoiled", "failing"),
    [
        ({"rows": 10}, {ROWS}),
        ({"price": 900.0}, {"history__mean__price"}),
        ({"kinds": ("buy", "buy", "gone")}, {"history__distribution__kind"}),
    ],
)
def test_a_day_unlike_its_past_is_refused_and_is_no_past_for_later_days(lake, spoiled, failing):
    declared = spec(HISTORY)
    for number in range(4):
        land(lake, day_of(number))
        clean(lake, declared, day_of(number))
    land(lake, day_of(4), **spoiled)
    result = clean(lake, declared, day_of(4))
    assert result.status == "refused"
    assert {name for name, check in checks(result).items() if not check.passed} == failing
    assert next(iter(failing)) in result.message
    land(lake, day_of(5))
    assert clean(lake, declared, day_of(5)).status == "published"


def test_a_backfill_is_judged_by_its_own_past_and_not_by_its_future(lake):
    declared = spec(HISTORY)
    for number in (1, 2, 3, 4):
        land(lake, day_of(number), 400)
        clean(lake, declared, day_of(number))
    land(lake, day_of(0), 5)
    assert clean(lake, declared, day_of(0)).status == "published"


def test_days_that_were_published_before_anything_was_watched_count_as_past(lake):
    for number in range(3):
        land(lake, day_of(number))
        clean(lake, spec(), day_of(number))
    land(lake, day_of(3), 4)
    assert clean(lake, spec(HISTORY), day_of(3)).status == "refused"


def test_weekends_are_held_against_weekends(lake):
    declared = spec({"history": {"watch": ["row_count"], "minimum": 2, "same_weekday": True, "severity": "critical"}})
    for number in range(21):
        day = day_of(number)
        land(lake, day, 5 if day.weekday() >= 5 else 60)
        assert clean(lake, declared, day).status == "published", day
    land(lake, day_of(21), 5)
    assert clean(lake, declared, day_of(21)).status == "refused"


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ({"watch": ["row_counts"]}, "did you mean 'row_count'?"),
        ({"wach": ["mean"]}, "unknown argument 'wach'; did you mean 'watch'?"),
        ({"columns": ["prise"]}, "there is no column 'prise'; did you mean 'price'?"),
        ({"watch": ["distribution"]}, "needs 'columns'"),
        ({"watch": ["mean"], "columns": ["kind"]}, "none of the columns kind has a mean to watch"),
        ({"severity": "fatal"}, "'severity' cannot be 'fatal'"),
        ({"minimum": 9, "partitions": 4}, "minimum 9 is more than the 4 partitions"),
        ([1], "write its arguments as a mapping"),
    ],
)
def test_a_mistaken_history_is_told_when_definitions_load(history, words):
    with pytest.raises(GateError, match="gate entry 2: history: ") as told:
        parse_history([{"expect_table_row_count_to_equal": {"value": 1}}, {"history": history}], SCHEMA)
    assert words in str(told.value)


def test_nothing_is_watched_twice():
    entry = {"history": {"watch": ["row_count"]}}
    with pytest.raises(GateError, match="row_count is watched twice"):
        parse_history([entry, entry], SCHEMA)


IN_CATALOGUE = {
    "expect_column_values_to_be_in_table": {"column": "item_id", "other_table": "catalogue", "key": "item_id"}
}


def stock(lake, day, *items):
    frame = pl.LazyFrame({"item_id": items}, schema={"item_id": pl.String})
    lake.publish(lake.stage("catalogue", day, frame, digest=digest(str(day), *items), run_id="crawl"))


def test_a_gate_looks_into_another_table_as_of_the_day(lake):
    references = {"catalogue": Reference("catalogue", snapshot=True, asset="catalogue")}
    declared = spec(IN_CATALOGUE)
    land(lake, FIRST)
    blocked = clean(lake, declared, FIRST, references)
    assert blocked.status == "blocked"
    assert f"Materialise catalogue for {FIRST} first" in blocked.message
    stock(lake, day_of(1), "i1", "i2")
    assert clean(lake, declared, FIRST, references).status == "blocked", "a later catalogue tells nothing of this day"
    stock(lake, FIRST, "i1")
    refused = clean(lake, declared, FIRST, references)
    assert refused.status == "refused"
    assert "such as ['i2'" in refused.message
    # The newest state before a day on which the catalogue was not crawled.
    land(lake, day_of(2))
    passed = clean(lake, declared, day_of(2), references)
    assert passed.status == "published"
    assert passed.report["references"] == {"catalogue": str(day_of(1))}


def test_the_days_of_a_table_of_events_together_are_its_keys(lake):
    references = {"catalogue": Reference("catalogue", snapshot=False, asset="catalogue")}
    stock(lake, FIRST, "i1")
    stock(lake, day_of(1), "i2")
    land(lake, FIRST)
    land(lake, day_of(1))
    assert clean(lake, spec(IN_CATALOGUE), FIRST, references).status == "refused"
    assert clean(lake, spec(IN_CATALOGUE), day_of(1), references).status == "published"


MANY = {"expect_table_row_count_to_be_between": {"min_value": 30}}


def test_what_was_refused_is_published_on_purpose_with_the_reason_on_the_record(lake):
    declared = spec(MANY)
    land(lake, FIRST, 4)
    assert clean(lake, declared, FIRST).status == "refused"
    result = override(lake, declared, FIRST)
    assert result.status == "published"
    assert result.report["gate"] == "overridden"
    assert not checks(result)["expect_table_row_count_to_be_between"].passed
    assert lake.scan("sales").collect().height == 4
    newest = lake.versions("sales")[0]
    assert DECISION.reason in str(newest)
    assert DECISION.by in str(newest)
    again = clean(lake, declared, FIRST)
    assert (again.status, again.report["override_by"]) == ("unchanged", "ana")
    assert lake.refused("sales", FIRST) == []


def test_nothing_is_overridden_that_was_not_refused(lake):
    declared = spec(MANY)
    land(lake, FIRST)
    result = override(lake, declared, FIRST)
    assert result.status == "failed"
    assert f"Materialise sales for {FIRST} without the override first" in result.message
    assert not lake.exists("sales")


def test_a_refusal_of_other_inputs_is_not_published_in_the_place_of_what_came_after_it(lake):
    declared = spec(MANY)
    land(lake, FIRST, 4)
    assert clean(lake, declared, FIRST).status == "refused"
    land(lake, FIRST, 40, version="2")
    assert clean(lake, declared, FIRST).status == "published"
    result = override(lake, declared, FIRST)
    assert result.status == "failed"
    assert "it holds one of other inputs" in result.message
    assert lake.scan("sales").collect().height == 40


def test_what_was_observed_is_remembered_by_day_with_its_bounds(lake):
    declared = spec(MANY, {"expect_column_values_to_not_be_null": {"column": "price", "mostly": 0.9}})
    for number in range(3):
        land(lake, day_of(number), 40 + number)
        clean(lake, declared, day_of(number))
    past = table.observed(lake, "sales", before=day_of(2))
    assert [day for day, _ in past] == [day_of(0), day_of(1)]
    (rows, nulls) = past[1][1]
    assert (rows["value"], rows["low"], rows["high"]) == (41, 30, None)
    assert (nulls["value"], nulls["high"]) == (0, pytest.approx(10))
