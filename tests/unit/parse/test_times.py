"""Times that were read wrongly, or not at all: each is read as it is meant, or refused with the reason."""

import datetime as dt

import pytest
from pydantic import ValidationError

from crawlers.contract import Column, Contract
from crawlers.contract.times import TIME_FORMATS, time_format
from foundation.located import location_of


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


def read(parse, texts, **column):
    """The values and the reasons of a column `t` of CSV."""
    body = "id,t\n" + "".join(f"{number},{text}\n" for number, text in enumerate(texts))
    columns = {"id": {"type": "integer"}, "t": {"type": "datetime", **column}}
    parsed = parse({"a.csv": body.encode()}, columns, kind="csv")
    bad = parsed.quarantined.sort("_line").select("reason", "column", "detail").collect().rows()
    return parsed.records.sort("_line").collect()["t"].to_list(), bad


@pytest.mark.parametrize(
    ("spelling", "text", "expected"),
    [
        ("%Y-%m-%d %H:%M:%S.%f", "2026-01-05 10:00:00.500000", utc(2026, 1, 5, 10, 0, 0, 500_000)),
        ("%Y-%m-%d %H:%M:%S.%f", "2026-01-05 10:00:00.5", utc(2026, 1, 5, 10, 0, 0, 500_000)),
        ("%Y-%m-%d %H:%M:%S%.f", "2026-01-05 10:00:00.123456789", utc(2026, 1, 5, 10, 0, 0, 123_456)),
        ("%d/%m/%Y %-H:%M", "05/01/2026 9:05", utc(2026, 1, 5, 9, 5)),
        ("%d/%m/%Y %-I:%M %p", "05/01/2026 9:05 pm", utc(2026, 1, 5, 21, 5)),
        ("%d/%m/%Y %_H:%M", "05/01/2026  9:05", utc(2026, 1, 5, 9, 5)),
        ("%d/%m/%Y %k:%M", "05/01/2026 9:05", utc(2026, 1, 5, 9, 5)),
        ("%d/%m/%Y %l:%M %p", "05/01/2026 12:05 AM", utc(2026, 1, 5, 0, 5)),
        ("%-d.%-m.%Y", "5.1.2026", utc(2026, 1, 5)),
        ("%Y-%m-%d %H", "2026-01-05 10", utc(2026, 1, 5, 10)),
        ("%Y-%m", "2026-01", utc(2026, 1, 1)),
        ("%y%j", "26005", utc(2026, 1, 5)),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-01-05 10:00:00 CET", utc(2026, 1, 5, 9)),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-01-05 10:00:00 UTC", utc(2026, 1, 5, 10)),
        ("%Y-%m-%d %H:%M:%S %z", "2026-01-05 10:00:00 -08:00", utc(2026, 1, 5, 18)),
        ("%a %b %e %T %Y", "Mon Jan  5 10:00:00 2026", utc(2026, 1, 5, 10)),
        ("iso8601", "2026-01-05T10:00+01:00", utc(2026, 1, 5, 9)),
        ("epoch_us", "1696470452486466", utc(2023, 10, 5, 1, 47, 32, 486_466)),
        ("epoch_ns", "1696470452486466999", utc(2023, 10, 5, 1, 47, 32, 486_466)),
        ("epoch_s", "1696470452.486466", utc(2023, 10, 5, 1, 47, 32, 486_466)),
        ("epoch_s", "1.5e9", utc(2017, 7, 14, 2, 40)),
    ],
)
def test_times_are_read_as_they_are_meant(parse, spelling, text, expected):
    assert read(parse, [text], formats=[spelling]) == ([expected], [])


@pytest.mark.parametrize(
    ("spelling", "text", "reason"),
    [
        ("%Y-%m-%d %H:%M:%S %Z", "2026-01-05 10:00:00 IST", "unknown_zone"),
        ("iso8601", "9999-12-31T23:59:59-08:00", "out_of_range"),
        ("iso8601", "0000-01-01", "out_of_range"),
        ("%Y-%m-%dT%H:%M:%S%z", "9999-12-31T23:59:59-0800", "out_of_range"),
        ("%Y-%m-%d", "0000-05-01", "out_of_range"),
        ("epoch_s", "1772359200000", "out_of_range"),
        ("epoch_s", "99999999999999999999999", "out_of_range"),
        ("iso8601", "2026-01-05T10:00:60Z", "wrong_type"),
        ("iso8601", "12026-01-05", "wrong_type"),
        ("%d.%m.%Y", "30.02.2026", "wrong_type"),
        ("%d.%m.%Y %H:%M", "05.01.2026 24:00", "wrong_type"),
        ("%d.%m.%Y", "05.01.2026 10:00", "wrong_type"),
    ],
)
def test_a_time_that_cannot_be_kept_says_why(parse, spelling, text, reason):
    values, bad = read(parse, [text], formats=[spelling])
    assert (values, [(row[0], row[1]) for row in bad]) == ([], [(reason, "t")])


