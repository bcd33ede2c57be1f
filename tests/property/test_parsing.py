"""Whatever bytes are served: parsing does not raise, loses nothing, and its fast path means what the slow one means."""

import datetime as dt
import gzip
import hashlib
import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crawlers.contract import Contract
from crawlers.landing import LandedFile, Manifest
from crawlers.parse import jsonl, parse_partition
from crawlers.parse.checked import Checker, Origin
from crawlers.parse.stream import Chunk
from crawlers.spec import SourceSpec

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
COLUMNS = {
    "id": {"type": "string", "required": True},
    "user": {"type": "string", "pii": "hash"},
    "email": {"type": "string", "pii": "drop"},
    "n": {"type": "integer", "minimum": -100},
    "f": {"type": "float", "null_values": ["-"]},
    "b": {"type": "boolean"},
    "t": {"type": "datetime", "formats": ["epoch_ms", "epoch_s", "iso8601"]},
    "d": {"type": "date"},
    "a": {"type": "string", "from": "x.a"},
    "l": {"type": "list", "items": {"type": "integer", "quoted": True}, "from": "x.l[].n"},
    "k": {"type": "float", "quoted": True, "from": "p[key=k].value"},
    "j": {"type": "json"},
    "s": {"type": "struct", "from": "x", "fields": {"a": {"type": "json"}, "n": {"type": "integer", "from": "l[0].n"}}},
    "q": {"type": "integer", "quoted": True},
    "m": {"type": "datetime", "from": ["u", "v"], "formats": ["%Y-%m-%d %H:%M", "epoch_us"]},
}
HEADER = b"id,user,n,f,b,t,d,other\n"

relaxed = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def parse(files, kind, *, unknown_columns="keep", chunk_bytes=1 << 20, max_line_bytes=300):
    """The parsed day, computed, and its account."""
    with tempfile.TemporaryDirectory() as name:
        landing, scratch = Path(name) / "landing", Path(name) / "scratch"
        landing.mkdir()
        scratch.mkdir()
        landed = []
        for number, body in enumerate(files):
            (landing / f"{number}").write_bytes(body)
            digest = hashlib.sha256(body).hexdigest()
            landed.append(
                LandedFile(path=f"{number}", url="u", status=200, bytes=len(body), sha256=digest, fetched_at=NOW)
            )
        manifest = Manifest(
            source="s", partition=NOW.date(), finish_reason="finished", started_at=NOW, finished_at=NOW, files=landed
        )
        (landing / "manifest.json").write_text(manifest.model_dump_json())
        spec = SourceSpec.model_validate(
            {
                "name": "s",
                "crawl": {
                    "kind": "files",
                    "start": "http://s.example/{date}/",
                    "follow": ".",
                    "limits": {"max_decompressed_bytes": 1_000_000},
                },
                "format": {"kind": kind, "max_line_bytes": max_line_bytes},
                "contract": {"columns": COLUMNS, "unknown_columns": unknown_columns},
            }
        )
        parsed = parse_partition(landing, spec, scratch=scratch, secret=b"k", chunk_bytes=chunk_bytes)
        return parsed.records.collect(), parsed.quarantined.collect(), parsed.accounting


def check(records, quarantined, accounting):
    accounting.check("anything")
    assert (records.height, quarantined.height) == (accounting.rows_out, accounting.rows_quarantined)
    assert quarantined["reason"].null_count() == 0
    assert records["id"].null_count() == 0
    lines = pl.concat([records.select("_file", "_line"), quarantined.select("_file", "_line")])
    # A file's own fault may share its number with a line; apart from that, each line is there once.
    assert lines.is_duplicated().sum() <= 2 * quarantined.filter(pl.col("reason").is_in(["corrupt_file"])).height


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-1000, 1000),
    st.floats(),
    texts,
    st.sampled_from(
        ["5", "-", "", "2026-03-01T10:00:00Z", "2026-03-01", "1772359200000", 1772359200000, 17850.0, 1e300]
    ),
)
values = st.one_of(
    scalars,
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
    ),
)
inside = st.fixed_dictionaries(
    {}, optional={"a": values, "l": st.lists(st.fixed_dictionaries({}, optional={"n": scalars}) | scalars, max_size=3)}
)
listed = st.lists(st.fixed_dictionaries({"key": st.sampled_from(["k", "l"]), "value": scalars}), max_size=3)
fields = st.one_of(st.sampled_from([*COLUMNS, "x", "y", "p", "u", "v"]), texts)
objects = st.builds(
    lambda flat, nested: flat | nested,
    st.dictionaries(fields, values, max_size=8),
    st.fixed_dictionaries({}, optional={"x": inside, "p": listed}),
)
json_lines = st.builds(
    lambda value, ascii_, spaced: json.dumps(
        value, ensure_ascii=ascii_, separators=(", ", ": ") if spaced else (",", ":")
    ).encode(),
    objects,
    st.booleans(),
    st.booleans(),
)
csv_lines = st.lists(
    st.one_of(texts, st.just('"'), st.just('""'), texts.map(lambda text: '"' + text.replace('"', '""') + '"')),
    max_size=9,
).map(lambda fields: ",".join(fields).encode())
junk = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"", b"\x00", b"\xff\xfe", b"<html>", b'{"id":', b'"', b"\xed\xa0\x80", b"x" * 400, b'{"id":"\\ud800"}']
    ),
)


