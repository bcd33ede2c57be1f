import datetime as dt
import json

import pytest

STRING = {"type": "string"}
COLUMNS = {"id": {"type": "string", "required": True}, "n": {"type": "integer"}}


def reasons(parsed):
    return parsed.quarantined.sort("_file", "_line").select("_line", "reason").collect().rows()


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


def values(parsed, *columns):
    return parsed.records.sort("_line").select(columns).collect().rows()


def test_records_have_the_declared_types_and_their_origin(parse):
    columns = {
        "s": STRING,
        "i": {"type": "integer"},
        "f": {"type": "float"},
        "b": {"type": "boolean"},
        "t": {"type": "datetime"},
        "d": {"type": "date"},
    }
    line = (
        b'{"s":"caf\\u00e9 \xf0\x9f\x98\x80","i":-3,"f":1.5,"b":true,'
        b'"t":"2026-03-01T10:00:00+01:00","d":"2026-03-01"}\n'
    )
    record = parse({"a.jsonl": line}, columns).records.collect().row(0, named=True)
    assert record == {
        "s": "café 😀",
        "i": -3,
        "f": 1.5,
        "b": True,
        "t": dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC),
        "d": dt.date(2026, 3, 1),
        "_unknown": None,
        "crawled_at": dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC),
        "_file": "files/a.jsonl",
        "_line": 1,
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{oops", "not_json"),
        (b'{"id":"1"', "not_json"),
        (b'{"id":"1"} {"id":"2"}', "not_json"),
        (b'{"id":"1",}', "not_json"),
        (b'{"id":NaN}', "not_json"),
        (b'{"id":"1","x":Infinity}', "not_json"),
        (b'{"id":"a\tb"}', "not_json"),
        (b"\x00\x00\x00", "not_json"),
        (b"<p>hello</p>", "not_json"),
        (b"[1,2]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"17", "not_an_object"),
        (b'{"id":"\xff"}', "not_utf8"),
        (b'{"id":"\\ud800"}', "not_utf8"),
        (b'{"id":"1","id":"2"}', "duplicate_key"),
        (b'{"id":"1","x":1,"x":2}', "duplicate_key"),
        (b'{"n":1}', "missing_required"),
        (b'{"id":null}', "missing_required"),
        (b"{}", "missing_required"),
        (b'{"id":1.5}', "wrong_type"),
        (b'{"id":-0}', "wrong_type"),
        (b'{"id":true}', "wrong_type"),
        (b'{"id":["1"]}', "wrong_type"),
        (b'{"id":"1","n":"5"}', "wrong_type"),
        (b'{"id":"1","n":5.5}', "wrong_type"),
        (b'{"id":"1","n":1e3}', "wrong_type"),
        (b'{"id":"1","n":9223372036854775808}', "wrong_type"),
        (b'{"id":"1","n":' + b"9" * 5000 + b"}", "wrong_type"),
        (b'{"id":"1","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
    ],
)
# Many good lines around the bad one, so that it meets templates; or none, so that it is read by itself.
@pytest.mark.parametrize("around", [0, 400])
def test_a_bad_line_is_quarantined_with_its_reason_and_the_rest_loads(parse, line, reason, around):
    good = b'{"id":"1","n":5}\n' * around
    parsed = parse({"a.jsonl": good + line + b"\n" + good}, COLUMNS)
    assert reasons(parsed) == [(around + 1, reason)]
    assert parsed.accounting.rows_out == 2 * around


@pytest.mark.parametrize("around", [0, 400])
def test_numbers_are_taken_only_without_loss(parse, around):
    odd = b'{"id":17850,"n":5.0}\n{"id":12345678901234567890123,"n":9223372036854775807}\n'
    parsed = parse({"a.jsonl": odd + b'{"id":"1","n":5}\n' * around}, COLUMNS)
    assert values(parsed, "id", "n")[:2] == [("17850", 5), ("12345678901234567890123", 9223372036854775807)]


@pytest.mark.parametrize("around", [0, 400])
@pytest.mark.parametrize("number", ["123456789012345679.0", "9007199254740993.0", "-9223372036854775808.000"])
def test_a_whole_number_with_a_point_is_exact_however_many_there_are(parse, number, around):
    line = f'{{"n":{number}}}\n'.encode()
    parsed = parse({"a.jsonl": line * (around + 1)}, {"n": {"type": "integer"}})
    assert parsed.records.collect()["n"].unique().to_list() == [int(number.split(".")[0])]


@pytest.mark.parametrize("around", [0, 400])
def test_unknown_fields_are_kept_as_they_are(parse, around):
    odd = (
        b'{"z": "q\\"\\u00e9\\n", "id":"1", "p":1.50, "o": {"a": [1, 2.0]}, "nothing":null, '
        b'"big":12345678901234567890}\n'
    )
    plain = b'{"z":"x","id":"2","p":3}\n' * around
    parsed = parse({"a.jsonl": odd + plain}, COLUMNS)
    first = values(parsed, "_unknown")[0][0]
    assert first == '{"z":"q\\"é\\n","p":1.50,"o":{"a": [1, 2.0]},"big":12345678901234567890}'
    assert set(values(parsed, "_unknown")[1:]) <= {('{"z":"x","p":3}',)}


def test_unknown_fields_are_discarded_or_refused_as_declared(parse):
    lines = b'{"id":"1","x":{"y":1}}\n{"id":"2"}\n' * 300
    discarded = parse({"a.jsonl": lines}, COLUMNS, unknown_columns="discard")
    assert discarded.accounting.rows_out == 600
    assert "_unknown" not in discarded.records.collect_schema()
    refused = parse({"a.jsonl": lines}, COLUMNS, unknown_columns="reject")
    assert refused.accounting.quarantined == {"unknown_column": 300}
    assert refused.accounting.rows_out == 300


def test_blank_lines_are_removed_and_line_ends_of_any_kind_are_none_of_the_record(parse):
    parsed = parse({"a.jsonl": b'\xef\xbb\xbf{"id":"1"}\r\n\r\n   \n{"id":"2"}'}, COLUMNS)
    assert values(parsed, "id", "_line") == [("1", 1), ("2", 4)]
    assert parsed.accounting.to_json() == {"rows_in": 4, "rows_out": 2, "quarantined": {}, "removed": {"blank_line": 2}}


def test_allowed_values_ranges_and_null_values_are_kept_to(parse):
    columns = {
        "kind": {"type": "string", "one_of": ["view", "click"]},
        "price": {"type": "float", "minimum": 0, "maximum": 10, "null_values": ["NA"]},
        "note": {"type": "string", "null_values": ["", "-"]},
    }
    lines = b'{"kind":"view","price":1}\n{"kind":"VIEW"}\n{"price":-1}\n{"price":11}\n{"price":1e999}\n{"note":"-"}\n'
    parsed = parse({"a.jsonl": lines}, columns)
    assert reasons(parsed) == [(2, "not_allowed"), (3, "out_of_range"), (4, "out_of_range"), (5, "wrong_type")]
    assert values(parsed, "kind", "price", "note") == [("view", 1.0, None), (None, None, None)]
    detail = parsed.quarantined.collect().row(0, named=True)
    assert (detail["column"], detail["stage"]) == ("kind", "parse")
    assert "view, click" in detail["detail"]
    assert json.loads(detail["record"])["kind"] == "VIEW"


@pytest.mark.parametrize(
    ("formats", "value", "expected"),
    [
        ([], '"2026-03-01T10:00:00Z"', utc(2026, 3, 1, 10)),
        ([], '"2026-03-01 10:00:00.123456+00:00"', utc(2026, 3, 1, 10, 0, 0, 123456)),
        ([], '"2026-03-01T10:00:00+0530"', utc(2026, 3, 1, 4, 30)),
        ([], '"2026-03-01T10:00"', utc(2026, 3, 1, 10)),
        ([], '"2026-03-01"', utc(2026, 3, 1)),
        ([], '"2026-02-30T10:00:00Z"', None),
        ([], "1772359200000", None),
        (["epoch_ms"], "1772359200000", utc(2026, 3, 1, 10)),
        (["epoch_ms"], '"1772359200000"', utc(2026, 3, 1, 10)),
        (["epoch_ms"], "-1", utc(1969, 12, 31, 23, 59, 59, 999000)),
        (["epoch_ms"], "99999999999999999", "out_of_range"),
        (["epoch_s"], "1772359200.5", utc(2026, 3, 1, 10, 0, 0, 500000)),
        (["epoch_s"], "1e999", None),
        (["epoch_ms", "iso8601"], '"2026-03-01T10:00:00Z"', utc(2026, 3, 1, 10)),
        (["%d/%m/%Y %H:%M"], '"01/03/2026 10:00"', utc(2026, 3, 1, 10)),
        (["%d/%b/%Y:%H:%M:%S %z"], '"01/Mar/2026:10:00:00 +0100"', utc(2026, 3, 1, 9)),
        (["%Y%m%d"], "20260301", utc(2026, 3, 1)),
        (["%Y%m%d"], '"yesterday"', None),
    ],
)
@pytest.mark.parametrize("around", [0, 400])
def test_times_are_read_as_declared_or_refused(parse, formats, value, expected, around):
    columns = {"t": {"type": "datetime", "formats": formats}}
    parsed = parse({"a.jsonl": f'{{"t":{value}}}\n'.encode() + b'{"t":null}\n' * around}, columns)
    if expected is None or isinstance(expected, str):
        assert reasons(parsed) == [(1, expected or "wrong_type")]
    else:
        assert values(parsed, "t")[0] == (expected,)


def test_a_mixture_of_shapes_is_read_in_order(parse):
    shapes = [b'{"id":"1","n":1}', b'{"n":2,"id":"2"}', b'{"id":3,"extra":true}', b'{"id":"4","extra":"x","n":4}', b"{"]
    parsed = parse({"a.jsonl": b"\n".join(shapes * 500)}, COLUMNS, chunk_bytes=4096)
    assert parsed.accounting.rows_out == 2000
    assert parsed.accounting.quarantined == {"not_json": 500}
    records = parsed.records.select("_line", "id", "n", "_unknown").collect()
    assert records["_line"].is_sorted()
    assert records.head(4).rows() == [
        (1, "1", 1, None),
        (2, "2", 2, None),
        (3, "3", None, '{"extra":true}'),
        (4, "4", 4, '{"extra":"x"}'),
    ]


def test_a_day_whose_every_row_is_bad_has_no_records(parse):
    parsed = parse({"a.jsonl": b'{"id":{}}\n' * 3000}, COLUMNS)
    assert parsed.accounting.quarantined == {"wrong_type": 3000}


def test_many_optional_keys_and_odd_names_are_read(parse):
    lines = [json.dumps({f"k{j}.*[": i * j for j in range(12) if (i >> j) & 1} | {"id": str(i)}) for i in range(1500)]
    parsed = parse({"a.jsonl": "\n".join(lines).encode()}, COLUMNS)
    assert [row[0] for row in values(parsed, "id")] == [str(i) for i in range(1500)]
    assert json.loads(values(parsed, "_unknown")[1299][0]) == {
        f"k{j}.*[": 1299 * j for j in range(12) if (1299 >> j) & 1
    }


@pytest.mark.parametrize("many", [1, 600])
def test_a_rejected_record_is_told_to_the_character_one_by_one_and_in_bulk(parse, many):
    columns = {
        "id": {"type": "string"},
        "price": {"type": "float", "maximum": 10},
        "n": {"type": "integer", "maximum": 5},
    }
    lines = (
        b'{"id": "a", "price":  33.20, "n": 1}\n{"id": "b", "price": 1.50e0, "n": 6.0}\n{"id":"c","price":1.0,"n":1}\n'
    )
    found = parse({"a.jsonl": lines * many}, columns).quarantined.collect()
    records = [json.loads(record) for record in found["record"].unique(maintain_order=True)]
    assert [(one["id"], one["price"], one["n"]) for one in records] == [("a", "33.20", "1"), ("b", "1.50e0", "6.0")]
    assert found.height == 2 * many
