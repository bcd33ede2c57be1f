"""One crawl over many days, each of which the site treats differently: no day's trouble touches another."""

import datetime as dt
import email.utils
import gzip
import hashlib
import json
import random
import time

import pytest

PART = random.Random(7).randbytes(300_000)
SMALL = b'{"a": "1"}\n'


def chunked(pieces, *, complete):
    def respond(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if complete:
            handler.wfile.write(b"0\r\n\r\n")
        else:
            handler.cut()

    return respond


def stalling(handler):
    handler.answer(200, PART[:1000], Content_Length=str(len(PART)))
    handler.server.site.closing.wait(30)


def trickling(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "400000")
    handler.end_headers()
    while not handler.server.site.closing.wait(0.1):
        handler.wfile.write(b"x")


def slow_but_steady(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(12 * len(SMALL)))
    handler.end_headers()
    for _ in range(12):
        time.sleep(0.15)
        handler.wfile.write(SMALL)
        handler.wfile.flush()


def wrong_range(handler):
    # Cuts the first answer, then continues with the wrong bytes; a whole answer when asked anew.
    if "Range" in handler.headers:
        handler.answer(206, PART[5:], ETag='"v1"', Content_Range=f"bytes 5-{len(PART) - 1}/{len(PART)}")
    elif len(handler.server.site.requests(handler.path)) == 1:
        handler.answer(200, PART[:1000], Content_Length=str(len(PART)), ETag='"v1"')
        handler.cut()
    else:
        handler.answer(200, PART, ETag='"v1"')


def sitemap_index(handler):
    here = f"http://{handler.headers['Host']}{handler.path}"
    xml = f"<?xml version='1.0'?><sitemapindex><sitemap><loc>{here}more.xml</loc></sitemap></sitemapindex>"
    handler.answer(200, xml.encode(), Content_Type="text/xml")


def sitemap(handler):
    there = f"http://{handler.headers['Host']}{handler.path.replace('more.xml', 'part-1')}"
    handler.answer(200, f"<urlset><url><loc>{there}</loc></url></urlset>".encode(), Content_Type="text/xml")


def changing(handler):
    # Cuts the old version; the new one is there when the crawler comes back for the rest.
    if len(handler.server.site.requests(handler.path)) == 1:
        handler.answer(200, b"o" * 1000, Content_Length="5000", ETag='"old"')
        handler.cut()
    else:
        assert handler.headers["If-Range"] == '"old"'
        handler.answer(200, SMALL, ETag='"new"')


NEW, OLD = b"n" * 100, b"o" * 100


def first_then(first, then):
    """Answers the first request in one way and all others in another."""

    def respond(handler):
        (first if len(handler.server.site.requests(handler.path)) == 1 else then)(handler)

    return respond


def cut_at_30(body, status=200, **headers):
    def respond(handler):
        handler.answer(status, body[:30], Content_Length=str(len(body)), **headers)
        handler.cut()

    return respond


def whole_or_rest(body, **headers):
    """Continues wherever it is asked to, without comparing validators: what it must not be asked to."""

    def respond(handler):
        if wanted := handler.headers.get("Range"):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            content_range = f"bytes {start}-{len(body) - 1}/{len(body)}"
            handler.answer(206, body[start:], Content_Range=content_range, **headers)
        else:
            handler.answer(200, body, **headers)

    return respond


def one_packet(status, body, declared, **headers):
    """Headers and body in a single write, after which the connection stays open or is of no more use."""

    def respond(handler):
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        text = f"HTTP/1.1 {status} X\r\n{head}Content-Length: {declared}\r\n\r\n"
        handler.wfile.write(text.encode("latin-1") + body)
        handler.wfile.flush()

    return respond


def first_then_range(body):
    """Sends 20 bytes of the rest at first, without saying how large the whole is; then all that is asked for."""

    def respond(handler):
        start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
        end = min(start + 20, len(body)) if start == 30 else len(body)
        handler.answer(206, body[start:end], ETag='"v1"', Content_Range=f"bytes {start}-{end - 1}/*")

    return respond


def now():
    return email.utils.format_datetime(dt.datetime.now(dt.UTC), usegmt=True)


def weak_date():
    """A file that changes within the second in which it was first asked for."""
    stamp = now()
    return first_then(cut_at_30(OLD, Last_Modified=stamp), whole_or_rest(NEW, Last_Modified=stamp))


def gzipped_sitemap(*names):
    def respond(handler):
        here = f"http://{handler.headers['Host']}{handler.path.rpartition('/')[0]}"
        locations = "".join(f"<url><loc>{here}/{name}</loc></url>" for name in names)
        xml = f"<?xml version='1.0'?><!-- {'long ' * 2000}--><urlset>{locations}</urlset>"
        handler.answer(200, gzip.compress(xml.encode()), Content_Type="application/gzip")

    return respond


def gzipped_index(handler):
    here = f"http://{handler.headers['Host']}{handler.path}"
    xml = f"<sitemapindex><sitemap><loc>{here}sitemap.xml.gz</loc></sitemap></sitemapindex>"
    handler.answer(200, xml.encode(), Content_Type="text/xml")


def utf16_sitemap(handler):
    here = f"http://{handler.headers['Host']}{handler.path}"
    xml = f"<?xml version='1.0' encoding='UTF-16'?><urlset><url><loc>{here}part-1</loc></url></urlset>"
    handler.answer(200, xml.encode("utf-16"), Content_Type="application/xml")


def raw_location(name):
    def respond(handler):
        handler.wfile.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + name.encode() + b"\r\n\r\n")

    return respond