@st.composite
def bodies(draw, lines):
    """A file: mostly good lines, with damage to the bytes, perhaps packed, perhaps cut."""
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    parts = draw(st.lists(st.one_of(lines, lines, junk), max_size=12))
    body = bytearray(end.join(parts) + draw(st.sampled_from([b"", end])))
    for _ in range(draw(st.integers(0, 3))):
        if body:
            body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    body = draw(st.sampled_from([b"", b"\xef\xbb\xbf", b"\x1f\x8b"])) + bytes(body)
    if draw(st.booleans()):
        body = gzip.compress(body, mtime=0) + draw(st.sampled_from([b"", b"\x00\x00", b"rest"]))
        body = body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body
    return body


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@relaxed
@given(data=st.data())
def test_any_bytes_are_accounted_for(kind, data):
    lines = csv_lines if kind == "csv" else json_lines
    files = data.draw(st.lists(bodies(lines), max_size=3))
    if kind == "csv":
        files = [HEADER + body for body in files]
    unknown = data.draw(st.sampled_from(["keep", "discard", "reject"]))
    check(*parse(files, kind, unknown_columns=unknown, chunk_bytes=data.draw(st.sampled_from([1, 50, 1 << 20]))))


@relaxed
@given(body=st.binary(max_size=300), kind=st.sampled_from(("csv", "jsonl")))
@example(body=b"\x1f\x8b", kind="jsonl")
@example(body=b"\x1f\x8b\x08" + b"\x00" * 50, kind="csv")
def test_random_bytes_are_accounted_for(body, kind):
    check(*parse([body], kind))


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@relaxed
@given(data=st.data())
def test_the_size_of_chunks_changes_nothing(kind, data):
    lines = csv_lines if kind == "csv" else json_lines
    body = b"\n".join(data.draw(st.lists(lines, max_size=10)))
    body = HEADER + body if kind == "csv" else body
    # Lines are short here, for a line that is too long is measured where it is found.
    whole = parse([body], kind, max_line_bytes=100_000)
    small = parse([body], kind, chunk_bytes=data.draw(st.integers(1, 40)), max_line_bytes=100_000)
    assert_frame_equal(whole[0], small[0])
    assert_frame_equal(whole[1], small[1])
    assert whole[2] == small[2]


@pytest.mark.parametrize("unknown_columns", ["keep", "discard", "reject"])
@settings(relaxed, max_examples=50)
@given(samples=st.lists(json_lines, min_size=1, max_size=6), others=st.lists(json_lines, max_size=12))
@example(
    samples=[b'{"id":"1","x":"a"}'], others=[b'{"id":"1","x":"\\"\\\\"}', b'{"id":"1","x":"a",}', b'{"id":"1",', b"{}"]
)
@example(samples=[b'{"id":"1","x":1}'], others=[b'{"id":"1","x":1.50}', b'{"id":1,"x":null}', b'{"x":[1,{"a":[2]}]}'])
@example(
    samples=[b'{"id":"1","f":1.5}'], others=[b'{"id":"1","f":-0.0}', b'{"id":"1","f":1e99}', b'{"id":"1","f":1.50}']
)
@example(samples=[b'{"id":"1","t":1.5,"n":5}'], others=[b'{"id":"1","t":0.1,"n":-0}', b'{"id":"1","n":5.0,"t":1.10}'])
def test_templates_mean_what_reading_one_by_one_means(unknown_columns, samples, others):
    contract = Contract.model_validate({"columns": COLUMNS, "unknown_columns": unknown_columns})
    spec = SourceSpec.model_validate(
        {
            "name": "s",
            "crawl": {"kind": "files", "start": "http://s.example/{date}/", "follow": "."},
            "format": {"kind": "jsonl"},
            "contract": contract,
        }
    )
    chunk = Chunk(1, b"\n".join([*samples, *others]))
    checker, origin = Checker(contract, b"k"), Origin("f", NOW)

    def outcome(worth_learning):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jsonl, "_WORTH_LEARNING", worth_learning)
            read = spec.format.lines(contract).read(chunk)
        records, rejected = checker.check(read.texts, origin, read.verbatim)
        return records, pl.concat([rejected, checker.unparsed(read.bad, origin)]).sort("_line")

    fast, slow = outcome(1), outcome(10**9)
    assert_frame_equal(fast[0], slow[0], check_exact=True)
    assert_frame_equal(fast[1], slow[1])