def test_what_one_format_finds_out_of_range_another_may_read(parse):
    values, bad = read(parse, ["1772359200000", "1772359200"], formats=["epoch_s", "epoch_ms"])
    assert (values, bad) == ([utc(2026, 3, 1, 10)] * 2, [])


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [
        ("%m-%d", "has no year"),
        ("%H:%M", "has no year"),
        ("%d.%m.%Y %I:%M", "no %p"),
        ("%Y-%m-%d %H:%M %p", "use %I"),
        ("%Y-%d", "no month"),
        ("%Y-%m-%d %M", "no hour"),
        ("%Y-%m-%d %H %S", "no minutes"),
        ("%Y %y-%m-%d", "the year in two ways"),
        ("%Y-%m-%d %d", "the day twice"),
        ("%Y-%m-%d %z", "no hour"),
        ("%c", "locale"),
        ("%s", "epoch_s"),
        ("%Y-W%V-%u", "weeks"),
        ("%Y-%m-%d %Q", "not read"),
        ("%Y-%m-%", "single %"),
        ("epoch_mss", "did you mean 'epoch_ms'"),
    ],
)
def test_a_format_that_cannot_be_read_is_refused_with_its_place(spelling, reason):
    declared = {"columns": {"t": {"type": "datetime", "formats": ["iso8601", spelling]}}}
    with pytest.raises(ValidationError) as caught:
        Contract.model_validate(declared)
    (problem,) = caught.value.errors()
    assert reason in problem["msg"]
    assert spelling in problem["msg"]
    assert location_of(problem) == ("columns", "t", "formats", 1)


def test_a_truncated_count_is_below_the_minimum_and_says_so(parse):
    texts = ["1511664909", "15"]
    values, bad = read(parse, texts, formats=["epoch_s"], minimum="2017-01-01", maximum=dt.date(2018, 1, 1))
    assert values == [utc(2017, 11, 26, 2, 55, 9)]
    assert bad == [("out_of_range", "t", "below the minimum, 2017-01-01")]


def test_bounds_are_for_every_ordered_type(parse):
    columns = {
        "d": {"type": "date", "minimum": "2026-01-01", "maximum": "2026-12-31"},
        "i": {"type": "integer", "maximum": 9007199254740992},
    }
    lines = b'{"d":"2026-01-01","i":9007199254740992}\n{"d":"2025-12-31"}\n{"d":"2027-01-01"}\n{"i":9007199254740993}\n'
    parsed = parse({"a": lines}, columns)
    found = parsed.quarantined.sort("_line").collect().select("_line", "reason", "column").rows()
    assert found == [(2, "out_of_range", "d"), (3, "out_of_range", "d"), (4, "out_of_range", "i")]
    for declared in ({"type": "date", "minimum": "soon"}, {"type": "integer", "minimum": "2026-01-01"}):
        with pytest.raises(ValidationError, match="bound '"):
            Column.model_validate(declared)


def test_local_times_are_those_of_the_declared_zone(parse):
    texts = ["2026-01-05T10:00", "2026-07-05T10:00", "2026-03-29T02:30", "2026-10-25T02:30", "2026-10-25T02:30+02:00"]
    values, bad = read(parse, texts, zone="Europe/Berlin")
    assert values == [utc(2026, 1, 5, 9), utc(2026, 7, 5, 8), utc(2026, 10, 25, 0, 30)]
    assert [row[0] for row in bad] == ["nonexistent_time", "ambiguous_time"]
    with pytest.raises(ValidationError, match="did you mean 'Europe/Berlin'"):
        Column.model_validate({"type": "datetime", "zone": "Europe/Berlinn"})


@pytest.mark.parametrize("name", TIME_FORMATS)
def test_a_named_format_reads_its_example(parse, name):
    form = time_format(name)
    assert form.describes.endswith(".")
    assert read(parse, [form.example], formats=[name]) == ([utc(2026, 3, 1, 10)], [])
