"""A personal value is nowhere but in landing, whatever the site calls it and whatever is wrong with the record.

A marked value is planted under many names and in many places, in every registered format.
"""

import gzip
import io
import json
import logging

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from crawlers.contract import Contract
from crawlers.parse import FORMATS, hash_value
from crawlers.parse.by_line import LineOptions

MARK = "ada.lovelace+mark@example.com"
COLUMNS = {
    "id": {"type": "string", "one_of": ["1", "2"]},
    "user": {"type": "string", "pii": "hash"},
    "email": {"type": "string", "pii": "drop"},
    "people": {"type": "list", "items": {"type": "string"}, "separator": ";", "pii": "hash"},
    "kind": {"type": "string", "one_of": ["view", "click"]},
    "n": {"type": "integer", "minimum": 0},
    "price": {"type": "float"},
    "paid": {"type": "boolean"},
    "t": {"type": "datetime"},
    "d": {"type": "date"},
    "device": {"type": "integer", "from": "device.id"},
    "tags": {"type": "list", "items": {"type": "integer"}},
}
#: How a site may call what is declared `email`, and what is no name at all.
NAMES = ["Email", "EMAIL", "e-mail", "mail", "user_email", "contact", "eMail ", "User", MARK, "0049 171 " + MARK]


def lines_of(kind, record):
    """A file of a format with one record, and with an ordinary one before it."""
    first = {"id": "1", "n": "2"} | {name: None for name in record if name not in ("id", "n")}
    if kind == "csv":
        header = list(dict.fromkeys([*first, *record]))

        def line(values):
            quoted = ['"{}"'.format(str(values[one]).replace('"', '""')) if values.get(one) else "" for one in header]
            return ",".join(quoted)

        names = ",".join('"{}"'.format(name.replace('"', '""')) for name in header)
        return f"{names}\n{line(first)}\n{line(record)}\n".encode()
    if kind == "parquet":
        sink = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist([record]), sink, compression="none")
        return sink.getvalue()
    ordinary = json.dumps({"id": "1", "n": 2})
    return f"{ordinary}\n{json.dumps(record)}\n".encode()


def text_of(parsed):
    """Everything that leaves the parser."""
    frames = [parsed.records.collect(), parsed.quarantined.collect()]
    shown = [json.dumps(frame.to_dicts(), default=str, ensure_ascii=False) for frame in frames]
    return "\n".join([*shown, repr(parsed.accounting), repr(parsed.absent)])


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def kind(request):
    """Formats that can hold a field of any name."""
    return request.param


@pytest.fixture(params=[name for name, form in FORMATS.entries().items() if issubclass(form, LineOptions)])
def lines(request):
    """Formats of lines, with their options."""
    return {"kind": request.param, **FORMATS[request.param].example().options}


def planted():
    records = [{"id": "1", name: MARK} for name in NAMES]
    records += [{"id": "1", name: MARK} for name in COLUMNS]
    records += [{"id": MARK, "Email": MARK, "user": MARK, "n": MARK}]
    nested = [{"id": "1", "profile": {"contact": [{"mail": MARK}]}}, {"id": "1", "device": {"id": MARK, MARK: MARK}}]
    nested += [{"id": "1", "user": {"mail": MARK}}, {"id": "1", "tags": [MARK]}, {"id": "1", "n": [MARK]}]
    return [*records, *nested]


