import gzip
import json

import pytest

COLUMNS = {
    "id": {"type": "string", "required": True},
    "n": {"type": "integer"},
    "t": {"type": "datetime", "formats": ["%Y-%m-%d %H:%M:%S"]},
    "ok": {"type": "boolean"},
}


@pytest.fixture
def csv(parse):
    def run(body, columns=COLUMNS, **options):
        return parse({"a.csv": body}, columns, kind="csv", **options)

    return run


def faults(parsed):
    return parsed.quarantined.select("_line", "reason").collect().rows()


def values(parsed, *columns):
    return parsed.records.select(columns).collect().rows()


def test_fields_are_text_and_cast_with_checks(csv):
    body = b"id,n,ok\r\n1,17850.0,TRUE\r\n2,,0\r\n3,5.5,\r\n4,five,\r\n5,1,maybe\r\n"
    parsed = csv(body)
    assert values(parsed, "id", "n", "ok", "_line") == [("1", 17850, True, 2), ("2", None, False, 3)]
    assert faults(parsed) == [(4, "wrong_type"), (5, "wrong_type"), (6, "wrong_type")]
    assert parsed.accounting.rows_in == 5


def test_quoted_fields_may_hold_delimiters_quotes_and_line_feeds(csv):
    body = b'id,note\n"a,b","say ""hi"""\n"two\nlines","x\r\ny"\nlast,\n'
    parsed = csv(body, {"id": {"type": "string"}, "note": {"type": "string"}})
    assert values(parsed, "id", "note", "_line") == [
        ("a,b", 'say "hi"', 2),
        ("two\nlines", "x\r\ny", 3),
        ("last", None, 6),
    ]


def test_a_record_of_many_lines_survives_every_cut_of_the_stream(csv):
    record = b'%d,"first\nsecond, ""quoted""\n\nfourth"\n'
    body = b"id,note\n" + b"".join(record % i for i in range(300))
    columns = {"id": {"type": "string"}, "note": {"type": "string"}}
    whole = values(csv(body, columns), "id", "note", "_line")
    assert len(whole) == 300
    assert whole[7] == ("7", 'first\nsecond, "quoted"\n\nfourth', 2 + 4 * 7)
    for chunk_bytes in (7, 50, 1000):
        assert values(csv(gzip.compress(body), columns, chunk_bytes=chunk_bytes), "id", "note", "_line") == whole


def test_a_stray_quote_costs_its_own_line_only(csv):
    body = b'id,n\n1,1\n"2,2\n3,3\n5" pipe,4\n5,5\n'
    parsed = csv(body)
    assert values(parsed, "id") == [("1",), ("3",), ("5",)]
    assert faults(parsed) == [(3, "unclosed_quote"), (5, "stray_quote")]


def test_an_unclosed_quote_at_the_end_costs_its_own_line_only(csv):
    parsed = csv(b'id,n\n1,1\n"2,2\n3,3\n')
    assert values(parsed, "id") == [("1",), ("3",)]
    assert faults(parsed) == [(3, "unclosed_quote")]


def test_records_of_another_width_are_quarantined(csv):
    parsed = csv(b'id,n\n1\n2,2,2\n3,3\n"4","4","4"\n\n')
    assert values(parsed, "id") == [("3",)]
    assert faults(parsed) == [(2, "wrong_field_count"), (3, "wrong_field_count"), (5, "wrong_field_count")]
    assert parsed.accounting.removed == {"blank_line": 1}


@pytest.mark.parametrize(
    ("body", "quarantined"),
    [
        (b"x,y\n1,2\n3,4\n", {"bad_header": 3}),
        (b"id,id\n1,2\n3,4\n", {"bad_header": 3}),
        (b'"id,n\n1,2\n3,4', {"bad_header": 2, "unclosed_quote": 1}),
        (b"\xff,n\n1,2\n3,4\n", {"bad_header": 2, "not_utf8": 1}),
    ],
)
def test_without_a_usable_header_every_line_is_quarantined_the_first_one_too(csv, body, quarantined):
    parsed = csv(body)
    assert parsed.accounting.rows_out == 0
    assert parsed.accounting.quarantined == quarantined
    assert parsed.accounting.rows_in == 3


