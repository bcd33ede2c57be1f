"""Access logs of web servers, hostile lines too."""

import pytest
from pydantic import ValidationError

from crawlers.parse.access_log import AccessLogFormat, compile_format

LOG = b"""\
192.0.2.25 - - [22/Dec/2016:16:30:52 +0300] "POST /a.php HTTP/1.1" 303 382 "http://192.0.2.161/" "Mozilla/5.0"
192.0.2.26 - frank [22/Dec/2016:16:30:53 +0300] "GET /x?q=\\"><script>alert(1)</script> HTTP/1.1" 404 - "-" "-"
192.0.2.27 - - [22/Dec/2016:16:30:54 +0300] "\\x16\\x03\\x01" 400 226 "-" "-"
"""
COLUMNS = {
    "host": {"type": "string", "required": True},
    "user": {"type": "string"},
    "time": {"type": "datetime", "required": True, "formats": ["%d/%b/%Y:%H:%M:%S %z"]},
    "request": {"type": "string"},
    "method": {"type": "string"},
    "target": {"type": "string"},
    "status": {"type": "integer"},
    "bytes": {"type": "integer"},
    "referer": {"type": "string"},
    "user_agent": {"type": "string"},
}


@pytest.fixture
def log(parse):
    return lambda body, columns=COLUMNS, **options: parse(
        {"access.log": body}, columns, kind="access_log", unknown_columns="discard", **options
    )


def test_every_line_is_a_record_the_hostile_ones_too(log):
    parsed = log(LOG)
    assert parsed.accounting.quarantined == {}
    rows = parsed.records.collect().to_dicts()
    assert [row["host"] for row in rows] == ["192.0.2.25", "192.0.2.26", "192.0.2.27"]
    assert [str(row["time"]) for row in rows] == [f"2016-12-22 13:30:5{second}+00:00" for second in (2, 3, 4)]
    assert [row["bytes"] for row in rows] == [382, None, 226]
    assert rows[0]["referer"] == "http://192.0.2.161/"
    assert rows[1]["user"] == "frank"
    assert rows[1]["target"] == '/x?q="><script>alert(1)</script>'
    # Control characters stay escaped: no terminal that shows a log obeys it.
    assert rows[2]["request"] == "\\x16\\x03\\x01"
    assert (rows[2]["method"], rows[2]["target"]) == (None, None)


def test_what_is_no_line_of_the_format_is_quarantined_and_counted(log):
    parsed = log(LOG + b"GET / HTTP/1.0\n\n192.0.2.1 - - [now] unquoted\n")
    assert parsed.accounting.quarantined == {"no_match": 2}
    assert (parsed.accounting.rows_in, parsed.accounting.rows_out) == (6, 3)
    assert parsed.quarantined.collect()["_line"].to_list() == [4, 6]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (rb"caf\xc3\xa9", "café"),
        (rb"bad\xff", "bad\\xff"),
        (rb"tab\x09", "tab\\x09"),
        (rb"quote\x22", 'quote"'),
        (rb"back\\x41", "back\\x41"),
        (rb"esc\x1b[31m", "esc\\x1b[31m"),
        (b"plain caf\xc3\xa9", "plain café"),
    ],
)
def test_escapes_are_undone_as_far_as_they_are_letters(log, written, meant):
    line = b'192.0.2.1 - - [22/Dec/2016:16:30:52 +0300] "GET / HTTP/1.1" 200 1 "-" "' + written + b'"\n'
    assert log(line).records.collect()["user_agent"].to_list() == [meant]


def test_a_format_as_nginx_declares_it(log):
    columns = {"remote_addr": {"type": "string"}, "request_time": {"type": "float"}, "method": {"type": "string"}}
    body = b'10.0.0.1 [05/Jan/2026:10:00:00 +0000] "GET /a HTTP/2.0" 200 rt=0.004 ua="x \\x22y\\x22"\n'
    declared = '$remote_addr [$time_local] "$request" $status rt=$request_time ua="$http_user_agent"'
    rows = log(body, columns, log_format=declared).records.collect().to_dicts()
    assert [(row["remote_addr"], row["request_time"], row["method"]) for row in rows] == [("10.0.0.1", 0.004, "GET")]


def test_a_format_as_apache_declares_it():
    pattern, names = compile_format(
        '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{X-Forwarded-For}i" %D %{sid}C 100%%'
    )
    assert names[:3] == ["server", "port", "host"]
    assert names[-4:] == ["referer", "x_forwarded_for", "duration_us", "cookie_sid"]
    assert pattern.endswith(r"100%")


@pytest.mark.parametrize(
    ("log_format", "words"),
    [
        ("combind", "did you mean 'combined'"),
        ("%h %Z", "'%Z', which is no directive of Apache"),
        ("%h %h", "has the field 'host' twice"),
        ("100%%", "has no field"),
    ],
)
def test_a_format_that_cannot_be_read_is_refused_when_definitions_load(log_format, words):
    with pytest.raises(ValidationError, match=words):
        AccessLogFormat(kind="access_log", log_format=log_format)


def test_real_lines_are_read(log, real_log):
    parsed = log(real_log)
    assert parsed.accounting.rows_in == 10_000
    assert parsed.accounting.rows_out >= 9_999
