import datetime as dt
import json

import polars as pl
import pytest

from assets.cleaning import CleaningError, TableSpec, check_table, plan, write
from crawlers.accounting import Accounting

DAY = dt.date(2023, 10, 5)
NOON = dt.datetime(2023, 10, 5, 12, tzinfo=dt.UTC)
ITEM = pl.Struct({"item_id": pl.String, "price": pl.Float64})
SCHEMA = {
    "event": pl.String,
    "ts": pl.Datetime("us", "UTC"),
    "items": pl.List(ITEM),
    "tags": pl.List(pl.String),
    "_file": pl.String,
    "_line": pl.Int64,
    "date": pl.Date,
}
#: A scroll without items; a purchase of two; one whose list is missing.
ROWS = pl.DataFrame(
    [
        ("scroll", NOON, [], ["a", "b", None], "f", 1, DAY),
        (
            "purchase",
            NOON + dt.timedelta(seconds=1),
            [{"item_id": "A1", "price": 9.5}, {"item_id": "B2", "price": 3.0}],
            None,
            "f",
            2,
            DAY,
        ),
        ("visit", NOON + dt.timedelta(seconds=2), None, ["c"], "f", 3, DAY),
    ],
    schema=SCHEMA,
    orient="row",
)


def clean(tmp_path, *steps, rows=ROWS):
    spec = TableSpec.model_validate({"name": "bought", "from": "site", "steps": list(steps)})
    paths = {"kept": tmp_path / "kept.parquet", "quarantined": tmp_path / "rejected.parquet"}
    account = write(plan(spec, {"site": rows.lazy()}, day=DAY), **paths)
    account.check("bought")
    kept = pl.read_parquet(paths["kept"])
    names = {**SCHEMA, "date": None}
    assert kept.schema == check_table(spec, {"site": {n: t for n, t in names.items() if t is not None}})
    return kept, pl.read_parquet(paths["quarantined"]), account


def test_purchased_items_are_rows_of_their_own_and_the_second_is_made(tmp_path):
    kept, _, account = clean(tmp_path, {"explode": {"column": "items", "empty": "remove", "index": "position"}})
    assert kept.select("event", "item_id", "price", "position", "_line").rows() == [
        ("purchase", "A1", 9.5, 0, 2),
        ("purchase", "B2", 3.0, 1, 2),
    ]
    assert "items" not in kept.columns
    assert account == Accounting(3, 2, removed={"empty_list": 2}, made={"exploded_items": 1})


def test_rows_without_an_element_stay_unless_declared_otherwise(tmp_path):
    kept, _, account = clean(tmp_path, {"explode": {"column": "items", "index": "position"}})
    assert kept.select("event", "item_id", "position").rows() == [
        ("scroll", None, None),
        ("purchase", "A1", 0),
        ("purchase", "B2", 1),
        ("visit", None, None),
    ]
    assert account.to_json() == {
        "rows_in": 3,
        "rows_out": 4,
        "quarantined": {},
        "removed": {},
        "made": {"exploded_items": 1},
    }


def test_elements_that_are_no_records_stay_in_the_column_and_a_null_among_them_is_one(tmp_path):
    kept, _, account = clean(tmp_path, {"explode": {"column": "tags"}})
    assert kept.select("event", "tags").rows() == [
        ("scroll", "a"),
        ("scroll", "b"),
        ("scroll", None),
        ("purchase", None),
        ("visit", "c"),
    ]
    assert account.made == {"exploded_tags": 2}


def test_lists_may_be_exploded_one_after_the_other(tmp_path):
    rows = ROWS.with_columns(tags=pl.lit(["x", "y", "z"]))
    kept, _, account = clean(tmp_path, {"explode": {"column": "items"}}, {"explode": {"column": "tags"}}, rows=rows)
    assert kept.filter(event="purchase").select("item_id", "tags").rows() == [
        (item, tag) for item in ("A1", "B2") for tag in "xyz"
    ]
    assert account.made == {"exploded_items": 1, "exploded_tags": 8}


def test_steps_after_it_see_rows_as_any_others(tmp_path):
    kept, rejected, account = clean(
        tmp_path,
        {"explode": {"column": "items", "empty": "remove"}},
        {"reject": {"when": "price < 5", "reason": "cheap"}},
        {"sessionize": {"by": "event"}},
    )
    assert kept["item_id"].to_list() == ["A1"]
    assert json.loads(rejected["record"].item())["item_id"] == "B2"
    assert rejected["_line"].item() == 2
    assert account.quarantined == {"cheap": 1}


def test_of_the_rows_of_one_line_the_first_element_comes_first_and_is_the_one_of_its_key_that_stays(tmp_path):
    steps = ({"explode": {"column": "tags", "index": "place"}}, {"deduplicate": {"by": "event"}})
    rows = ROWS.with_columns(tags=pl.lit([f"t{place}" for place in range(50)])).sample(fraction=1, shuffle=True, seed=1)
    kept, _, _ = clean(tmp_path, *steps, rows=rows)
    assert kept["place"].to_list() == [0, 0, 0]


def test_a_row_that_was_rejected_before_keeps_its_record_whole_and_makes_none(tmp_path):
    kept, rejected, account = clean(
        tmp_path, {"reject": {"when": "event = 'purchase'", "reason": "r"}}, {"explode": {"column": "items"}}
    )
    assert kept["event"].to_list() == ["scroll", "visit"]
    assert [item["item_id"] for item in json.loads(rejected["record"].item())["items"]] == ["A1", "B2"]
    assert account.made == {}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"column": "itms"}, "column 'itms' is not there; did you mean 'items'"),
        ({"column": "event"}, "column 'event' is String, not a list"),
        ({"column": "items", "index": "event"}, "'event' of the elements of 'items' would be a column that is there"),
        ({"column": "tags", "index": "tags"}, "'tags' of the elements of 'tags' would be a column that is there"),
        ({"column": "items", "index": "__line"}, "'__line' is taken by Sluice"),
        ({"column": "items", "index": "price"}, "'price' of the elements of 'items' would be a column"),
    ],
)
def test_what_does_not_fit_is_explained(declared, message):
    spec = TableSpec.model_validate({"name": "bought", "from": "site", "steps": [{"explode": declared}]})
    schema = {name: dtype for name, dtype in SCHEMA.items() if name != "date"}
    with pytest.raises(CleaningError, match=f"Step 1 'explode' of table 'bought': .*{message}"):
        check_table(spec, {"site": schema})


def test_a_field_that_meets_a_column_takes_a_prefix():
    rows = ROWS.with_columns(price=pl.lit(1.0))
    spec = TableSpec.model_validate(
        {"name": "bought", "from": "site", "steps": [{"explode": {"column": "items", "prefix": "item_"}}]}
    )
    kept = plan(spec, {"site": rows.lazy()}, day=DAY).kept.collect()
    assert {"price", "item_price", "item_item_id"} <= set(kept.columns)
