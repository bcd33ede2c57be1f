"""Contracts that reach into records: paths, lists, JSON, and values composed of several fields."""

import datetime as dt

import polars as pl
import pytest
from pydantic import ValidationError

from assets.cleaning import TableSpec, plan, write
from crawlers.contract import Contract, Lineage
from crawlers.contract.path import Each, Element, Key, Position, parse_path
from crawlers.contract.types import COLUMN_TYPES
from crawlers.parse import hash_value
from foundation.located import LocatedError, location_of

STRING = {"type": "string"}
GA4_COLUMNS = {
    "event": {"type": "string", "from": "event_name", "required": True},
    "at": {"type": "datetime", "from": "event_timestamp", "formats": ["epoch_us"], "required": True},
    "user": {"type": "string", "from": "user_pseudo_id"},
    "device": {"type": "string", "from": "device.category"},
    "language": {"type": "string", "from": "device.language"},
    "page": {"type": "string", "from": "event_params[key=page].value.string_value"},
    "session": {"type": "integer", "quoted": True, "from": "event_params[key=session].value.int_value"},
    "items": {"type": "list", "items": {"type": "string"}, "from": "items[].item_id"},
    "prices": {"type": "list", "items": {"type": "float", "quoted": True, "minimum": 0}, "from": "items[].price"},
}
GA4 = (
    b'{"event_name":"scroll","event_timestamp":"1696470452486466","user_pseudo_id":"100.200","device":{"category":'
    b'"mobile","language":"en"},"event_params":[{"key":"page","value":{"string_value":"/start"}},{"key":"session",'
    b'"value":{"int_value":"7"}}],"items":[]}\n'
    b'{"event_name":"purchase","event_timestamp":"1696470500000001","user_pseudo_id":"100.200","device":{"category":'
    b'"mobile","language":null},"event_params":[{"key":"page","value":{"string_value":"/done"}}],"items":[{"item_id":'
    b'"A1","price":"9.50"},{"item_id":"B2","price":"3.00"}]}\n'
)


# Many times over, so that the lines meet templates; or once, so that they are read one by one.
@pytest.mark.parametrize("times", [1, 300])
def test_events_of_an_analytics_export_are_read_by_paths(parse, times):
    parsed = parse({"a.jsonl": GA4 * times}, GA4_COLUMNS)
    records = parsed.records.sort("_line").select(list(GA4_COLUMNS)).collect()
    at = dt.datetime(2023, 10, 5, 1, 47, 32, 486_466, tzinfo=dt.UTC)
    later = dt.datetime(2023, 10, 5, 1, 48, 20, 1, tzinfo=dt.UTC)
    assert (
        records.rows()
        == [
            ("scroll", at, "100.200", "mobile", "en", "/start", 7, [], []),
            ("purchase", later, "100.200", "mobile", None, "/done", None, ["A1", "B2"], [9.5, 3.0]),
        ]
        * times
    )
    assert parsed.absent == ()
    # Two lists of equal length become rows of their own.
    rows = records.head(2).select("event", "items", "prices").explode("items", "prices").drop_nulls().rows()
    assert rows == [("purchase", "A1", 9.5), ("purchase", "B2", 3.0)]


@pytest.mark.parametrize("times", [1, 300])
def test_purchased_items_become_rows_in_a_table(parse, times, tmp_path):
    price = {"type": "float", "quoted": True, "minimum": 0}
    bought = {"item": {"type": "string", "from": "item_id", "required": True}, "price": price}
    columns = GA4_COLUMNS | {"items": {"type": "list", "items": {"type": "struct", "fields": bought}}}
    del columns["prices"]
    records = parse({"a.jsonl": GA4 * times}, columns).records
    assert records.collect_schema()["items"] == pl.List(pl.Struct({"item": pl.String, "price": pl.Float64}))
    spec = TableSpec.model_validate(
        {
            "name": "bought",
            "from": "site",
            "event_time": "at",
            "steps": [{"explode": {"column": "items", "empty": "remove"}}],
        }
    )
    day = dt.date(2023, 10, 5)
    account = write(
        plan(spec, {"site": records.with_columns(date=pl.lit(day))}, day=day),
        kept=tmp_path / "kept.parquet",
        quarantined=tmp_path / "quarantined.parquet",
    )
    rows = pl.read_parquet(tmp_path / "kept.parquet").select("event", "item", "price").rows()
    assert rows == [("purchase", "A1", 9.5), ("purchase", "B2", 3.0)] * times
    assert account.made == {"exploded_items": times}


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (b'[{"item_id":"A","price":-1}]', "out_of_range"),
        (b'[{"price":1}]', "missing_required"),
        (b'[{"item_id":"A"},"x"]', "wrong_type"),
        (b'[{"item_id":"A","item_id":"B"}]', "duplicate_key"),
    ],
)
def test_a_field_of_a_struct_is_judged_like_a_column(parse, items, reason):
    fields = {"item_id": STRING | {"required": True}, "price": {"type": "float", "minimum": 0}}
    columns = {"items": {"type": "list", "items": {"type": "struct", "fields": fields}}}
    parsed = parse({"a": b'{"items":[{"item_id":"B","price":1.5}]}\n{"items":' + items + b"}\n{}\n"}, columns)
    assert parsed.records.collect()["items"].to_list() == [[{"item_id": "B", "price": 1.5}], None]
    assert parsed.accounting.quarantined == {reason: 1}