def to_password(handler):
    handler.answer(302, b"", Location=f"http://me:hunter2secret@{handler.headers['Host']}{handler.path}b")


@pytest.fixture(scope="module")
def outside(new_site, make):
    return new_site({"/stolen": make["stored"](b"secret"), "/part-9": make["stored"](b"secret")})


@pytest.fixture(scope="module")
def behaviours(make, outside):
    index, page, stored, cutting = make["index"], make["page"], make["stored"], make["cutting"]
    failing, hanging, redirecting = make["failing"], make["hanging"], make["redirecting"]
    one = {"": index("part-1")}
    names = [f"part-{n}" for n in range(100)]
    return {
        "good": {
            "": index("part-1", "part-2", "part-1#again", "readme.txt"),
            "part-1": stored(PART),
            "part-2": stored(SMALL),
        },
        "missing": {},
        "nothing": {"": index("readme.txt", "../")},
        "flaky": {"": failing(500, 1, index("part-1")), "part-1": failing(503, 2, stored(SMALL))},
        "broken": {"": index("part-1", "part-2"), "part-1": page(b"", 500), "part-2": stored(SMALL)},
        "hangs": {"": hanging},
        "stalls": one | {"part-1": stalling},
        "trickles": one | {"part-1": trickling},
        "slow": one | {"part-1": slow_but_steady},
        "cut": one | {"part-1": cutting(PART, 50_000)},
        "cut_for_ever": one | {"part-1": cutting(PART, 50_000, ranges=False, etag=None)},
        "cut_chunked": one | {"part-1": chunked([SMALL, SMALL], complete=False)},
        "chunked": one | {"part-1": chunked([SMALL, SMALL], complete=True)},
        "wrong_range": one | {"part-1": wrong_range},
        "changing": one | {"part-1": changing},
        "moved": {
            "": redirecting("there/"),
            "there/": index("part-1"),
            "there/part-1": redirecting("part-1b"),
            "there/part-1b": stored(SMALL),
        },
        "lured": {"": redirecting(f"{outside.url}/stolen")},
        "lured_file": one | {"part-1": redirecting(f"{outside.url}/stolen")},
        "lured_by_name": one | {"part-1": redirecting("http://localhost:1/stolen")},
        "linked_outside": {"": index("part-1", f"{outside.url}/part-9"), "part-1": stored(SMALL)},
        "loop": one | {"part-1": redirecting("part-1")},
        "large": one | {"part-1": stored(b"x" * 500_001)},
        "large_chunked": one | {"part-1": chunked([b"x" * 100_000] * 6, complete=True)},
        "html": one | {"part-1": page(b"<html>Please log in</html>", Content_Type="text/html")},
        "empty_file": one | {"part-1": stored(b"")},
        "encoded": one | {"part-1": page(b"\x1f\x8bnot really", Content_Encoding="gzip")},
        "told_to_wait": one | {"part-1": failing(429, 1, stored(SMALL), Retry_After="1")},
        "told_to_go": one | {"part-1": page(b"", 503, Retry_After="86400")},
        "refused": one | {"part-1": page(b"", 403)},
        "gone": one,
        "forbidden": {"": index("private/part-1"), "private/part-1": stored(SMALL)},
        "list": {
            "": page(b"part-1\n\nother\nsome prose with spaces part-7\n", Content_Type="text/plain"),
            "part-1": stored(SMALL),
        },
        "sitemap": {
            "": sitemap_index,
            "more.xml": sitemap,
            "part-1": stored(SMALL),
        },
        "folders": {"": index("sub/"), "sub/": index("part-1", ".."), "sub/part-1": stored(SMALL)},
        "too_deep": {
            "": index("sub/"),
            "sub/": index("sub/"),
            "sub/sub/": index("sub/"),
            "sub/sub/sub/": index("part-1"),
        },
        "many": {"": index(*(f"part-{n}" for n in range(101)))},
        "all_fail": {"": index(*names)} | dict.fromkeys(names, page(b"", 500)),
        "twins": {"": index("a/part-1", "b/part-1"), "a/part-1": stored(SMALL), "b/part-1": stored(SMALL)},
        "maintenance": {"": page(b"<html><h1>Back soon</h1></html>", Content_Type="text/html")},
        "empty_sub": {"": index("part-1", "sub/"), "part-1": stored(SMALL), "sub/": page(b"<h1>Oops</h1>")},
        "moved_with_password": one | {"part-1": to_password},
        "with_password": {"": index("http://me:hunter2secret@127.0.0.1:1/part-1", "part-2"), "part-2": stored(SMALL)},
        "odd_spellings": {
            "": index("part-1 \u00e9", "part-1%20%C3%A9", "part-1%20%c3%a9", "./x/../part%2D1 \u00e9"),
            "part-1%20%C3%A9": stored(SMALL),
        },
        "sitemap_gz": {
            "": gzipped_index,
            "sitemap.xml.gz": gzipped_sitemap("part-1"),
            "part-1": stored(SMALL),
        },
        "start_gz": {"": gzipped_sitemap("part-1"), "part-1": stored(SMALL)},
        "utf16_sitemap": {"": utf16_sitemap, "part-1": stored(SMALL)},
        "moved_utf8": one | {"part-1": raw_location("gr\u00fc\u00dfe"), "gr%C3%BC%C3%9Fe": stored(SMALL)},
        "one_packet_range": one
        | {
            "part-1": first_then(
                one_packet(206, PART[5:1000], 995, Content_Range=f"bytes 5-999/{len(PART)}"), stored(PART)
            )
        },
        "one_packet_etag": one
        | {
            "part-1": first_then(
                cut_at_30(PART, ETag='"v1"'),
                lambda handler: (
                    one_packet(206, PART[30:60], 30, ETag='"v2"', Content_Range=f"bytes 30-59/{len(PART)}")
                    if "Range" in handler.headers
                    else stored(PART)
                )(handler),
            )
        },
        "one_packet_large": one | {"part-1": one_packet(200, b"x" * 600_000, 600_000)},
        "weak_date": one | {"part-1": weak_date()},
        "part_first": one
        | {"part-1": first_then(cut_at_30(OLD, 206, Content_Range="bytes 0-99/100"), whole_or_rest(NEW))},
        "short_range": one
        | {
            "part-1": first_then(
                cut_at_30(NEW, ETag='"v1"'),
                first_then_range(NEW),
            )
        },
        "named": {"": index("part-1%2e%2e%2f..%2fx?name=%2fetc"), "part-1%2e%2e%2f..%2fx?name=%2fetc": stored(SMALL)},
    }


