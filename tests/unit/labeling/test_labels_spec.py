"""The declaration of labels refuses what cannot work, when it is read."""

from datetime import date

import polars as pl
import pytest
from pydantic import ValidationError

from assets.labeling import LabelsError, LabelsSpec, check_labels, fit_days, history_days

EVENTS = {
    "user_id": pl.String(),
    "item_id": pl.String(),
    "event_type": pl.String(),
    "dwell_seconds": pl.Float64(),
    "ts": pl.Datetime("us", "UTC"),
}


def declared(**changes) -> LabelsSpec:
    return LabelsSpec.model_validate(
        {
            "name": "engagement",
            "from": "events",
            "unit": ["user_id", "item_id"],
            "aggregate": {"purchases": "sum(event_type = 'purchase')", "dwell": "sum(dwell_seconds)"},
            "labels": ["ignored", "engaged"],
            "functions": [
                {"name": "purchased", "vote": "engaged", "when": "purchases > 0"},
                {"name": "bounced", "vote": "ignored", "when": "dwell < 3"},
                {"name": "stayed", "vote": "engaged", "when": "dwell > 60"},
            ],
            **changes,
        }
    )


def functions(*pairs) -> list[dict[str, str]]:
    return [
        {"name": f"f{index}", "vote": vote, "when": when} if when else {"name": f"f{index}", "python": vote}
        for index, (vote, when) in enumerate(pairs)
    ]


def test_schema_of_the_table_is_known_when_definitions_load():
    schema = check_labels(declared(history={"window": "30d", "by": ["user_id"]}), EVENTS)
    assert list(schema.items()) == [
        ("user_id", pl.String()),
        ("item_id", pl.String()),
        ("time", pl.Datetime("us", "UTC")),
        ("purchases", pl.Int64()),
        ("dwell", pl.Float64()),
        ("previous_purchases", pl.Int64()),
        ("previous_dwell", pl.Float64()),
        ("vote_purchased", pl.Int8()),
        ("vote_bounced", pl.Int8()),
        ("vote_stayed", pl.Int8()),
        ("covered", pl.Boolean()),
        ("label", pl.String()),
        ("majority", pl.String()),
        ("probability", pl.Float64()),
        ("probabilities", pl.List(pl.Float64())),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labells": ["a", "b"]}, "labells"),
        ({"labels": ["one"]}, "at least 2"),
        ({"labels": ["ignored", "ignored"]}, "the label 'ignored' is declared 2 times"),
        ({"functions": functions(("engagd", "dwell > 1"))}, "'f0' votes 'engagd'.*did you mean 'engaged'"),
        ({"functions": functions(("engaged", "dwell > 1"), ("ignored", "dwell < 1"))}, "at least 3.*and 2 declared"),
        ({"functions": functions(*[("engaged", "dwell > 1")] * 3)}, "no labelling function votes 'ignored'"),
        ({"labels": ["ignored", "liked", "engaged"]}, "no labelling function votes 'liked'.*remove the label"),
        ({"functions": [{"name": "x", "python": "module.function"}]}, "not of the form module:function"),
        ({"functions": [{"name": "x", "vote": "engaged", "whenn": "dwell > 1"}]}, "whenn"),
        ({"functions": [{"name": "x", "vote": "engaged", "when": "dwell > 1"}] * 3}, "'x' is declared 3 times"),
        ({"class_balance": {"ignored": 0.9, "engagd": 0.1}}, "engagd.*did you mean 'engaged'"),
        ({"class_balance": {"engaged": 1.0}}, "leaves out 'ignored'"),
        ({"class_balance": {"ignored": 0.9, "engaged": 0.2}}, "sum to 1, not 1.1"),
        ({"class_balance": {"ignored": 1.0, "engaged": 0.0}}, "must be positive"),
        ({"history": {"window": "30d", "by": ["user"]}}, "history.by names 'user'.*did you mean 'user_id'"),
        ({"history": {"window": "36h", "by": ["user_id"]}}, "window"),
        ({"gold": "purchased"}, "gold names 'purchased'.*did you mean 'purchases'"),
        ({"aggregate": {"label": "count(*)"}}, "'label' would take a name"),
        ({"aggregate": {"vote_x": "count(*)"}}, "'vote_x' would take a name"),
        ({"aggregate": {"item_id": "count(*)"}}, "'item_id' has the name of a unit column"),
    ],
)
def test_wrong_declaration_is_refused_with_its_culprit(changes, message):
    with pytest.raises(ValidationError, match=message.replace(".*", "[^§]*")):
        declared(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit": ["user_id", "item"]}, "unit column 'item' is no column of 'events'; did you mean 'item_id'"),
        ({"time": "tss"}, "time column 'tss' is no column of 'events'; did you mean 'ts'"),
        ({"aggregate": {"d": "sum(dwel_seconds)"}}, "aggregate 'd'.*'dwel_seconds'; did you mean 'dwell_seconds'"),
        ({"aggregate": {"d": "sum(event_type)"}}, "aggregate 'd'.*sum"),
        ({"aggregate": {"d": "sum("}}, "aggregate 'd'.*is not an SQL expression"),
        ({"aggregate": {"d": "dwell_seconds"}}, "aggregate 'd'.*gives a value for each event"),
        ({"aggregate": {"d": 'sum(event_type = "purchase")'}}, "'purchase' .a text stands in single quotes"),
    ],
)
def test_what_does_not_fit_the_events_is_refused_when_definitions_load(changes, message):
    with pytest.raises(LabelsError, match=f"Labels 'engagement'.*{message}"):
        check_labels(declared(**changes), EVENTS)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("purchase > 0", "names the column 'purchase'; did you mean 'purchases'"),
        ("dwell", "gives Float64, not true or false"),
        ("dwell >", "is not an SQL expression"),
        ("sum(dwell) > 3", r"looks beyond its unit.*an aggregate \(sum\)"),
        ("dwell > avg(dwell) and cast(user_id as date) is not null", r"looks beyond its unit.*an aggregate \(mean\)"),
        ("time > now()", r"reads the clock \(now\(\)\)"),
        ("true", "is one value for all units"),
        ("user_id = 3", "does not fit the columns: cannot compare string"),
        ('user_id = "u1"', "names the column 'u1' .a text stands in single quotes"),
        ("purchases > 0 and dwell", "does not fit the columns"),
    ],
)
def test_wrong_condition_names_function_and_fix(when, message):
    spec = declared(functions=functions(("ignored", "dwell < 3"), ("engaged", "purchases > 0"), ("engaged", when)))
    with pytest.raises(LabelsError, match=f"labelling function 'f2'.*{message}"):
        check_labels(spec, EVENTS)