@pytest.mark.parametrize("times", [1, 300])
def test_a_declared_name_that_never_occurs_is_reported(parse, times):
    line = (
        b'{"id":"a","ts":"2021-03-03T10:00:00Z","device":{"category":"mobile"},"items":[{"item_id":"A1"}],"n":null}\n'
    )
    columns = {
        "id": STRING,
        "n": {"type": "integer"},
        "device.category": STRING,
        "kind": {"type": "string", "from": "device.category"},
        "brand": {"type": "string", "from": "device.brand"},
    }
    parsed = parse({"a.jsonl": line * times}, columns)
    assert parsed.records.collect()["kind"].to_list() == ["mobile"] * times
    assert parsed.absent == ("device.category", "brand")
    assert parse({}, columns).absent == ()
    flat = parse({"a.csv": b"id,kind\n1,\n"}, {"id": STRING, "kind": STRING, "brand": STRING}, kind="csv")
    assert flat.absent == ("brand",)


def test_headers_that_no_column_can_be_called_are_named_by_from(parse):
    columns = {
        "row": {"type": "integer", "from": ""},
        "item": {"type": "integer", "from": "item_id"},
        "feature": {"type": "float", "from": "item.feature 0"},
        "day": {"type": "date", "from": "date"},
    }
    body = b",item_id,item.feature 0,date\n0,7,-0.677,2026-03-01\n1,8,-0.720,2026-03-02\n"
    parsed = parse({"a.csv": body}, columns, kind="csv")
    day = dt.date(2026, 3, 1)
    assert parsed.records.collect().select(list(columns)).rows() == [
        (0, 7, -0.677, day),
        (1, 8, -0.72, day + dt.timedelta(days=1)),
    ]
    assert parsed.records.collect()["_unknown"].to_list() == [None, None]
    nested = parse(
        {"a": b'{"":1,"item_id":7,"item.feature 0":1,"date":"2026-03-01"}\n'},
        {**columns, "feature": {"type": "float", "from": '"item.feature 0"'}},
    )
    assert nested.records.collect().select(list(columns)).rows() == [(1, 7, 1.0, day)]


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_time_is_composed_of_several_fields(parse, kind):
    columns = {
        "day": {"type": "date", "from": ["year", "month", "day of month"], "formats": ["%Y %m %d"]},
        "at": {"type": "datetime", "from": ["date", "time"], "formats": ["%Y-%m-%d %H:%M"], "required": True},
        "year": {"type": "integer"},
    }
    if kind == "csv":
        body = b"year,month,day of month,date,time\n2026,3,1,2026-03-01,10:00\n2026,3,,2026-03-01,10:00\n,,,,\n"
    else:
        body = (
            b'{"year":2026,"month":3,"day of month":1,"date":"2026-03-01","time":"10:00"}\n'
            b'{"year":2026,"month":3,"date":"2026-03-01","time":"10:00"}\n{"year":null}\n'
        )
    parsed = parse({"a": body}, columns, kind=kind)
    at = dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)
    assert parsed.records.collect().select(list(columns)).rows() == [(dt.date(2026, 3, 1), at, 2026)]
    found = parsed.quarantined.sort("_line").collect().select("reason", "column").rows()
    assert found == [("wrong_type", "day"), ("missing_required", "at")]


@pytest.mark.parametrize("around", [0, 400])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'{"c":"x","t":["a","b"],"j":{"n":1.50}}', None),
        (b'{"c":"x","c":"y"}', "duplicate_key"),
        (b'"x"', "wrong_type"),
        (b'{"c":{"d":1}}', "wrong_type"),
        (b'{"c":true}', "wrong_type"),
        (b'{"t":["a",1.5]}', "wrong_type"),
        (b'{"t":"a"}', "wrong_type"),
        (b'{"t":["a",null]}', "missing_required"),
        (b'{"c":"\\ud800"}', "not_utf8"),
        (b"null", None),
    ],
)
def test_a_value_within_a_field_is_judged_like_any_other(parse, value, reason, around):
    columns = {
        "c": {"type": "string", "from": "x.c"},
        "t": {"type": "list", "from": "x.t", "items": {"type": "string", "required": True}},
        "j": {"type": "json", "from": "x.j"},
    }
    good = b'{"x":{"c":"z","t":[],"j":[1]}}\n' * around
    parsed = parse({"a": good + b'{"x":' + value + b"}\n" + good}, columns)
    if reason:
        assert parsed.accounting.quarantined == {reason: 1}
    else:
        row = parsed.records.collect().filter(_line=around + 1).select("c", "t", "j").row(0)
        assert row == ((None,) * 3 if value == b"null" else ("x", ["a", "b"], '{"n":1.50}'))


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_json_and_lists_are_read_from_texts_too(parse, kind):
    columns = {
        "genres": {"type": "list", "items": {"type": "string", "one_of": ["Action", "Comedy"]}, "separator": "|"},
        "tags": {"type": "list", "items": {"type": "integer"}},
        "more": {"type": "json"},
    }
    if kind == "csv":
        body = b'genres,tags,more\nAction|Comedy,"[1,2]","{""a"": 1}"\nDrama,[],1\nAction,oops,1\nAction,[],oops\n'
        wrong = {"not_allowed": 1, "wrong_type": 2}
    else:
        body = b'{"genres":"Action|Comedy","tags":[1,2],"more":{"a": 1}}\n{"genres":"Drama","tags":[]}\n'
        wrong = {"not_allowed": 1}
    parsed = parse({"a": body}, columns, kind=kind)
    assert parsed.records.collect().select(list(columns)).rows() == [(["Action", "Comedy"], [1, 2], '{"a": 1}')]
    assert parsed.accounting.quarantined == wrong


