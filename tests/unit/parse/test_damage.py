import gzip
import random
import tracemalloc
import zlib

import pytest

COLUMNS = {"id": {"type": "string", "required": True}}


def lines(count):
    return b"".join(b'{"id":"%032x"}\n' % random.Random(i).getrandbits(128) for i in range(count))


def faults(parsed):
    return parsed.quarantined.select("_line", "reason").collect().rows()


def test_gzip_is_known_by_its_bytes_not_by_its_name(parse):
    body = lines(10)
    assert parse({"a.gz": body, "b.jsonl": gzip.compress(body)}, COLUMNS).accounting.rows_out == 20


def test_a_gzip_cut_in_half_loads_up_to_the_cut(parse):
    body = lines(20_000)
    packed = gzip.compress(body)
    cut = packed[: len(packed) // 2]
    readable = zlib.decompressobj(wbits=31).decompress(cut)
    parsed = parse({"a.gz": cut}, COLUMNS)
    assert parsed.accounting.rows_out == readable.count(b"\n") > 5_000
    assert faults(parsed) == [(readable.count(b"\n") + 1, "truncated_file")]


def test_a_gzip_cut_in_its_trailer_loads_all_and_says_so(parse):
    parsed = parse({"a.gz": gzip.compress(lines(10))[:-3]}, COLUMNS)
    assert parsed.accounting.rows_out == 10
    assert faults(parsed) == [(11, "truncated_file")]


def test_a_damaged_gzip_loads_up_to_the_damage(parse):
    packed = bytearray(gzip.compress(lines(20_000)))
    packed[len(packed) // 2 :] = random.Random(1).randbytes(len(packed) - len(packed) // 2)
    parsed = parse({"a.gz": bytes(packed)}, COLUMNS)
    assert parsed.accounting.rows_out > 1_000
    assert (
        parsed.accounting.quarantined.get("corrupt_file", 0) + parsed.accounting.quarantined.get("truncated_file", 0)
        == 1
    )


def test_gzip_members_follow_each_other_padding_is_ignored_and_rubbish_is_not(parse):
    packed = gzip.compress(lines(3))
    assert parse({"a.gz": packed + packed + b"\x00" * 100}, COLUMNS).accounting.rows_out == 6
    assert faults(parse({"a.gz": packed + b"rubbish"}, COLUMNS)) == [(4, "corrupt_file")]


@pytest.mark.parametrize("size", [1024**2 - 17, 1024**2, 2 * 1024**2])
def test_a_gzip_of_exactly_some_blocks_is_whole(parse, size):
    line = b'{"id":"x"}\n'
    body = line * (size // len(line))
    body += b" " * (size - len(body) - 1) + b"\n"
    parsed = parse({"a.gz": gzip.compress(body)}, COLUMNS)
    assert parsed.accounting.quarantined == {}
    assert parsed.accounting.rows_in == body.count(b"\n")


def test_a_decompression_bomb_is_stopped(parse):
    bomb = gzip.compress(lines(10) + b" " * 50_000_000)
    parsed = parse({"a.gz": bomb}, COLUMNS, limits={"max_decompressed_bytes": 1_000_000})
    assert parsed.accounting.rows_out == 10
    assert faults(parsed) == [(11, "decompression_bomb")]


def test_a_line_of_50_mb_is_refused_and_not_held_many_times(parse):
    body = gzip.compress(lines(5) + b'{"id":"' + b"x" * 50_000_000 + b'"}\n' + lines(5))
    tracemalloc.start()
    parsed = parse({"a.gz": body}, COLUMNS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert parsed.accounting.rows_out == 10
    assert faults(parsed) == [(6, "line_too_long")]
    assert parsed.records.collect()["_line"].to_list() == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    assert peak < 100_000_000


def test_a_line_just_above_the_limit_is_refused(parse):
    body = b'{"id":"1"}\n{"id":"' + b"x" * 92 + b'"}\r\n{"id":"' + b"x" * 91 + b'"}\r\n'
    parsed = parse({"a": body}, COLUMNS, max_line_bytes=100)
    assert faults(parsed) == [(2, "line_too_long")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!DOCTYPE html><html><body>Sign in\n</body></html>\n", "html_instead"),
        (b"\n  <html lang='en'>\n<p>502</p>\n</html>", "html_instead"),
        (b"7z\xbc\xaf\x27\x1crest of an archive", "unsupported_compression"),
        (b"Rar!\x1a\x07rest of an archive", "unsupported_compression"),
        (b"PK\x03\x04beginning of a zip", "truncated_file"),
        (b"\x28\xb5\x2f\xfdzstd", "truncated_file"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_file_of_another_kind_is_one_entry(parse, body, reason, kind):
    assert faults(parse({"a": body}, COLUMNS, kind=kind)) == [(1, reason)]


def test_html_inside_gzip_is_seen(parse):
    assert faults(parse({"a.gz": gzip.compress(b"<html></html>")}, COLUMNS)) == [(1, "html_instead")]


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@pytest.mark.parametrize("body", [b"", gzip.compress(b"", mtime=0), b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_empty_day(parse, kind, body):
    parsed = parse({"a": body}, COLUMNS, kind=kind)
    assert (parsed.accounting.rows_out, parsed.accounting.quarantined) == (0, {})


def test_no_files_are_an_empty_day(parse):
    assert parse({}, COLUMNS).accounting.rows_in == 0


def test_utf_16_is_quarantined_line_by_line(parse):
    parsed = parse({"a": '{"id":"1"}\n{"id":"2"}\n'.encode("utf-16")}, COLUMNS)
    assert parsed.accounting.rows_out == 0
    assert set(parsed.accounting.quarantined) <= {"not_utf8", "not_json"}


def test_a_declared_encoding_is_read(parse):
    body = '{"id":"café"}\n'.encode("latin-1")
    assert parse({"a": body}, COLUMNS, encoding="latin-1").records.collect()["id"].to_list() == ["café"]
    assert faults(parse({"a": body}, COLUMNS)) == [(1, "not_utf8")]


def test_a_byte_that_the_encoding_does_not_know_costs_its_line(parse):
    body = b'{"id":"\x81"}\n{"id":"\x80"}\n'
    parsed = parse({"a": body}, COLUMNS, encoding="cp1252")
    assert faults(parsed) == [(1, "not_utf8")]
    assert parsed.records.collect()["id"].to_list() == ["€"]


def test_a_large_file_of_nul_bytes_is_one_line_that_is_too_long(parse):
    parsed = parse({"a": b"\x00" * 30_000_000}, COLUMNS)
    assert faults(parsed) == [(1, "line_too_long")]


def test_a_missing_file_is_an_error_of_landing_not_of_content(parse, tmp_path):
    parsed = parse({"a": lines(1)}, COLUMNS)
    assert parsed.accounting.rows_out == 1
    from crawlers.landing import ManifestError
    from crawlers.parse import parse_partition
    from crawlers.spec import SourceSpec

    spec = SourceSpec.model_validate(
        {
            "name": "shop",
            "crawl": {"kind": "files", "start": "http://shop.example/{date}/", "follow": "."},
            "format": {"kind": "jsonl"},
            "contract": {"columns": COLUMNS},
        }
    )
    with pytest.raises(ManifestError):
        parse_partition(tmp_path, spec, scratch=tmp_path, secret=None)
    (tmp_path / "run-0" / "landing" / "files" / "a").unlink()
    with pytest.raises(FileNotFoundError):
        parse_partition(tmp_path / "run-0" / "landing", spec, scratch=tmp_path, secret=None)