@pytest.mark.parametrize("unknown_columns", ["keep", "discard", "reject"])
# Once, so that lines are read one by one; often, so that they meet templates.
@pytest.mark.parametrize("times", [1, 250])
def test_a_marked_value_is_nowhere(parse, kind, times, unknown_columns, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    files = {}
    for number, record in enumerate(planted()):
        body = lines_of(kind, record)
        assert b"mark@example" in body
        again = {"csv": body.partition(b"\n")[2], "jsonl": body, "parquet": b""}[kind]
        files[str(number)] = body + again * (times - 1)
    parsed = parse(files, COLUMNS, kind=kind, unknown_columns=unknown_columns)
    assert "mark@example" not in text_of(parsed)
    assert "mark@example" not in caplog.text
    for path in tmp_path.rglob("*.parquet"):
        assert b"mark@example" not in path.read_bytes()


def broken():
    value = MARK.encode()
    yield "malformed", b'{"id":"' + value + b'"'
    yield "too long", b'{"id":"' + value * 100 + b'"}'
    yield "not UTF-8", b'{"id":"' + value + b'\xff"}'
    yield "twice", b'{"id":"1","id":"' + value + b'"}'
    yield "an array", b'["' + value + b'"]'
    yield "text", value
    yield "stray quote", b'1,"' + value + b'"x'
    yield "too many fields", b"1,2,3,4,5,6," + value
    yield "half a character", b'{"user":"' + value + b'\\ud800"}'


@pytest.mark.parametrize(("name", "line"), list(broken()), ids=[name for name, _ in broken()])
def test_a_line_that_is_no_record_shows_nothing(parse, lines, name, line, caplog):
    del name
    body = (b"id,n\n" if lines["kind"] == "csv" else b"") + line + b"\n"
    packed = gzip.compress(body * 50, mtime=0)
    damaged = packed[: len(packed) // 2] + b"\x00" * 9 + packed[len(packed) // 2 + 9 :]
    files = {"a": body, "b": packed, "c": packed[:-9], "d": damaged, "e": body.replace(b"id,n\n", b"")}
    parsed = parse(files, COLUMNS, max_line_bytes=300, **lines)
    assert parsed.accounting.rows_quarantined > 0
    assert "mark@example" not in text_of(parsed)
    assert "mark@example" not in caplog.text


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_wherever_it_is_planted(parse, data):
    inner = st.recursive(
        st.just(MARK),
        lambda below: (
            st.lists(below, min_size=1, max_size=2)
            | st.dictionaries(st.sampled_from([*NAMES, "id", "value"]), below, min_size=1, max_size=2)
        ),
        max_leaves=4,
    )
    names = st.sampled_from([*NAMES, *COLUMNS])
    records = data.draw(st.lists(st.dictionaries(names, inner, min_size=1, max_size=3), min_size=1, max_size=4))
    body = "\n".join(json.dumps(record) for record in records).encode()
    assert "mark@example" not in text_of(parse({"a": body}, COLUMNS))


def test_names_are_kept_and_shapes_tell_what_was_wrong(parse):
    lines = b'{"id":"1","Email":"%b","n":"12 345"}\n{"id":"1","Email":null,"%b":1,"plan":{"a":1}}\n' % (
        MARK.encode(),
        MARK.encode(),
    )
    parsed = parse({"a": lines}, COLUMNS)
    assert parsed.records.collect()["_unknown"].to_list() == [
        '{"<29 characters: letters, other characters>":null,"plan":null}'
    ]
    record = json.loads(parsed.quarantined.collect()["record"][0])
    assert record["n"] == "<6 characters: letters, digits, spaces>" or record["n"] == "<6 characters: digits, spaces>"
    assert record["_unknown"] == '{"Email":null}'
    assert record["id"] == "1"


def test_values_of_undeclared_fields_are_kept_only_where_nothing_is_personal_or_the_declaration_asks(parse):
    line = b'{"id":"1","user":"ada","plan":{"a":1.50}}\n'
    kept = {"id": {"type": "string"}}
    assert parse({"a": line}, kept).records.collect()["_unknown"][0] == '{"user":"ada","plan":{"a":1.50}}'
    asked = parse({"a": line}, COLUMNS, unknown_columns="keep_values").records.collect()
    assert asked["_unknown"].to_list() == ['{"plan":{"a":1.50}}']
    assert asked["user"].to_list() == [hash_value("ada", b"secret")]
    assert Contract.model_validate({"columns": COLUMNS, "unknown_columns": "keep_values"}).lineage()[
        "_unknown"
    ].personal == ("values")


def test_hashes_do_not_change(parse):
    """The hash of a value is the same for ever, whatever its letters: other days and other tables hold it."""
    known = {
        "ada": "1d1b9b60361334def515199fefb8f240",
        "\xc4da": "adc26b956a2da820c07f09b395b572c1",
        "\ufb01": "6d27a3068a29db55f766e2a1de53ba08",
        "e\u0301": "49cf6e6ae4376f8824ace768967ae3f6",
        "\xe9": "5222ccbdfd9c4d44e528325c88286cf2",
    }
    body = "\n".join(json.dumps({"id": "1", "user": name}) for name in known).encode()
    found = parse({"a": body}, COLUMNS).records.collect()["user"].to_list()
    assert found == list(known.values())