def test_the_elements_of_a_personal_list_are_hashed(parse):
    columns = {"people": {"type": "list", "items": {"type": "string"}, "pii": "hash"}}
    parsed = parse({"a": b'{"people":["ada",null]}\n{"people":[]}\n{}\n'}, columns)
    assert parsed.records.collect()["people"].to_list() == [[hash_value("ada", b"secret"), None], [], None]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", (Key(""),)),
        ("a", (Key("a"),)),
        ("a b.c-d", (Key("a b"), Key("c-d"))),
        ('"a.b"."c\\"[d]"', (Key("a.b"), Key('c"[d]'))),
        ("a[0].b", (Key("a"), Position(0), Key("b"))),
        ("a[-1]", (Key("a"), Position(-1))),
        ("a[]", (Key("a"), Each())),
        ("a[k=v w].b", (Key("a"), Element("k", "v w"), Key("b"))),
        ('a[k="]"]', (Key("a"), Element("k", "]"))),
    ],
)
def test_paths_say_where_a_value_stands(text, segments):
    assert parse_path(text).segments == segments


@pytest.mark.parametrize("text", ["a.", ".a", "a..b", "a[", "a]b", "a[x]", "[0]", 'a"b"', "a[][]"])
def test_a_path_that_is_none_is_refused(text):
    with pytest.raises(LocatedError, match="path '"):
        parse_path(text)


@pytest.mark.parametrize(
    ("column", "message", "place"),
    [
        ({"type": "string", "from": "a."}, "a key was expected", ("from", 0)),
        ({"type": "string", "from": "a[].b"}, "declare type: list", ("from", 0)),
        ({"type": "list"}, "needs `items`", ("items",)),
        ({"type": "list", "items": {"type": "list", "items": STRING}}, "list of lists", ("items", "type")),
        ({"type": "list", "items": {"type": "string", "pii": "hash"}}, "is for the column", ("items", "pii")),
        ({"type": "string", "items": STRING}, "for columns of type list", ("items",)),
        ({"type": "json", "from": ["a", "b"]}, "one field", ("from",)),
        ({"type": "struct"}, "needs `fields`", ("fields",)),
        ({"type": "struct", "fields": {"a": STRING | {"pii": "hash"}}}, "of its own", ("fields", "a", "pii")),
        ({"type": "strng"}, "did you mean 'string'", ("type",)),
        ({"type": "string", "quoted": True}, "`quoted` is for", ("quoted",)),
    ],
)
def test_a_column_that_cannot_be_read_is_refused_with_its_place(column, message, place):
    with pytest.raises(ValidationError) as caught:
        Contract.model_validate({"columns": {"x": column}})
    (problem,) = caught.value.errors()
    assert message in problem["msg"]
    assert location_of(problem) == ("columns", "x", *place)


def test_a_contract_says_where_its_columns_come_from():
    contract = Contract.model_validate(
        {
            "columns": {
                "user": {"type": "string", "pii": "hash", "from": "u.id"},
                "email": {"type": "string", "pii": "drop"},
                "at": {"type": "datetime", "from": ["d", "t"], "formats": ["%Y-%m-%d %H:%M"]},
            }
        }
    )
    lineage = contract.lineage()
    assert lineage["user"] == Lineage(("u.id",), "hash")
    assert lineage["email"] == Lineage(("email",), "drop")
    assert lineage["at"] == Lineage(("d", "t"), "none")
    assert lineage["_unknown"] == Lineage(("*",), "names")
    assert set(lineage) == set(contract.raw_schema()) | {"email"}


@pytest.mark.parametrize("name", COLUMN_TYPES)
def test_a_type_reads_its_example_and_appears_where_types_are_listed(parse, name):
    kind = COLUMN_TYPES[name]
    needed = {"list": {"items": STRING}, "struct": {"fields": {"a": STRING}}}
    column = {"type": name} | needed.get(name, {})
    quoted = f'"{kind.example.replace(chr(34), chr(34) * 2)}"'
    parsed = parse({"a": f"x\n{quoted}\nnothing".encode()}, {"x": column}, kind="csv")
    assert parsed.records.collect()["x"][0] is not None
    assert kind.describes.endswith(".")
    schema = Contract.model_json_schema()["$defs"]["Column"]["properties"]["type"]
    assert name in schema["enum"]
