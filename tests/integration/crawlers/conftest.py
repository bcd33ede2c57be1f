"""A web site on loopback that behaves as told, well or badly, and crawls of it in processes of their own."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

Page = Callable[["Handler"], None]


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    at: float


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self):
        site = self.server.site
        with site.lock:
            site.asked.append(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, time.monotonic()))
        page = site.pages.get(self.path)
        with suppress(ConnectionError):
            if page is None:
                self.answer(404, b"not here")
            else:
                page(self)

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self):
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(2)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    site: "Site"

    def handle_error(self, *_):
        pass


@dataclass
class Site:
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def paths(self):
        with self.lock:
            return Counter(request.path for request in self.asked)

    def requests(self, path):
        with self.lock:
            return [request for request in self.asked if request.path == path]

    def forget(self):
        with self.lock:
            self.asked.clear()


def index(*links):
    body = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    return page(f"<html><body><ul>{body}</ul></body></html>".encode(), Content_Type="text/html; charset=utf-8")


def page(body, status=200, **headers):
    return lambda handler: handler.answer(status, body, **headers)


def stored(body, *, before=lambda _handler: None):
    """A file as a good server has it: ETag, If-None-Match, Range with If-Range."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'

    def respond(handler):
        before(handler)
        if handler.headers.get("If-None-Match") == etag:
            handler.answer(304, ETag=etag)
            return
        wanted = handler.headers.get("Range")
        if wanted and handler.headers.get("If-Range", etag) == etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                handler.answer(416, b"", Content_Range=f"bytes */{len(body)}")
                return
            handler.answer(206, body[start:], ETag=etag, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
            return
        handler.answer(200, body, ETag=etag, Content_Type="application/gzip")

    return respond


def cutting(body, pieces, *, etag='"v1"', ranges=True):
    """Cuts every answer after so many bytes, with the honest length declared."""

    def respond(handler):
        wanted = handler.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and ranges else 0
        headers = {"ETag": etag} if etag else {}
        if start:
            headers["Content_Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        piece = body[start : start + pieces]
        handler.answer(206 if start else 200, piece, Content_Length=str(len(body) - start), **headers)
        if start + pieces < len(body):
            handler.cut()

    return respond


def failing(status, times, then, **headers):
    left = [times]

    def respond(handler):
        if left[0] > 0:
            left[0] -= 1
            handler.answer(status, b"sorry", **headers)
        else:
            then(handler)

    return respond


def hanging(handler):
    handler.server.site.closing.wait(30)
    handler.close_connection = True


def redirecting(to, status=302):
    return lambda handler: handler.answer(status, b"", Location=to)


@pytest.fixture(scope="session")
def make():
    """The pages a site can have, by name."""
    return {f.__name__: f for f in (index, page, stored, cutting, failing, hanging, redirecting)}


@pytest.fixture(scope="module")
def new_site() -> Iterator[Callable[..., Site]]:
    sites = []

    def start(pages=None):
        site = Site(pages=dict(pages or {}))
        server = Server(("127.0.0.1", 0), Handler)
        server.site = site
        site.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        sites.append((site, server))
        return site

    yield start
    for site, server in sites:
        site.closing.set()
        server.shutdown()
        server.server_close()


@dataclass
class Crawl:
    """Starts crawls of one lake."""

    lake: Path

    def request(self, days, **crawl):
        crawl = {"kind": "files", "start": "${SITE}/{date}/", "follow": r"part-\d+"} | crawl
        crawl["limits"] = {"retries": 2, "backoff_seconds": 0.05, "timeout_seconds": 5} | crawl.get("limits", {})
        spec = {
            "name": "shop",
            "crawl": crawl,
            "format": {"kind": "jsonl"},
            "contract": {"columns": {"a": {"type": "string"}}},
        }
        path = self.lake / f"request-{time.monotonic_ns()}.json"
        path.write_text(json.dumps({"spec": spec, "days": days, "root": str(self.lake)}))
        return path

    def start(self, address, days, *, largest_file_kib="unlimited", **crawl):
        env = {k: v for k, v in os.environ.items() if not k.startswith("DAGSTER_PIPES")}
        return subprocess.Popen(
            [
                *("sh", "-c", f'ulimit -f {largest_file_kib}; exec "$@"', "sh"),
                *(sys.executable, "-m", "crawlers", "--request", str(self.request(days, **crawl))),
            ],
            env=env | {"SITE": address},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process, timeout=180):
        """The messages by day, and the process's standard error."""
        out, err = process.communicate(timeout=timeout)
        assert process.returncode == 0, err
        messages = [json.loads(line) for line in out.splitlines()]
        days = {message["day"]: message for message in messages}
        assert len(days) == len(messages), "a day was reported twice"
        return days, err

    def __call__(self, address, days, **crawl):
        return self.finish(self.start(address, days, **crawl))

    def folder(self, day):
        return self.lake / "landing" / "shop" / day

    def landed(self, day):
        """The landed bytes by address."""
        manifest = json.loads((self.folder(day) / "manifest.json").read_text())
        return {file["url"]: (self.folder(day) / file["path"]).read_bytes() for file in manifest["files"]}


@pytest.fixture
def crawl(tmp_path):
    return Crawl(tmp_path)


@pytest.fixture(scope="module")
def module_crawl(tmp_path_factory):
    return Crawl(tmp_path_factory.mktemp("lake"))