def test_a_file_without_a_header_has_the_declared_columns_in_their_order(parse):
    body = b"p1,i1\np2,i2\np3,i3\n"
    columns = {"id": {"type": "string"}, "n": {"type": "string"}}
    parsed = parse({"a.csv": body}, columns, kind="csv", header=False)
    assert parsed.records.collect().select("id", "n").rows() == [("p1", "i1"), ("p2", "i2"), ("p3", "i3")]
    assert (parsed.accounting.rows_in, parsed.accounting.rows_out) == (3, 3)
    other = parse({"a.csv": body}, columns, kind="csv", header=False, names=["n", "id"])
    assert other.records.collect().select("id", "n").row(0) == ("i1", "p1")


def test_lines_that_end_with_carriage_returns_alone_are_lines(parse):
    body = b"id,n\r" + b"".join(f"{number},{number}\r".encode() for number in range(5000))
    parsed = parse({"a.csv": body}, {"id": {"type": "string"}, "n": {"type": "integer"}}, kind="csv")
    assert parsed.accounting.rows_out == 5000
    assert parsed.records.collect()["n"].to_list() == list(range(5000))


def test_a_header_that_is_too_long_spoils_the_file_only(parse):
    body = b"id," + b"x" * 300 + b"\n1,2\n"
    parsed = parse({"a.csv": body, "b.csv": b"id\n9\n"}, COLUMNS, kind="csv", max_line_bytes=100, chunk_bytes=64)
    assert parsed.records.collect()["id"].to_list() == ["9"]
    assert parsed.accounting.quarantined == {"bad_header": 1, "line_too_long": 1}


def test_columns_that_the_header_lacks_have_no_values_and_others_are_unknown(csv):
    body = b'id,colour,size\n1,"r""ed",\n2,,\n'
    assert values(csv(body), "id", "n", "_unknown") == [("1", None, '{"colour":"r\\"ed"}'), ("2", None, None)]
    assert csv(body, unknown_columns="reject").accounting.quarantined == {"unknown_column": 2}
    assert "_unknown" not in csv(body, unknown_columns="discard").records.collect_schema()


def test_delimiters_and_encodings_are_options(csv):
    body = "id;n\ncafé;5\n".encode("latin-1")
    assert values(csv(body, delimiter=";", encoding="iso-8859-1"), "id", "n") == [("café", 5)]
    assert values(csv(b"id|n\na|1\n", delimiter="|"), "id", "n") == [("a", 1)]


def test_a_line_that_is_no_text_or_too_long_is_quarantined(csv):
    parsed = csv(b"id,n\n\xff,1\n" + b"x" * 200 + b",1\n3,3\n", max_line_bytes=100)
    assert values(parsed, "id") == [("3",)]
    assert faults(parsed) == [(2, "not_utf8"), (3, "line_too_long")]


def test_headers_with_a_byte_order_mark_or_behind_blank_lines_are_found(csv):
    assert values(csv(b"\xef\xbb\xbfid,n\n1,1\n"), "id", "_line") == [("1", 2)]
    assert values(csv(b"\n\nid,n\n1,1\n"), "id", "_line") == [("1", 4)]


def test_columns_of_one_name_only_are_read(csv):
    assert values(csv(b'id\na\n"b"\n""\n', {"id": {"type": "string"}}), "id") == [("a",), ("b",), (None,)]


def test_a_rejected_record_is_told_to_the_character(parse):
    columns = {"id": {"type": "string"}, "price": {"type": "float", "maximum": 10}}
    found = parse({"a.csv": b"id,price\na,033.20\nb,1.50\n"}, columns, kind="csv").quarantined.collect()
    assert [json.loads(record)["price"] for record in found["record"]] == ["033.20"]