@pytest.fixture(scope="module")
def outcome(module_crawl, new_site, behaviours, make):
    first = dt.date(2026, 1, 1)
    days = {name: str(first + dt.timedelta(days=n)) for n, name in enumerate(behaviours)}
    pages = {f"/{days[name]}/{path}": page for name, paths in behaviours.items() for path, page in paths.items()}
    pages["/robots.txt"] = make["page"](b"User-agent: *\nDisallow: /*/private/\n")
    site = new_site(pages)
    options = {
        "limits": {"timeout_seconds": 1, "max_file_seconds": 5, "max_file_bytes": 500_000, "max_files": 100},
        "listings": "/sub/$",
        "politeness": {"concurrency": 40, "max_retry_after": 30},
    }
    messages, log = module_crawl(site.url, list(days.values()), **options)

    class Outcome:
        crawl = module_crawl
        requests = site

        def __init__(self):
            self.log = log

        def message(self, name):
            return messages[days[name]]

        def landed(self, name):
            assert self.message(name)["status"] == "landed", self.message(name)["error"]
            return list(module_crawl.landed(days[name]).values())

        def manifest(self, name):
            return json.loads((module_crawl.folder(days[name]) / "manifest.json").read_text())

        def error(self, name):
            message = self.message(name)
            assert message["status"] == "failed"
            assert message["manifest"] is None
            assert not (module_crawl.folder(days[name]) / "manifest.json").exists()
            return message["error"]

        def asked(self, name, path):
            return site.requests(f"/{days[name]}/{path}")

    return Outcome()


