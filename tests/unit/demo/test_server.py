"""The shop's site behaves as a good web server does."""

import gzip
import hashlib
import http.client
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from urllib.parse import urlsplit

import polars as pl
import pytest

from crawlers import demo
from crawlers.demo.logs import log

TODAY = date(2026, 4, 15)
DAY = date(2026, 4, 14)
FILE = f"/logs/{DAY}/events-02.jsonl.gz"


@pytest.fixture(scope="module")
def address():
    with demo.serve(seed=7, broken_days={date(2026, 4, 13)}, clock=lambda: TODAY) as url:
        yield urlsplit(url).netloc


@pytest.fixture
def ask(address):
    """One connection for all that a test asks."""
    connection = http.client.HTTPConnection(address, timeout=30)

    def request(path, method="GET", **headers):
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read()

    yield request
    connection.close()


def test_the_logs_of_a_day_are_listed_and_served_as_bytes(ask):
    listing, body = ask(f"/logs/{DAY}/")
    names = re.findall(r'href="([^"]+)"', body.decode())
    answer, content = ask(FILE)

    assert listing.status == answer.status == 200
    assert names == [f"events-{number:02d}.jsonl.gz" for number in range(6)]
    assert content == log(DAY, 7).files["events-02.jsonl.gz"]
    assert answer.headers["Content-Encoding"] is None
    assert json.loads(gzip.decompress(content).splitlines()[0])


def test_a_broken_day_is_the_one_asked_for(ask):
    _, broken = ask("/logs/2026-04-13/events-00.jsonl.gz")
    _, whole = ask("/logs/2026-04-10/events-00.jsonl.gz")

    assert b'"sku-' in gzip.decompress(broken)
    assert b'"sku-' not in gzip.decompress(whole)


def test_the_catalogue_is_csv(ask):
    _, listing = ask(f"/exports/{DAY}/")
    answer, content = ask(f"/exports/{DAY}/catalogue-00.csv")

    assert b'href="catalogue-00.csv"' in listing
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert pl.read_csv(content, try_parse_dates=True).equals(demo.catalogue(DAY, 7))


def test_pages_of_products_lead_from_one_to_the_next_and_cover_all(ask):
    path, items, pages = "/api/products?page=1", [], 0
    while path:
        page = json.loads(ask(path)[1])
        items, path, pages = items + page["items"], page["next"], pages + 1

    assert pages == page["pages"] > 1
    assert [item["item_id"] for item in items] == demo.catalogue(TODAY, 7)["item_id"].to_list()
    assert len(items) == page["total"]
    assert json.loads(ask("/api/products")[1])["page"] == 1


def test_products_have_pages_with_reviews_that_agree_with_their_stars(ask):
    praise = "love it|Best purchase|Perfect"
    stars, loved = [], []
    for item in demo.catalogue(TODAY, 7)["item_id"].head(60):
        answer, body = ask(f"/products/{item}")
        assert answer.status == 200
        for number, text in re.findall(r'class="stars">(\d)</span> <p>([^<]+)</p>', body.decode()):
            stars.append(int(number))
            loved.append(bool(re.search(praise, text)))

    assert len(stars) > 60
    assert set(stars) == {1, 2, 3, 4, 5}
    assert loved == [number == 5 for number in stars]


