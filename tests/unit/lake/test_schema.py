import datetime as dt
import decimal

import polars as pl
import pytest
from deltalake import DeltaTable

from assets.lake import SchemaChangeError, UnstorableTypeError, digest, stored_schema

DAY = dt.date(2024, 3, 1)
NEXT = dt.date(2024, 3, 2)
NOON = dt.datetime.fromisoformat("2024-03-01T12:00:00.123456")


def publish(lake, frame, day=DAY, name="1"):
    return lake.publish(lake.stage("events", day, frame.lazy(), digest=digest(name), run_id="run"))


KEPT = {
    "bool": pl.Series([True, None]),
    "int8": pl.Series([-128, None], dtype=pl.Int8),
    "int16": pl.Series([1, None], dtype=pl.Int16),
    "int32": pl.Series([1, None], dtype=pl.Int32),
    "int64": pl.Series([-(2**63), 2**63 - 1]),
    "float32": pl.Series([1.5, float("nan")], dtype=pl.Float32),
    "float64": pl.Series([float("-inf"), None], dtype=pl.Float64),
    "string": pl.Series(["é\x00\n", None]),
    "binary": pl.Series([b"\x00\xff", None]),
    "day": pl.Series([DAY, None]),
    "utc": pl.Series([NOON, None]).dt.replace_time_zone("UTC"),
    "decimal": pl.Series([decimal.Decimal("12.34"), None], dtype=pl.Decimal(10, 2)),
    "tokens": pl.Series([[1, None], None], dtype=pl.List(pl.Int32)),
    "struct": pl.Series([{"a": 1, "b": ["x"]}, {"a": None, "b": None}]),
    "all_null": pl.Series([None, None], dtype=pl.String),
}


def test_stored_types_come_back_as_they_went_in(lake):
    frame = pl.DataFrame(KEPT)
    publish(lake, frame)
    back = lake.scan("events").drop("date").collect()
    assert back.schema == frame.schema
    assert back.equals(frame, null_equal=True)


CHANGED = [
    (pl.Series([255, None], dtype=pl.UInt8), pl.Int16),
    (pl.Series([2**16 - 1, None], dtype=pl.UInt16), pl.Int32),
    (pl.Series([2**32 - 1, None], dtype=pl.UInt32), pl.Int64),
    (pl.Series([2**63 - 1, None], dtype=pl.UInt64), pl.Int64),
    (pl.Series(["a", None], dtype=pl.Categorical), pl.String),
    (pl.Series(["a", None], dtype=pl.Enum(["a", "b"])), pl.String),
    (pl.Series([[1, 2], None], dtype=pl.Array(pl.Int8, 2)), pl.List(pl.Int8)),
    (pl.Series([["a"], None], dtype=pl.List(pl.Categorical)), pl.List(pl.String)),
    (pl.Series([{"u": 1}, {"u": None}], dtype=pl.Struct({"u": pl.UInt8})), pl.Struct({"u": pl.Int16})),
]


@pytest.mark.parametrize(("column", "stored"), CHANGED, ids=[str(column.dtype) for column, _ in CHANGED])
def test_types_that_delta_lacks_are_stored_by_rule(local, column, stored):
    publish(local, pl.DataFrame({"c": column}))
    back = local.scan("events").collect()["c"]
    assert back.dtype == stored == local.schema("events")["c"]
    assert back.to_list() == column.to_list()


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([NOON]).dt.replace_time_zone("Asia/Kathmandu"),
        pl.Series([NOON]).dt.replace_time_zone("UTC").dt.cast_time_unit("ns"),
        pl.Series([NOON]).dt.replace_time_zone("America/New_York").dt.cast_time_unit("ms"),
    ],
)
def test_datetimes_become_the_same_instants_in_utc(local, column):
    publish(local, pl.DataFrame({"c": column}))
    back = local.scan("events").collect()["c"]
    assert back.dtype == pl.Datetime("us", "UTC")
    assert back.dt.epoch("us").to_list() == column.dt.epoch("us").to_list()


def test_a_number_that_does_not_fit_is_an_error_and_not_another_number(local):
    with pytest.raises(pl.exceptions.InvalidOperationError, match="9223372036854775808"):
        publish(local, pl.DataFrame({"c": pl.Series([2**63], dtype=pl.UInt64)}))
    assert not local.exists("events")


@pytest.mark.parametrize(
    ("column", "advice"),
    [
        (pl.Series([NOON]), r"column 'c' is a datetime without a time zone.*replace_time_zone"),
        (pl.Series([None], dtype=pl.Null), "only nulls"),
        (pl.Series([dt.timedelta(1)]), "total_microseconds"),
        (pl.Series([dt.time(1)]), "to_string"),
        (pl.Series([1], dtype=pl.Int128), "Int64"),
        (pl.Series([object()], dtype=pl.Object), "Python objects"),
        (pl.Series([{"t": dt.time(1)}]), r"column 'c\.t'"),
        (pl.Series([[dt.time(1)]]), "column 'c'"),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pl.Series) else "",
)
def test_types_that_cannot_be_stored_say_what_to_do(local, column, advice):
    with pytest.raises(UnstorableTypeError, match=advice):
        local.stage("events", DAY, pl.DataFrame({"c": column}).lazy(), digest=digest(1), run_id="run")