def test_files_land_as_served_and_once_each(outcome):
    assert sorted(outcome.landed("good")) == sorted([PART, SMALL])
    files = outcome.manifest("good")["files"]
    assert [file["sha256"] for file in files] == [hashlib.sha256(body).hexdigest() for body in (PART, SMALL)]
    assert len(outcome.asked("good", "part-1")) == 1
    assert not outcome.asked("good", "readme.txt")


def test_addresses_in_the_manifest_are_relative_to_the_template(outcome):
    assert outcome.manifest("good")["files"][0]["url"] == "${SITE}/2026-01-01/part-1"
    assert outcome.requests.url not in outcome.log


def test_the_crawler_says_who_it_is(outcome):
    assert outcome.asked("good", "part-1")[0].headers["user-agent"].startswith("Sluice/")


def test_robots_txt_is_read_once_for_all_days(outcome):
    assert outcome.requests.paths()["/robots.txt"] == 1


def test_a_missing_start_page_fails_and_names_the_option(outcome):
    assert "missing (404)" in outcome.error("missing")
    assert "crawl.missing: empty" in outcome.error("missing")


def test_a_page_without_matching_links_fails_and_shows_what_it_links_to(outcome):
    assert "none of the 2 links found from" in outcome.error("nothing")
    assert "/readme.txt" in outcome.error("nothing")
    assert "crawl.missing: empty" in outcome.error("nothing")


def test_a_maintenance_page_with_status_200_fails(outcome):
    assert "links to nothing at all: an error or a maintenance page?" in outcome.error("maintenance")


def test_a_link_with_a_password_is_refused_and_not_shown(outcome):
    assert "hold a user or password" in outcome.error("with_password")
    assert "hunter2" not in json.dumps(outcome.message("with_password")) + outcome.log


def test_a_further_listing_without_any_link_fails(outcome):
    assert "/sub/ was answered (HTML page), but links to nothing at all" in outcome.error("empty_sub")


def test_a_redirect_with_a_password_is_refused_and_not_shown(outcome):
    assert "holds a user or password (not shown)" in outcome.error("moved_with_password")
    assert "hunter2" not in json.dumps(outcome.message("moved_with_password")) + outcome.log


