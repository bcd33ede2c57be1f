"""The shop's web site: an index of logs, a catalogue, an API, product pages. Loopback only."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import polars as pl

from crawlers.demo.logs import log
from crawlers.demo.world import catalogue

API_PAGE = 50
BROKEN_DAYS_OF_MONTH = (10, 24)


@dataclass(frozen=True)
class Page:
    """One answer.

    Attributes:
        body: Its bytes.
        content_type: Its media type.
        day: When it last changed.
    """

    body: bytes
    content_type: str
    day: date

    @property
    def etag(self) -> str:
        """A validator of the bytes."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:24]}"'

    @property
    def last_modified(self) -> str:
        """The morning after the day, as logs are written."""
        morning = datetime(self.day.year, self.day.month, self.day.day, 1, tzinfo=UTC) + timedelta(days=1)
        return format_datetime(morning, usegmt=True)


class Site:
    """The pages of the shop.

    Args:
        seed: The shop's seed.
        broken_days: Days whose log has the broken schema; None for the 10th and 24th of each month.
        today: The first day that is not there yet.
    """

    def __init__(self, *, seed: int, broken_days: Collection[date] | None, today: Callable[[], date]) -> None:
        self._seed = seed
        self._broken = broken_days
        self._today = today
        self._routes: tuple[tuple[re.Pattern[str], Callable[..., Page | None]], ...] = tuple(
            (re.compile(pattern), handler)
            for pattern, handler in (
                (r"/", self._home),
                (r"/robots\.txt", self._robots),
                (r"/logs/(\d{4}-\d{2}-\d{2})/", self._log_index),
                (r"/logs/(\d{4}-\d{2}-\d{2})/(events-\d+\.jsonl\.gz)", self._log_file),
                (r"/exports/(\d{4}-\d{2}-\d{2})/", self._export_index),
                (r"/exports/(\d{4}-\d{2}-\d{2})/catalogue-00\.csv", self._export_file),
                (r"/api/products", self._api),
                (r"/products/(i\d+)", self._product),
            )
        )

    def page(self, path: str, query: Mapping[str, list[str]]) -> Page | None:
        """The page at a path, or None when there is none."""
        for pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match:
                return handler(*match.groups(), **({"query": query} if handler == self._api else {}))
        return None

    def is_broken(self, day: date) -> bool:
        """Whether the schema of a day's log is broken."""
        return day in self._broken if self._broken is not None else day.day in BROKEN_DAYS_OF_MONTH

    def _past(self, text: str) -> date | None:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return None
        return day if day < self._today() else None

    def _yesterday(self) -> date:
        return self._today() - timedelta(days=1)

    def _home(self) -> Page:
        day = self._yesterday()
        return _html(
            "Sluice demo shop",
            "<p>An invented shop. Nobody who shops here exists.</p><ul>"
            f'<li><a href="/logs/{day}/">Logs of {day}</a></li><li><a href="/exports/{day}/">Catalogue of {day}</a></li>'
            '<li><a href="/api/products?page=1">Products as JSON</a></li>'
            '<li><a href="/products/i0000">A product</a></li></ul>',
            day,
        )

    def _robots(self) -> Page:
        return Page(b"User-agent: *\nDisallow: /admin/\n", "text/plain; charset=utf-8", date(2026, 1, 1))

    def _log_index(self, text: str) -> Page | None:
        day = self._past(text)
        if day is None:
            return None
        names = log(day, self._seed, broken=self.is_broken(day)).files
        return _html(f"Logs of {day}", _links(names), day)

    def _log_file(self, text: str, name: str) -> Page | None:
        day = self._past(text)
        if day is None:
            return None
        body = log(day, self._seed, broken=self.is_broken(day)).files.get(name)
        return None if body is None else Page(body, "application/gzip", day)

    def _export_index(self, text: str) -> Page | None:
        day = self._past(text)
        return None if day is None else _html(f"Exports of {day}", _links(["catalogue-00.csv"]), day)

    def _export_file(self, text: str) -> Page | None:
        day = self._past(text)
        if day is None:
            return None
        buffer = io.BytesIO()
        catalogue(day, self._seed).write_csv(buffer)
        return Page(buffer.getvalue(), "text/csv; charset=utf-8", day)

    def _api(self, *, query: Mapping[str, list[str]]) -> Page | None:
        number = query.get("page", ["1"])[0]
        if not number.isdigit() or int(number) < 1:
            return None
        goods = catalogue(self._yesterday(), self._seed)
        first = (int(number) - 1) * API_PAGE
        rows = goods.slice(first, API_PAGE).with_columns(pl.col("added_at").cast(pl.String)).to_dicts()
        following = f"/api/products?page={int(number) + 1}" if first + API_PAGE < goods.height else None
        body = json.dumps({"items": rows, "next": following, "total": goods.height}).encode()
        return Page(body, "application/json", self._yesterday())

    def _product(self, item: str) -> Page | None:
        rows = catalogue(self._yesterday(), self._seed).filter(pl.col("item_id") == item).to_dicts()
        if not rows:
            return None
        good = rows[0]
        name = html.escape(good["title"])
        praise = ("works well", "a good gift", "as described", "smaller than I thought", "would buy again")
        number = int(item[1:])
        reviews = "".join(
            f'<article class="review"><span class="stars">{1 + (number * 7 + n * 3) % 5}</span>'
            f"<p>The {name}: {praise[(number + n) % len(praise)]}.</p></article>"
            for n in range(number % 4)
        )
        text = (
            f'<dl><dt>Category</dt><dd class="category">{good["category"]}</dd><dt>Brand</dt>'
            f'<dd class="brand">{good["brand"]}</dd><dt>Price</dt><dd class="price">{good["price"]:.2f}</dd></dl>{reviews}'
        )
        return _html(name, text, self._yesterday())


