"""Parquet: typed columns through the contract, damage as quarantine."""

import datetime as dt
import io

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

COLUMNS = {
    "id": {"type": "string", "required": True},
    "n": {"type": "integer"},
    "ts": {"type": "datetime"},
    "device": {"type": "string", "from": "device.category"},
    "tags": {"type": "list", "items": {"type": "string"}},
}
TABLE = pa.table(
    {
        "id": ["a", "b", "c"],
        "n": pa.array([1, None, 2**53 + 1], pa.int64()),
        "ts": pa.array([dt.datetime(2026, 1, 5, 10, 0, 0, 500000, dt.UTC)] * 3, pa.timestamp("us", "UTC")),
        "device": [{"category": "mobile"}, None, {"category": "desktop"}],
        "tags": [["x", "y"], [], None],
        "extra": [1.5, None, 2.0],
    }
)


def written(table, **options):
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


@pytest.fixture
def read(parse):
    return lambda body, columns=COLUMNS, **options: parse({"a.parquet": body}, columns, kind="parquet", **options)


def test_types_and_nested_values_come_through_the_contract(read):
    rows = read(written(TABLE)).records.collect()
    assert rows["n"].to_list() == [1, None, 2**53 + 1]
    assert rows["ts"].to_list() == [dt.datetime(2026, 1, 5, 10, 0, 0, 500000, dt.UTC)] * 3
    assert rows["device"].to_list() == ["mobile", None, "desktop"]
    assert rows["tags"].to_list() == [["x", "y"], [], None]
    assert rows["_unknown"].to_list() == ['{"extra":1.5}', '{"extra":null}', '{"extra":2.0}']
    assert rows["_line"].to_list() == [1, 2, 3]


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (pa.array([1.0, 2.5, 3.0]), [1, 3]),
        (pa.array(["1", "x", "3"]), [1, 3]),
        (pa.array([True, False, None]), [None]),
        (pa.array([b"1", b"\xff", b"3"]), [1, 3]),
        (pa.array([1, 2**64 - 1, 3], pa.uint64()), [1, 3]),
    ],
)
def test_a_value_of_another_type_is_quarantined_and_never_coerced(read, values, kept):
    parsed = read(written(pa.table({"n": values})), {"n": {"type": "integer"}})
    assert parsed.records.collect()["n"].to_list() == kept
    assert parsed.accounting.rows_in == 3
    assert sum(parsed.accounting.quarantined.values()) == 3 - len(kept)


def test_rows_are_the_same_whatever_the_size_of_parts(read):
    body = written(pa.table({"id": [str(number) for number in range(1000)]}), row_group_size=77)
    columns = {"id": {"type": "string"}}
    small, large = (read(body, columns, chunk_bytes=size).records.collect() for size in (64, 1 << 24))
    assert small.equals(large)
    assert small["_line"].to_list() == list(range(1, 1001))


@pytest.mark.parametrize("damage", ["cut", "foot", "short", "other"])
def test_a_damaged_file_is_one_fault(read, damage):
    body = written(pa.table({"id": [f"item {number:06}" for number in range(2000)]}))
    damaged = {"cut": body[: len(body) // 2], "foot": body[:-4] + b"PARX", "short": b"PAR1", "other": b"id,n\n1,2\n"}
    parsed = read(damaged[damage], {"id": {"type": "string"}})
    assert parsed.accounting.quarantined == {"corrupt_file": 1}
    assert (parsed.accounting.rows_in, parsed.accounting.rows_out) == (1, 0)


def test_a_damage_in_the_middle_costs_its_row_groups_and_every_row_is_counted(read):
    body = written(pa.table({"id": [f"item {number:06}" for number in range(20_000)]}), row_group_size=1000)
    half = len(body) // 2
    parsed = read(body[:half] + bytes(500) + body[half + 500 :], {"id": {"type": "string"}})
    accounting = parsed.accounting
    assert accounting.rows_in == 20_000
    assert accounting.rows_out >= 17_000
    assert accounting.quarantined == {"corrupt_file": 20_000 - accounting.rows_out}
    assert parsed.records.collect()["id"].to_list()[-1] == "item 019999"


def test_bytes_that_are_no_text_hold_no_personal_value_in_quarantine(read):
    body = written(pa.table({"mail": [b"ada@example.org\xff"], "id": ["1"]}))
    parsed = read(body, {"id": {"type": "string"}, "mail": {"type": "string", "pii": "hash"}})
    shown = parsed.quarantined.collect()
    assert shown["reason"].to_list() == ["wrong_type"]
    assert "ada@example" not in str(shown.to_dicts())
    assert isinstance(shown, pl.DataFrame)