@pytest.mark.parametrize(
    ("name", "transient"),
    [
        *((name, False) for name in ("missing", "nothing", "maintenance", "refused", "gone", "forbidden", "lured")),
        *((name, False) for name in ("linked_outside", "large", "many", "too_deep", "loop", "with_password")),
        *((name, True) for name in ("broken", "hangs", "stalls", "cut_for_ever", "told_to_go", "all_fail")),
    ],
)
def test_a_failure_says_whether_waiting_may_help(outcome, name, transient):
    outcome.error(name)
    assert outcome.message(name)["transient"] is transient


@pytest.mark.parametrize("name", ["odd_spellings", "sitemap_gz", "start_gz", "utf16_sitemap", "moved_utf8"])
def test_what_is_spelled_or_packed_in_several_ways_lands_once(outcome, name):
    assert outcome.landed(name) == [SMALL]


def test_a_line_with_a_space_is_reported_not_dropped(outcome):
    assert outcome.message("list")["stats"]["left_out"] == {"lines with a space": 1}
    assert "(lines with a space): some prose with spaces part-7" in outcome.log


@pytest.mark.parametrize("name", ["one_packet_range", "one_packet_etag"])
def test_a_wrong_answer_in_one_packet_is_tried_again(outcome, name):
    assert outcome.landed(name) == [PART]


def test_a_too_large_file_in_one_packet_is_refused_with_the_message_meant(outcome):
    assert "more than max_file_bytes" in outcome.error("one_packet_large")


@pytest.mark.parametrize("name", ["weak_date", "part_first", "short_range"])
def test_two_versions_are_never_mixed_nor_a_part_taken_for_the_whole(outcome, name):
    assert outcome.landed(name) == [NEW]


def test_a_server_that_recovers_is_tried_again(outcome):
    assert outcome.landed("flaky") == [SMALL]
    assert outcome.message("flaky")["stats"]["retries"] == 3
    assert outcome.message("flaky")["stats"]["statuses"] == {"200": 2, "500": 1, "503": 2}


def test_a_server_that_keeps_failing_is_left_after_the_declared_retries(outcome):
    assert "answered 500 on 3 attempts" in outcome.error("broken")
    assert "1 of 2 files failed; the 1 that landed are kept" in outcome.error("broken")
    assert len(outcome.asked("broken", "part-1")) == 3


def test_a_start_page_that_hangs_is_given_up(outcome):
    assert "did not answer in time" in outcome.error("hangs")
    assert len(outcome.asked("hangs", "")) == 3


def test_a_body_that_stalls_is_given_up(outcome):
    assert "nothing arrived for 1 seconds" in outcome.error("stalls")


def test_a_body_that_trickles_is_bounded_in_all(outcome):
    assert "still incomplete after 5 seconds" in outcome.error("trickles")
    assert len(outcome.asked("trickles", "part-1")) == 1


def test_a_slow_body_may_take_longer_than_the_silence_allowed(outcome):
    assert outcome.landed("slow") == [SMALL * 12]


def test_a_cut_body_is_continued_by_range_until_whole(outcome):
    assert outcome.landed("cut") == [PART]
    ranges = [request.headers.get("range") for request in outcome.asked("cut", "part-1")]
    assert ranges == [None, *(f"bytes={n}-" for n in range(50_000, 300_000, 50_000))]
    assert outcome.asked("cut", "part-1")[1].headers["if-range"] == '"v1"'
    assert outcome.message("cut")["stats"]["bytes"] < 301_000


@pytest.mark.parametrize("name", ["cut_for_ever", "cut_chunked"])
def test_a_truncated_body_never_lands(outcome, name):
    assert "could not be fetched whole" in outcome.error(name)


def test_a_chunked_body_lands(outcome):
    assert outcome.landed("chunked") == [SMALL * 2]


def test_a_wrong_range_makes_the_transfer_start_anew(outcome):
    assert outcome.landed("wrong_range") == [PART]


def test_a_file_that_changes_between_two_pieces_is_not_mixed(outcome):
    assert outcome.landed("changing") == [SMALL]


