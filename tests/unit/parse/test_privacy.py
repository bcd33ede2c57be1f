import hmac
import json
import re

import polars as pl
import pytest

from crawlers.parse import MissingSecretError, hash_pii, hash_value

COLUMNS = {
    "id": {"type": "string"},
    "user": {"type": "string", "required": True, "pii": "hash"},
    "email": {"type": "string", "pii": "drop"},
    "n": {"type": "integer"},
}
LINES = (
    b'{"id":"1","user":"ada","email":"ada@example.com","n":1}\n'
    b'{"id":"2","user":"ada","email":"ada@example.com","n":"x"}\n'
    b'{"id":"3","user":{"name":"ada"},"email":"ada@example.com"}\n'
    b'{"id":"4","user":"ada","email":"ada@example.com"\n'
)


def test_nothing_personal_is_written_anywhere(parse, tmp_path):
    parsed = parse({"a.jsonl": LINES}, COLUMNS)
    written = list(tmp_path.rglob("*.parquet"))
    assert written
    for path in written:
        frame = pl.read_parquet(path)
        assert "ada" not in json.dumps(frame.to_dicts(), default=str), path
    assert parsed.accounting.quarantined == {"not_json": 1, "wrong_type": 2}


def test_records_and_quarantine_hold_the_same_hash(parse):
    parsed = parse({"a.jsonl": LINES}, COLUMNS)
    hashed = hash_value("ada", b"secret")
    assert parsed.records.collect()["user"].to_list() == [hashed]
    record = json.loads(parsed.quarantined.collect()["record"][0])
    assert record["user"] == hashed
    assert "email" not in record
    assert "email" not in parsed.records.collect_schema()


def test_a_line_that_is_no_record_is_kept_only_where_nothing_is_personal(parse):
    assert parse({"a": b"{oops"}, COLUMNS).quarantined.collect()["record"].to_list() == [None]
    assert parse({"a": b"{oops"}, {"id": {"type": "string"}}).quarantined.collect()["record"].to_list() == ["{oops"]


def test_the_hash_is_keyed_and_of_fixed_form():
    assert re.fullmatch("[0-9a-f]{32}", hash_value("ada", b"k"))
    assert hash_value("ada", b"k") != hash_value("ada", b"l")
    assert hash_value("ada", b"k" * 500) != hash_value("ada", b"k" * 501)
    assert not hmac.compare_digest(hash_value("", b"k"), hash_value("ada", b"k"))
    with pytest.raises(ValueError, match="empty"):
        hash_value("ada", b"")


def test_the_expression_hashes_as_the_function_does():
    frame = pl.DataFrame({"u": ["ada", None, "bob", "ada"]})
    assert frame.select(hash_pii(pl.col("u"), b"k"))["u"].to_list() == [
        hash_value("ada", b"k"),
        None,
        hash_value("bob", b"k"),
        hash_value("ada", b"k"),
    ]
    assert frame.clear().select(hash_pii(pl.col("u"), b"k"))["u"].to_list() == []


def test_numbers_are_hashed_by_value(parse):
    columns = {"user": {"type": "integer", "pii": "hash"}}
    parsed = parse({"a": b"user\n17850.0\n17850\n"}, columns, kind="csv")
    assert parsed.records.collect()["user"].to_list() == [hash_value("17850", b"secret")] * 2


def test_a_missing_secret_says_what_to_do(parse):
    with pytest.raises(MissingSecretError, match=r"SLUICE_PII_KEY.*token_hex"):
        parse({"a": LINES}, COLUMNS, secret=None)
    with pytest.raises(MissingSecretError, match="user"):
        parse({"a": LINES}, COLUMNS, secret=b"")