@pytest.mark.parametrize("path", [FILE, f"/exports/{DAY}/catalogue-00.csv", "/", "/products/i0001"])
def test_what_has_not_changed_is_not_sent_again(ask, path):
    first, body = ask(path)
    etag, changed = first.headers["ETag"], first.headers["Last-Modified"]

    assert body
    for condition in (
        {"If_None_Match": etag},
        {"If_None_Match": f'"other", W/{etag}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": changed},
        {"If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    ):
        answer, nothing = ask(path, **condition)
        assert (answer.status, nothing) == (304, b""), condition
        assert answer.headers["ETag"] == etag
    for condition in (
        {"If_None_Match": '"other"'},
        {"If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If_Modified_Since": "yesterday"},
        # The tag decides when there are both.
        {"If_None_Match": '"other"', "If_Modified_Since": changed},
    ):
        answer, again = ask(path, **condition)
        assert (answer.status, again) == (200, body), condition


def test_a_part_of_a_file_can_be_asked_for(ask):
    whole, body = ask(FILE)
    size = len(body)

    assert whole.headers["Accept-Ranges"] == "bytes"
    for wanted, part in {
        "bytes=0-99": slice(0, 100),
        "bytes=1000-": slice(1000, size),
        "bytes=-10": slice(size - 10, size),
        f"bytes=-{size + 5}": slice(0, size),
        f"bytes={size - 1}-{size + 1000}": slice(size - 1, size),
    }.items():
        answer, content = ask(FILE, Range=wanted)
        assert answer.status == 206, wanted
        assert content == body[part], wanted
        assert answer.headers["Content-Range"] == f"bytes {part.start}-{part.stop - 1}/{size}"
        assert answer.headers["Content-Length"] == str(len(content))
    for beyond in (f"bytes={size}-", "bytes=-0"):
        answer, content = ask(FILE, Range=beyond)
        assert (answer.status, content) == (416, b""), beyond
        assert answer.headers["Content-Range"] == f"bytes */{size}"
    for unknown in ("bytes=5-2", "bytes=-", "lines=0-1", "bytes=0-1,5-6", "bytes=a-b"):
        answer, content = ask(FILE, Range=unknown)
        assert (answer.status, content) == (200, body), unknown


def test_a_part_is_sent_only_of_the_file_that_the_client_knows(ask):
    whole, body = ask(FILE)

    for known in (whole.headers["ETag"], whole.headers["Last-Modified"]):
        answer, content = ask(FILE, Range="bytes=10-", If_Range=known)
        assert (answer.status, content) == (206, body[10:])
    for other in ('"other"', "Thu, 01 Jan 1970 00:00:00 GMT", "nonsense"):
        answer, content = ask(FILE, Range="bytes=10-", If_Range=other)
        assert (answer.status, content) == (200, body)


@pytest.mark.parametrize("path", [FILE, "/", "/nowhere"])
def test_head_tells_the_same_without_the_body(ask, path):
    full, body = ask(path)
    head, nothing = ask(path, "HEAD")

    assert (head.status, nothing) == (full.status, b"")
    assert head.headers["Content-Length"] == str(len(body))
    assert head.headers["ETag"] == full.headers["ETag"]


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/logs/2026-04-16/",
        "/logs/2026-04-16/events-00.jsonl.gz",
        "/logs/9999-12-31/",
        "/exports/2026-04-16/catalogue-00.csv",
        "/logs/2026-02-30/",
        "/logs/0001-01-01/",
        f"/logs/{DAY}/events-06.jsonl.gz",
        f"/logs/{DAY}/events-2.jsonl.gz",
        "/products/i9999",
        "/products/i00001",
        "/products/i%D9%A0%D9%A0%D9%A0%D9%A1",
        "/api/products?page=0",
        "/api/products?page=99",
        "/api/products?page=-1",
        "/api/products?page=x",
        "/logs/../../etc/passwd",
        "/logs/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/%00",
        "/<script>",
    ],
)
def test_what_is_not_there_is_a_404_that_says_what_is(address, path):
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    assert answer.startswith("HTTP/1.1 404 ")
    assert "/logs/YYYY-MM-DD/" in answer
    assert "<script>" not in answer


def test_today_is_there_and_so_is_long_ago(ask):
    for day in (TODAY, date(2019, 1, 1)):
        assert ask(f"/logs/{day}/")[0].status == 200
        assert ask(f"/exports/{day}/catalogue-00.csv")[0].status == 200


def test_the_home_page_explains_and_its_links_work(ask):
    _, body = ask("/")
    links = re.findall(r'href="([^"]+)"', body.decode())

    assert b"invented" in body
    assert {"/logs/", f"/logs/{DAY}/", f"/exports/{DAY}/", "/products/i0000"} <= set(links)
    assert all(ask(link)[0].status == 200 for link in links)


def test_robots_are_welcome_except_in_the_back_office(ask):
    _, body = ask("/robots.txt")
    rules = [line for line in body.decode().splitlines() if line and not line.startswith("#")]

    assert rules == ["User-agent: *", "Disallow: /admin/"]


def test_other_methods_are_refused(ask):
    assert ask("/", "DELETE")[0].status == 501


def test_many_clients_at_once_get_the_same(address):
    paths = [f"/logs/2026-02-0{1 + n % 2}/events-0{n % 6}.jsonl.gz" for n in range(24)]

    def fetch(path):
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request("GET", path)
        digest = hashlib.sha256(connection.getresponse().read()).hexdigest()
        connection.close()
        return path, digest

    with ThreadPoolExecutor(12) as pool:
        answers = set(pool.map(fetch, paths))

    assert answers == {
        (path, hashlib.sha256(log(date.fromisoformat(path[6:16]), 7).files[path[17:]]).hexdigest()) for path in paths
    }


def test_only_loopback_is_listened_to(address):
    assert address.startswith("127.0.0.1:")


def test_a_client_that_goes_away_leaves_no_trace(address, capfd):
    host, port = address.split(":")
    for _ in range(3):
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.sendall(f"GET {FILE} HTTP/1.1\r\nHost: shop\r\n\r\n".encode() * 50)
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", "/")
    answered = connection.getresponse().status
    connection.close()

    assert answered == 200
    assert capfd.readouterr().err == ""
