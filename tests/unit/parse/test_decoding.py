"""Compressions and archives as they come: chained, repeated, cut, with something behind; and what becomes of them."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib

import brotli
import pytest
from backports import zstd

from crawlers.decode import DECODERS, Source

COLUMNS = {"s": {"type": "string"}}
LINES = b"".join(b'{"s":"%d"}\n' % n for n in range(20_000))
PACK = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd.compress}


def zipped(members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def values(parsed):
    return parsed.records.collect()["s"].to_list()


def faults(parsed):
    return parsed.quarantined.collect().select("_file", "_line", "reason").rows()


@pytest.mark.parametrize("pack", PACK.values(), ids=PACK)
def test_a_stray_byte_behind_the_data_costs_no_record(parse, pack):
    parsed = parse({"a": pack(b'{"s":"a"}\n{"s":"b"}') + b"x"}, COLUMNS)
    assert values(parsed) == ["a", "b"]
    assert parsed.quarantined.collect()["reason"].to_list() == ["corrupt_file"]
    assert parsed.quarantined.collect()["detail"][0].startswith("1 byte that is no ")


@pytest.mark.parametrize("pack", PACK.values(), ids=PACK)
def test_streams_that_follow_each_other_are_one_file(parse, pack):
    half = len(LINES) // 2
    parsed = parse({"a": pack(LINES[:half]) + pack(b"") + pack(LINES[half:]) + b"\x00" * 512}, COLUMNS)
    assert (len(values(parsed)), faults(parsed)) == (20_000, [])


@pytest.mark.parametrize("pack", PACK.values(), ids=PACK)
def test_everything_before_a_damage_is_kept_to_the_byte(pack):
    # The second stream is damaged where it begins, so that the first is all that can be read.
    body = bytearray(pack(LINES) + pack(LINES))
    at = len(body) // 2
    body[at + 4 : at + 40] = b"\xff" * 36
    name = next(name for name, each in PACK.items() if each is pack)
    damages = []
    found = b"".join(DECODERS[name].decoded(Source(lambda _: iter([bytes(body)]))).read(damages))
    assert found.startswith(LINES)
    assert [damage.reason for damage in damages] == ["corrupt_file"]


def test_inflating_goes_as_far_as_zlib_goes_byte_by_byte():
    body = gzip.compress(LINES)
    for at in range(15, len(body) - 8, len(body) // 7):
        damaged = body[:at] + bytes([body[at] ^ 0x10]) + body[at + 1 :]
        reference, expected = zlib.decompressobj(wbits=31), b""
        try:
            for byte in damaged:
                expected += reference.decompress(bytes([byte]))
        except zlib.error:
            pass
        damages = []
        assert b"".join(DECODERS["gzip"].decoded(Source(lambda _, d=damaged: iter([d]))).read(damages)) == expected
        assert [damage.reason for damage in damages] == ["corrupt_file"]


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("deflate", zlib.compress(LINES)),
        ("deflate", zlib.compress(LINES, wbits=-15)),
        ("br", brotli.compress(LINES, quality=3)),
        ("zstd", zstd.compress(LINES)),
        ("gzip", gzip.compress(gzip.compress(LINES, mtime=0), mtime=0)),
        ("gzip, br", brotli.compress(gzip.compress(LINES, mtime=0), quality=3)),
        ("GZIP", gzip.compress(LINES, mtime=0)),
        ("gzip", LINES),
        ("utf-8", LINES),
        ("br", LINES),
        ("deflate", LINES),
    ],
)
def test_content_encodings_are_undone(parse, coding, body):
    parsed = parse({"a": body}, COLUMNS, content_encoding=coding)
    assert (len(values(parsed)), faults(parsed)) == (20_000, [])


def test_a_content_encoding_that_nobody_reads_is_named(parse):
    parsed = parse({"a": b"\x1f\x9d\x90"}, COLUMNS, content_encoding="compress")
    assert parsed.quarantined.collect()["reason"].to_list() == ["unsupported_compression"]


def test_members_of_an_archive_are_files_of_their_own(parse):
    body = zipped(
        {
            "2026/a.jsonl": b'{"s":"a"}\n{"s":"b"}',
            "b.jsonl.gz": gzip.compress(b'{"s":"c"}\n'),
            "c.zip": zipped({"d": b'{"s":"d"}'}),
            "__MACOSX/._a.jsonl": b"\x00\x05",
            "empty": b"",
            "folder/": b"",
            "bad": b"{",
        }
    )
    parsed = parse({"a.zip": body}, COLUMNS)
    records = parsed.records.collect()
    assert records.select("_file", "_line", "s").rows() == [
        ("files/a.zip!/2026/a.jsonl", 1, "a"),
        ("files/a.zip!/2026/a.jsonl", 2, "b"),
        ("files/a.zip!/b.jsonl.gz", 1, "c"),
        ("files/a.zip!/c.zip!/d", 1, "d"),
    ]
    assert faults(parsed) == [("files/a.zip!/bad", 1, "not_json")]
    assert dict(parsed.accounting.removed) == {"archive_metadata": 1, "empty_file": 1}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_an_archive_that_was_cut_is_read_by_the_headers_of_its_members(parse, method):
    body = zipped({"a": LINES, "b": LINES, "c": LINES}, method)
    end = body.index(b"PK\x01\x02")
    parsed = parse({"a": body[:end]}, COLUMNS)
    assert len(values(parsed)) == 60_000
    assert [reason for _, _, reason in faults(parsed)] == ["truncated_file"]
    parsed = parse({"a": body[: end - len(LINES) // 300]}, COLUMNS)
    assert 40_000 <= len(values(parsed)) < 60_000
    assert {reason for _, _, reason in faults(parsed)} == {"truncated_file"}


def test_a_member_that_was_changed_is_told_by_its_checksum(parse):
    body = zipped({"a": b'{"s":"a"}\n', "b": b'{"s":"b"}\n'}, zipfile.ZIP_STORED).replace(b'"a"}', b'"x"}', 1)
    parsed = parse({"a": body}, COLUMNS)
    assert values(parsed) == ["x", "b"]
    assert faults(parsed) == [("files/a!/a", 2, "corrupt_file")]


def test_a_bomb_of_many_members_is_bounded_as_one(parse):
    body = zipped({f"{n}": LINES for n in range(5)})
    parsed = parse({"a": body}, COLUMNS, limits={"max_decompressed_bytes": 2 * len(LINES)})
    assert len(values(parsed)) == 40_000
    assert {reason for _, _, reason in faults(parsed)} == {"decompression_bomb"}


def test_an_archive_around_itself_ends(parse):
    body = b'{"s":"a"}'
    for _ in range(9):
        body = zipped({"a": body})
    assert [reason for _, _, reason in faults(parse({"a": body}, COLUMNS))] == ["nested_too_deeply"]


def test_a_file_without_anything_counts(parse):
    parsed = parse({"a": b"", "b": gzip.compress(b"")}, COLUMNS)
    assert (parsed.accounting.rows_in, dict(parsed.accounting.removed)) == (2, {"empty_file": 2})


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n"])
def test_lines_end_as_they_do_anywhere(parse, end):
    body = end.join([b"s,n", *(b"%d,x" % n for n in range(5000))]) + end
    parsed = parse({"a": body}, COLUMNS, kind="csv", chunk_bytes=1000)
    assert values(parsed) == [f"{n}" for n in range(5000)]
    assert parsed.records.collect()["_line"].to_list() == list(range(2, 5002))
