"""What went wrong in a crawl, in words that say what to do."""

from urllib.parse import urlsplit

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from twisted.internet.error import ConnectError, ConnectionClosed

from crawlers.transfer import BrokenTransferError, TooLargeError

TEMPORARY = (
    BrokenTransferError,
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    ConnectError,
    ConnectionClosed,
)
"""Faults that another attempt may not meet."""

TEMPORARY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 522, 524})


class CrawlError(Exception):
    """A day cannot be crawled; the message says why and what to do. Addresses in it are yet to be made showable."""


class RefusedError(IgnoreRequest):  # type: ignore[misc]
    """A request that is not to be sent: forbidden by robots.txt, or to an address outside the allowed domains."""


_EXPLANATIONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((CrawlError, RefusedError), "{error}"),
    (
        (TooLargeError,),
        "{url} {error}; raise crawl.limits.max_file_bytes if files this large are expected.",
    ),
    (
        (BrokenTransferError, ResponseDataLossError),
        "{url} could not be fetched whole: {error}; run again to go on from there.",
    ),
    (
        (DownloadConnectionRefusedError, ConnectError),
        "{server} refuses connections ({url}); check that the server is up and the address right.",
    ),
    (
        (CannotResolveHostError,),
        "the name of {server} cannot be resolved ({url}); check the address and the network.",
    ),
    (
        (DownloadTimeoutError,),
        "{url} did not answer in time ({error}); try later, or raise crawl.limits (timeout_seconds, max_file_seconds).",
    ),
    (
        (DownloadCancelledError,),
        "{url} was refused: a listing of more than 32 MiB is no listing; check crawl.start.",
    ),
    (
        (DownloadFailedError, ConnectionClosed),
        "{server} closed the connection before it had answered {url}; try later.",
    ),
    (
        (IgnoreRequest,),
        "{url} redirects too often ({error}); check the address, or raise crawl.limits.max_redirects.",
    ),
    ((OSError,), "{url} could not be written to disk: {error}; free some space and run again."),
    ((BaseException,), "{url} failed unexpectedly with {kind}: {error}"),
)


def explain(error: BaseException, url: str) -> str:
    """Say what happened to a request, and what to do about it.

    Args:
        error: What was raised.
        url: The address that was asked for.

    Returns:
        A sentence without its subject, to be put after "Source … for <day>:".
    """
    text = next(text for kinds, text in _EXPLANATIONS if isinstance(error, kinds))
    server = urlsplit(url).netloc.rpartition("@")[2]
    return text.format(url=url, server=server, kind=type(error).__name__, error=str(error) or type(error).__name__)


def explain_status(status: int, url: str, *, attempts: int) -> str:
    """Say what an unwelcome HTTP status means, and what to do about it."""
    if status in TEMPORARY_STATUSES:
        return f"{url} answered {status} on {attempts} attempts; the server is in trouble: try later."
    if status in {401, 403, 407}:
        return f"{url} refuses access ({status}); check the credentials in the variable that crawl.start names."
    if status in {404, 410}:
        return f"{url} is listed but missing ({status}); try later, or tighten crawl.follow."
    return f"{url} answered {status}; only 200 is understood here: check the address."