def test_fewer_than_three_functions_are_enough_for_a_declared_majority_vote():
    spec = declared(functions=functions(("engaged", "purchases > 0")), method="majority_vote")
    assert "vote_f0" in check_labels(spec, EVENTS)


def test_python_functions_are_not_imported_when_definitions_load():
    spec = declared(functions=functions(*[("nowhere.at_all:vote", "")] * 3))
    assert check_labels(spec, EVENTS)["vote_f0"] == pl.Int8()


def test_gold_must_be_able_to_hold_labels():
    spec = declared(aggregate={"dwell": "sum(dwell_seconds)", "purchases": "count(*)"}, gold="dwell")
    with pytest.raises(LabelsError, match="gold column 'dwell' is Float64"):
        check_labels(spec, EVENTS)


def test_windows_end_the_day_before():
    spec = declared(history={"window": "30d", "by": "user_id"}, fit_window="7d")
    assert history_days(spec, date(2026, 3, 31)) == (date(2026, 3, 1), date(2026, 3, 30))
    assert fit_days(spec, date(2026, 3, 31)) == (date(2026, 3, 25), date(2026, 3, 30))
    assert history_days(declared(), date(2026, 3, 31)) is None
    assert fit_days(declared(), date(2026, 3, 31)) is None


def test_declaration_survives_the_way_through_json():
    spec = declared(history={"window": "30d", "by": ["user_id"]}, class_balance={"ignored": 0.9, "engaged": 0.1})
    assert LabelsSpec.model_validate_json(spec.model_dump_json(by_alias=True)) == spec
