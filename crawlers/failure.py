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

from crawlers.fault import CrawlError
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


class RefusedError(IgnoreRequest):  # type: ignore[misc]
    """A request that is not to be sent: forbidden by robots.txt, or to an address outside the allowed domains.

    Args:
        message: Why, and what to do.
        transient: Whether it may be allowed later though nobody did anything: robots.txt could not be read just now.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


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


def explain(error: BaseException, url: str) -> CrawlError:
    """What happened to a request, and what to do about it.

    Args:
        error: What was raised.
        url: The address that was asked for.

    Returns:
        The error for the day; its message lacks a subject, to be put after "Source … for <day>:".
    """
    text = next(text for kinds, text in _EXPLANATIONS if isinstance(error, kinds))
    server = urlsplit(url).netloc.rpartition("@")[2]
    message = text.format(url=url, server=server, kind=type(error).__name__, error=str(error) or type(error).__name__)
    if isinstance(error, CrawlError | RefusedError):
        return CrawlError(message, transient=error.transient)
    # A full disk is emptied by others, too.
    return CrawlError(message, transient=isinstance(error, (*TEMPORARY, OSError)))


def explain_status(status: int, url: str, *, attempts: int) -> CrawlError:
    """What an unwelcome HTTP status means, and what to do about it."""
    if status in TEMPORARY_STATUSES:
        text = f"{url} answered {status} on {attempts} attempts; the server is in trouble: try later."
        return CrawlError(text, transient=True)
    if status in {401, 403, 407}:
        text = f"{url} refuses access ({status}); check the credentials in the variable that crawl.start names."
    elif status in {404, 410}:
        text = f"{url} is listed but missing ({status}); check the listing, or tighten crawl.follow."
    else:
        text = f"{url} answered {status}; only 200 is understood here: check the address."
    # Other faults of a server than the usual ones are not tried again at once, and yet are the server's.
    return CrawlError(text, transient=status >= 500)
