import polars as pl

from assets.cleaning import TableSpec, row_lineage, table_lineage

CLICKS = {
    "event_id": pl.String(),
    "email": pl.String(),
    "price": pl.Float64(),
    "items": pl.List(pl.Struct({"item_id": pl.String(), "paid": pl.Float64()})),
    "ts": pl.Datetime("us", "UTC"),
    "_file": pl.String(),
    "_line": pl.Int64(),
    "known_on": pl.Date(),
}
ORDERS = {name: CLICKS[name] for name in ("event_id", "price", "ts", "_file", "_line")}
STEPS = [
    {"deduplicate": {"by": "event_id"}},
    {"reject": {"when": "price < 0", "reason": "negative"}},
    {"rename": {"columns": {"email": "who"}}},
    {"derive": {"columns": {"cents": "price * 100", "fix": "1"}}},
    {"explode": {"column": "items", "empty": "remove"}},
    {"derive": {"columns": {"share": "paid / price"}}},
    {"sessionize": {"by": "who"}},
    {"dwell": {"by": ["who", "session_id"]}},
    {"drop": {"columns": "who"}},
]


def spec(*steps, sources="clicks"):
    return TableSpec.model_validate({"name": "events", "from": sources, "steps": list(steps)})


def test_columns_are_followed_through_all_steps_to_the_source():
    lineage = table_lineage(spec(*STEPS), {"clicks": CLICKS})
    assert {name: {column for _, column in origins} for name, origins in lineage.items()} == {
        "event_id": {"event_id"},
        "price": {"price"},
        "ts": {"ts"},
        "_file": {"_file"},
        "_line": {"_line"},
        "cents": {"price"},
        "fix": set(),
        "item_id": {"items"},
        "paid": {"items"},
        "share": {"items", "price"},
        # `email` under another name, and not there any more: it is in what was made of it.
        "session_id": {"email", "ts"},
        "dwell_seconds": {"email", "ts", "_file", "_line"},
        "known_on": {"known_on"},
    }
    assert {source for origins in lineage.values() for source, _ in origins} == {"clicks"}


def test_what_decides_which_rows_there_are_is_told_apart():
    rows = row_lineage(spec(*STEPS), {"clicks": CLICKS})
    assert {column for _, column in rows} == {"event_id", "price", "items", "ts", "_file", "_line"}
    assert row_lineage(spec(), {"clicks": CLICKS}) == {("clicks", "ts")}


def test_a_column_of_several_sources_comes_from_those_that_have_it():
    lineage = table_lineage(spec(sources=["clicks", "orders"]), {"clicks": CLICKS, "orders": ORDERS})
    assert lineage["price"] == {("clicks", "price"), ("orders", "price")}
    assert lineage["email"] == {("clicks", "email")}