def _html(title: str, body: str, day: date) -> Page:
    text = (
        f'<!doctype html><html lang="en"><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>'
    )
    return Page(text.encode(), "text/html; charset=utf-8", day)


def _links(names: Collection[str]) -> str:
    return "<ul>" + "".join(f'<li><a href="{name}">{name}</a></li>' for name in names) + "</ul>"


def make_server(site: Site, port: int) -> ThreadingHTTPServer:
    """A server of the site on loopback; port 0 takes a free one."""

    class Handler(_Handler):
        pages = site

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SluiceDemoShop/1"
    pages: Site

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self._answer(body=False)

    def do_GET(self) -> None:
        """Answer."""
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server calls
        """Keep quiet."""

    def _answer(self, *, body: bool) -> None:
        address = urlsplit(self.path)
        page = self.pages.page(address.path, parse_qs(address.query))
        if page is None:
            text = f"There is nothing at {address.path}. Logs are at /logs/YYYY-MM-DD/ for past days.\n".encode()
            self._send(HTTPStatus.NOT_FOUND, text, {"Content-Type": "text/plain; charset=utf-8"}, body=body)
            return
        headers = {
            "Content-Type": page.content_type,
            "ETag": page.etag,
            "Last-Modified": page.last_modified,
            "Accept-Ranges": "bytes",
        }
        if self._is_unchanged(page):
            self._send(HTTPStatus.NOT_MODIFIED, b"", headers, body=False)
            return
        span = self._span(page)
        if span is None:
            self._send(HTTPStatus.OK, page.body, headers, body=body)
        elif span[0] >= len(page.body):
            headers["Content-Range"] = f"bytes */{len(page.body)}"
            self._send(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", headers, body=False)
        else:
            first, last = span
            headers["Content-Range"] = f"bytes {first}-{last}/{len(page.body)}"
            self._send(HTTPStatus.PARTIAL_CONTENT, page.body[first : last + 1], headers, body=body)

    def _is_unchanged(self, page: Page) -> bool:
        known = self.headers.get("If-None-Match")
        if known is not None:
            return page.etag in known
        return self.headers.get("If-Modified-Since") == page.last_modified

    def _span(self, page: Page) -> tuple[int, int] | None:
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if not match or (condition is not None and condition not in (page.etag, page.last_modified)):
            return None
        last = int(match[2]) if match[2] else len(page.body) - 1
        return int(match[1]), min(last, len(page.body) - 1)

    def _send(self, status: HTTPStatus, content: bytes, headers: Mapping[str, str], *, body: bool) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)