def test_a_schema_can_be_checked_before_there_is_data():
    assert stored_schema(pl.Schema({"u": pl.UInt8(), "date": pl.Date()}), "t") == {"u": pl.Int16}
    with pytest.raises(UnstorableTypeError, match="no columns besides 'date'"):
        stored_schema(pl.Schema({"date": pl.Date()}), "t")
    with pytest.raises(UnstorableTypeError, match="'Item' and 'item' differ in case only"):
        stored_schema(pl.Schema({"Item": pl.String(), "item": pl.String()}), "t")
    with pytest.raises(UnstorableTypeError, match="'date' and 'Date' differ in case only"):
        stored_schema(pl.Schema({"Date": pl.String()}), "t")


def test_a_new_column_is_null_on_earlier_days(lake):
    publish(lake, pl.DataFrame({"x": [1]}))
    publish(lake, pl.DataFrame({"y": ["new"], "x": [2]}), NEXT)
    assert lake.scan("events").sort("date").drop("date").collect().rows() == [(1, None), (2, "new")]
    assert lake.schema("events").names() == ["x", "y", "date"]


def test_a_column_that_a_day_lacks_stays_and_is_null_there(lake):
    publish(lake, pl.DataFrame({"x": [1], "y": ["old"]}))
    publish(lake, pl.DataFrame({"x": [2]}), NEXT)
    assert lake.scan("events").sort("date").drop("date").collect().rows() == [(1, "old"), (2, None)]
    publish(lake, pl.DataFrame({"x": [3], "y": ["back"]}), NEXT, name="2")
    assert lake.scan("events", start=NEXT).collect()["y"].to_list() == ["back"]


def test_narrower_numbers_are_widened_to_the_tables_type(local):
    publish(local, pl.DataFrame({"x": [1], "f": [1.0]}))
    narrow = pl.DataFrame({"x": [2], "f": [2.5]}, schema={"x": pl.Int8, "f": pl.Float32})
    publish(local, narrow, NEXT)
    assert local.scan("events").sort("date").drop("date").collect().rows() == [(1, 1.0), (2, 2.5)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (pl.Series([1]), pl.Series(["a"]), "column 'c' is Int64 in the table but String in the new data of 2024-03-02"),
        (pl.Series([1], dtype=pl.Int32), pl.Series([1]), "is Int32 in the table but Int64"),
        (pl.Series([1]), pl.Series([1.5]), "is Int64 in the table but Float64"),
        (pl.Series([{"a": 1}]), pl.Series([{"a": 1, "b": 2}]), "is Struct"),
    ],
)
def test_a_changed_type_names_column_types_day_and_what_to_do(lake, old, new, message):
    publish(lake, pl.DataFrame({"c": old}))
    with pytest.raises(SchemaChangeError, match=message) as caught:
        publish(lake, pl.DataFrame({"c": new}), NEXT)
    assert "in a step, or write it under a new name" in str(caught.value)
    assert lake.published("events", NEXT) is None


def test_a_type_that_changes_between_staging_and_publishing_is_refused(local):
    early = local.stage("events", DAY, pl.LazyFrame({"c": [1]}), digest=digest(1), run_id="run")
    publish(local, pl.DataFrame({"c": ["a"]}), NEXT)
    with pytest.raises(SchemaChangeError, match="column 'c' is String"):
        local.publish(early)


def test_a_renamed_case_is_refused(local):
    publish(local, pl.DataFrame({"item": [1]}))
    with pytest.raises(SchemaChangeError, match="rename it to 'item'"):
        publish(local, pl.DataFrame({"Item": [1]}), NEXT)


def test_texts_and_floats_leave_no_values_in_the_log(local):
    publish(local, pl.DataFrame({"user": ["secret-name"], "f": [1.25], "n": [7]}))
    log = "".join(path.read_text() for path in (__import__("pathlib").Path(local.root)).rglob("_delta_log/*.json"))
    assert "secret-name" not in log
    assert "1.25" not in log
    actions = pl.DataFrame(DeltaTable(f"{local.root}/tables/events").get_add_actions(flatten=True))
    assert actions.select("num_records", "null_count.user", "min.n", "max.n").rows() == [(1, 0, 7, 7)]


def test_dates_beyond_pythons_calendar_are_stored(local):
    frame = pl.DataFrame({"d": pl.Series([2_000_000, -2_000_000], dtype=pl.Int32).cast(pl.Date), "x": [1, 2]})
    publish(local, frame)
    assert local.scan("events").drop("date").collect().equals(frame)
    far = pl.DataFrame({"t": pl.Series([2**60, -(2**60)]).cast(pl.Datetime("us", "UTC"))})
    local.publish(local.stage("far", DAY, far.lazy(), digest=digest(1), run_id="run"))
    assert local.scan("far").drop("date").collect().equals(far)
