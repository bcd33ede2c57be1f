"""The folder of day files as a web site on loopback, with an index page that links every file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Site:
    """A site that is being served.

    Attributes:
        url: Its address, without a slash at the end.
        served: Path and status of every request answered so far, in order.
    """

    url: str
    served: list[tuple[str, int]] = field(default_factory=list)

    def files(self, status: int) -> list[str]:
        """Paths of the day files that were answered with a status."""
        return [path for path, answered in self.served if answered == status and path.endswith(".csv.gz")]


class _Handler(SimpleHTTPRequestHandler):
    """Folder listings, files, and 304 for what has not changed since: the standard library's, kept alive and quiet."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args: object, site: Site, **kwargs: object) -> None:
        self._site = site
        super().__init__(*args, **kwargs)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del size
        self._site.served.append((self.path, int(code)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def _listening(port: int, handler: Callable[..., _Handler]) -> _Server:
    try:
        return _Server(("127.0.0.1", port), handler)
    except OSError:
        return _Server(("127.0.0.1", 0), handler)


@contextmanager
def serve(folder: Path, *, port: int = 0) -> Iterator[Site]:
    """Serve a folder until the block ends.

    Args:
        folder: Of the files.
        port: Where, when it is free; else at any free port. A crawl asks only the very same address what has changed.
    """
    site = Site("")
    with _listening(port, partial(_Handler, directory=str(folder), site=site)) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, name="online-retail", daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