def test_redirects_within_the_site_are_followed(outcome):
    assert outcome.landed("moved") == [SMALL]


@pytest.mark.parametrize("name", ["lured", "lured_file", "lured_by_name"])
def test_a_redirect_outside_is_refused_and_reported(outcome, outside, name):
    assert "lies outside the allowed domains" in outcome.error(name)
    assert "crawl.allowed_domains" in outcome.error(name)
    assert not outside.asked


def test_matching_links_outside_are_reported_not_dropped(outcome, outside):
    assert "outside the allowed domains" in outcome.error("linked_outside")
    assert not outside.asked


def test_a_redirect_loop_ends(outcome):
    assert "redirects too often" in outcome.error("loop")


@pytest.mark.parametrize("name", ["large", "large_chunked"])
def test_a_file_beyond_the_bound_is_refused(outcome, name):
    assert "more than max_file_bytes (500,000)" in outcome.error(name)
    assert len(outcome.asked(name, "part-1")) == 1


def test_html_in_place_of_a_log_lands_as_served(outcome):
    assert outcome.landed("html") == [b"<html>Please log in</html>"]
    assert outcome.manifest("html")["files"][0]["content_type"] == "text/html"


def test_an_empty_file_lands(outcome):
    assert outcome.landed("empty_file") == [b""]


def test_an_encoded_body_lands_encoded_and_says_so(outcome):
    assert outcome.landed("encoded") == [b"\x1f\x8bnot really"]
    assert outcome.manifest("encoded")["files"][0]["content_encoding"] == "gzip"
    assert outcome.asked("encoded", "part-1")[0].headers["accept-encoding"] == "identity"


def test_retry_after_is_waited_for(outcome):
    first, second = outcome.asked("told_to_wait", "part-1")
    assert second.at - first.at >= 1
    assert outcome.landed("told_to_wait") == [SMALL]


def test_a_retry_after_beyond_the_bound_fails_at_once(outcome):
    assert "asks to come back in 86400 seconds" in outcome.error("told_to_go")
    assert len(outcome.asked("told_to_go", "part-1")) == 1


def test_refused_access_points_to_the_credentials(outcome):
    assert "refuses access (403)" in outcome.error("refused")


def test_a_listed_file_that_is_missing_fails_the_day(outcome):
    assert "listed but missing (404)" in outcome.error("gone")


def test_what_robots_txt_forbids_is_not_asked(outcome):
    assert "robots.txt" in outcome.error("forbidden")
    assert "obey_robots" in outcome.error("forbidden")
    assert not outcome.asked("forbidden", "private/part-1")


@pytest.mark.parametrize("name", ["list", "sitemap", "folders"])
def test_other_kinds_of_listings_are_read(outcome, name):
    assert outcome.landed(name) == [SMALL]


def test_listings_have_a_bounded_depth(outcome):
    assert "beyond crawl.limits.max_depth" in outcome.error("too_deep")


def test_too_many_matching_links_are_refused(outcome):
    assert "101 links match crawl.follow, more than crawl.limits.max_files (100)" in outcome.error("many")
    assert not outcome.asked("many", "part-1")


def test_a_server_that_fails_for_every_file_is_left_alone_soon(outcome):
    assert "answered 500 on 3 attempts" in outcome.error("all_fail")
    assert outcome.message("all_fail")["stats"]["requests"] < 270


def test_two_addresses_with_the_same_bytes_are_two_files(outcome):
    assert outcome.landed("twins") == [SMALL, SMALL]
    assert len({file["path"] for file in outcome.manifest("twins")["files"]}) == 2


def test_names_from_the_site_cannot_leave_the_folder(outcome):
    assert outcome.landed("named") == [SMALL]
    (file,) = outcome.manifest("named")["files"]
    assert file["path"].count("/") == 1


def test_nothing_is_left_of_complete_crawls_but_files_and_manifest(outcome):
    folder = outcome.crawl.folder("2026-01-01")
    assert {path.name for path in folder.iterdir()} == {"files", "lock", "manifest.json"}
