import polars as pl
import pytest
from pydantic import ValidationError

from assets.cleaning import CleaningError, TableSpec, check_table
from crawlers.contract import Contract
from foundation.located import location_of

RAW = Contract.model_validate(
    {
        "columns": {
            "event_id": {"type": "string"},
            "user_id": {"type": "string"},
            "price": {"type": "float"},
            "ts": {"type": "datetime"},
        }
    }
).raw_schema()


def spec(*steps, **other):
    return TableSpec.model_validate({"name": "events", "from": "clicks", "steps": list(steps)} | other)


def test_the_columns_of_a_table_are_known_without_reading_a_row():
    table = spec(
        {"deduplicate": {"by": "event_id"}},
        {"derive": {"columns": {"cents": "price * 100", "half": "price * 0.5", "fix": "1.5"}}},
        {"rename": {"columns": {"price": "amount"}}},
        {"sessionize": {"by": "user_id"}},
        {"dwell": {}},
        {"drop": {"columns": ["_unknown", "crawled_at"]}},
    )
    assert check_table(table, {"clicks": RAW}) == {
        "event_id": pl.String,
        "user_id": pl.String,
        "amount": pl.Float64,
        "ts": pl.Datetime("us", "UTC"),
        "_file": pl.String,
        "_line": pl.Int64,
        "cents": pl.Float64,
        "half": pl.Float64,
        "fix": pl.Float64,
        "session_id": pl.Int64,
        "dwell_seconds": pl.Float64,
        "known_on": pl.Date,
    }


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            {"reject": {"when": "prise < 0", "reason": "r"}},
            (
                "Step 1 'reject' of table 'events': SQL `prise < 0` uses column 'prise', which is not there; "
                "did you mean 'price'?"
            ),
        ),
        ({"reject": {"when": "price", "reason": "r"}}, "gives Float64, but `when` must be true or false"),
        ({"deduplicate": {"by": ["event"]}}, "column 'event' is not there; did you mean 'event_id'?"),
        ({"dwell": {}}, "column 'session_id' is not there"),
        ({"sessionize": {"by": "price"}}, "column 'price' is Float64, which does not say who acts"),
        ({"rename": {"columns": {"price": "user_id"}}}, "two columns would be named 'user_id'"),
        ({"derive": {"columns": {"date": "price"}}}, "'date' is taken by Sluice"),
        ({"derive": {"columns": {"__reject": "price"}}}, "'__reject' is taken by Sluice"),
        ({"select": {"columns": ["usr_id"]}}, "did you mean 'user_id'"),
    ],
)
def test_a_step_that_does_not_fit_is_explained(step, message):
    with pytest.raises(CleaningError) as caught:
        check_table(spec(step), {"clicks": RAW})
    assert message in str(caught.value)
    assert "Step 1" in str(caught.value)


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ({"reject": {"when": "prise < 0", "reason": "r"}}, ("reject", "when")),
        ({"reject": {"when": "price", "reason": "r"}}, ("reject", "when")),
        ({"derive": {"columns": {"half": "price / 2", "sum": "sum(price)"}}}, ("derive", "columns", "sum")),
        ({"deduplicate": {"by": ["event"]}}, ("deduplicate", "by")),
        ({"sessionize": {"by": "price"}}, ("sessionize", "by")),
        ({"explode": {"column": "price"}}, ("explode", "column")),
        ({"select": {"columns": ["usr_id"]}}, ("select", "columns")),
    ],
)
def test_a_step_that_does_not_fit_is_placed(step, place):
    with pytest.raises(CleaningError) as caught:
        check_table(spec({"drop": {"columns": "crawled_at"}}, step), {"clicks": RAW})
    assert caught.value.location == ("steps", 1, *place)


def test_all_that_is_wrong_with_steps_is_told_at_once_and_placed():
    declared = [
        "dwell",
        {"dedupe": {}},
        {"sessionize": {"gap": "soon", "bye": "user_id"}},
        {"reject": {"when": "a > 1"}},
        7,
    ]
    with pytest.raises(ValidationError) as caught:
        spec(*declared, lateness="36h")
    assert [location_of(problem) for problem in caught.value.errors()] == [
        ("lateness",),
        ("steps", 1, "dedupe"),
        ("steps", 2, "sessionize", "bye"),
        ("steps", 3, "reject", "reason"),
        ("steps", 4),
    ]


def test_sources_and_event_times_that_do_not_fit_are_explained():
    with pytest.raises(CleaningError, match="source 'clicks', which is not declared; did you mean 'click'"):
        check_table(spec(), {"click": RAW})
    with pytest.raises(CleaningError, match="event time 'time', which its sources do not have"):
        check_table(spec(event_time="time"), {"clicks": RAW})
    with pytest.raises(CleaningError, match="event time 'price', which is Float64"):
        check_table(spec(event_time="price"), {"clicks": RAW})
    with pytest.raises(CleaningError, match=r"'sessionize'.*compares times.*no event time"):
        check_table(spec({"sessionize": {}}, event_time=None), {"clicks": RAW})
    table = spec(**{"from": ["clicks", "web"]})
    with pytest.raises(CleaningError, match="column 'price' as Float64 from 'clicks' and as String from 'web'"):
        check_table(table, {"clicks": RAW, "web": RAW | {"price": pl.String()}})


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"lateness": "36h"}, "not a whole number of days"),
        ({"lateness": "soon"}, "'soon' is not a duration; write a number and one of s, m, h, d, w"),
        ({"steps": {"dwell": {}}}, "`steps` is a list"),
        ({"steps": [{"dedupe": {}}]}, "did you mean 'deduplicate'"),
        ({"steps": [{"sessionize": {"gap": "half an hour"}}]}, "is not a duration"),
        ({"stepz": []}, "stepz"),
        ({"name": "My Table"}, "pattern"),
        ({"from": []}, "at least 1"),
    ],
)
def test_a_declaration_that_is_wrong_is_refused(declared, message):
    with pytest.raises(ValidationError, match=message):
        TableSpec.model_validate({"name": "events", "from": "clicks"} | declared)


def test_a_declaration_survives_json_with_the_names_of_its_steps():
    table = spec({"deduplicate": {"by": ["event_id"]}}, "dwell", lateness="2d")
    assert TableSpec.model_validate_json(table.model_dump_json(by_alias=True)) == table
    assert [list(step) for step in table.model_dump(mode="json")["steps"]] == [["deduplicate"], ["dwell"]]
    assert table.lateness_days == 2
    assert spec(event_time=None).lateness_days == 0


def test_the_json_schema_lists_the_steps():
    items = TableSpec.model_json_schema()["properties"]["steps"]["items"]
    assert {"deduplicate", "sessionize", "reject_bots"} <= set(items["properties"])
