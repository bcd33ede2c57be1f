"""An HTTP server for the shop's pages: on loopback, with validators and ranges."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from crawlers.demo.pages import Page
from crawlers.demo.site import Site

IDLE_SECONDS = 30


class Server(ThreadingHTTPServer):
    """Serves a site on loopback, a thread for each connection.

    Args:
        site: The pages.
        port: 0 takes a free one.
        access_log: Whether to write a line to standard error for each request.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, site: Site, port: int, *, access_log: bool = False) -> None:
        self.site = site
        self.access_log = access_log
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what failed, except that a client went away: that is no fault of the shop."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SluiceDemoShop/1"
    sys_version = ""
    timeout = IDLE_SECONDS
    # Headers and body leave together; else each small answer waits for the client's delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self._answer(wants_body=False)

    def do_GET(self) -> None:
        """Answer."""
        self._answer(wants_body=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server calls
        """Write a line about a request, if wanted."""
        if self.server.access_log:
            super().log_message(format, *args)

    def _answer(self, *, wants_body: bool) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path)
        page = self.server.site.page(path, parse_qs(address.query))
        if page is None:
            page = self.server.site.nothing_here(path)
            headers = {"Content-Type": page.content_type}
            self._send(HTTPStatus.NOT_FOUND, page.body, headers, wants_body=wants_body)
            return
        headers = {
            "Content-Type": page.content_type,
            "ETag": page.etag,
            "Last-Modified": format_datetime(page.last_modified, usegmt=True),
            "Accept-Ranges": "bytes",
        }
        size = len(page.body)
        if self._is_unchanged(page):
            self._send(HTTPStatus.NOT_MODIFIED, b"", headers, wants_body=False)
            return
        span = self._span(page)
        if span is None:
            self._send(HTTPStatus.OK, page.body, headers, wants_body=wants_body)
        elif span.start >= size:
            headers["Content-Range"] = f"bytes */{size}"
            self._send(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", headers, wants_body=False)
        else:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
            part = page.body[span.start : span.stop]
            self._send(HTTPStatus.PARTIAL_CONTENT, part, headers, wants_body=wants_body)

    def _is_unchanged(self, page: Page) -> bool:
        known = self.headers.get("If-None-Match")
        if known is not None:
            tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
            return page.etag in tags or "*" in tags
        since = _moment(self.headers.get("If-Modified-Since"))
        return since is not None and page.last_modified <= since

    def _span(self, page: Page) -> range | None:
        """The part of the body to send; None for all of it, which several ranges at once get as well."""
        # RFC 9110 defines ranges for GET alone.
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "").strip(), re.ASCII)
        condition = self.headers.get("If-Range")
        if self.command != "GET" or not match or not (match[1] or match[2]):
            return None
        if condition is not None and condition != page.etag and _moment(condition) != page.last_modified:
            return None
        size = len(page.body)
        if not match[1]:
            length = int(match[2])
            return range(max(size - length, 0), size) if length else range(size, size)
        first, last = int(match[1]), int(match[2] or size)
        return None if last < first else range(first, min(last + 1, size))

    def _send(self, status: HTTPStatus, content: bytes, headers: Mapping[str, str], *, wants_body: bool) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if wants_body:
            self.wfile.write(content)


def _moment(text: str | None) -> datetime | None:
    """The time in an HTTP header, or None when it is none."""
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
