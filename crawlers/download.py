"""A Scrapy download handler that streams files to disk: memory does not grow with the file.

Scrapy collects every body in memory. Requests that carry a transfer (`meta["transfer"]`) are fetched here straight
from Twisted's agent to the partial file; all others go the usual way. `ScrapyAgent` is private to Scrapy: it is used
for its choice of proxy, TLS policy and connection pool, and pinned by a characterisation test.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.core.downloader.handlers.http11 import _ScrapyAgent as ScrapyAgent
from scrapy.exceptions import DownloadTimeoutError, ResponseDataLossError
from scrapy.http import Response
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH

from crawlers.tally import Tally
from crawlers.transfer import BrokenTransferError, Transfer

# Answers other than files are short; what is longer is not worth keeping the connection for.
_LONGEST_ANSWER = 64 * 1024


class StreamingDownloadHandler(HTTP11DownloadHandler):  # type: ignore[misc]
    """Fetches files to disk, and everything else as Scrapy does; counts both."""

    async def download_request(self, request: Request) -> Response:
        """Answer a request; a streamed body is on disk, and the response's own body empty."""
        tally: Tally | None = request.meta.get("tally")
        transfer: Transfer | None = request.meta.get("transfer")
        if tally is not None:
            tally.requests += 1
        if transfer is None:
            response = await super().download_request(request)
            if tally is not None:
                tally.bytes += len(response.body)
        else:
            try:
                with wrap_twisted_exceptions():
                    response = await self._stream(request, transfer, tally or Tally())
            finally:
                transfer.close()
        if tally is not None:
            tally.answered(response.status)
        return response

    async def _stream(self, request: Request, transfer: Transfer, tally: Tally) -> Response:
        timeout: float = request.meta["download_timeout"]
        agent = ScrapyAgent(contextFactory=self._contextFactory, pool=self._pool, crawler=self._crawler)
        headers = Headers(request.headers)
        for name, value in transfer.request_headers().items():
            headers.setRawHeaders(name, [value])
        began = monotonic()
        asked = agent._get_agent(request, timeout).request(b"GET", request.url.encode("ascii"), headers, None)  # noqa: SLF001
        answer = await maybe_deferred_to_future(_within(asked, timeout))
        request.meta["download_latency"] = monotonic() - began
        status = int(answer.code)
        fields = {name.decode("latin-1").lower(): values[-1].decode("latin-1") for name, values in _raw_headers(answer)}
        length = None if answer.length == UNKNOWN_LENGTH else int(answer.length)
        if length is not None and answer.length != 0:
            fields["content-length"] = str(length)
        try:
            if status in {200, 206}:
                transfer.begin(status, fields, length)
        except Exception:
            _abort(answer)
            raise

        def keep(data: bytes) -> None:
            tally.bytes += len(data)
            transfer.write(data)

        if length == 0:
            # Twisted never ends a body that it knows to be empty.
            received = 0
        else:
            body = _Body(answer, keep if status in {200, 206} else None, timeout, transfer)
            answer.deliverBody(body)
            received = await maybe_deferred_to_future(body.finished)
        if status in {200, 206}:
            transfer.finish()
        elif status == 416:
            transfer.restart()
            raise BrokenTransferError(f"the server refused to go on after {received} bytes")
        # The encoding is on record in the transfer: here it would make Scrapy decode a body that is on disk. Values
        # stay bytes: a redirect's Location may hold raw UTF-8, which another round of encoding would spoil.
        kept = {name: values for name, values in _raw_headers(answer) if name.lower() != b"content-encoding"}
        return Response(request.url, status=status, headers=kept)


class _Body(Protocol):  # type: ignore[misc]
    """Receives a body piece by piece, within bounds of silence and of total time."""

    def __init__(self, answer: Any, keep: Callable[[bytes], None] | None, silence: float, transfer: Transfer) -> None:
        from twisted.internet import reactor  # importing it installs it

        self.finished: Deferred[int] = Deferred(lambda _: self._stop())
        self._answer = answer
        self._keep = keep
        self._silence = silence
        self._received = 0
        late = f"nothing arrived for {silence:g} seconds"
        self._quiet = reactor.callLater(silence, self._fail, DownloadTimeoutError(late))
        slow = f"still incomplete after {transfer.max_seconds:g} seconds, crawl.limits.max_file_seconds"
        self._deadline = reactor.callLater(max(0.0, transfer.seconds_left), self._fail, DownloadTimeoutError(slow))

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        if self.finished.called:
            return
        self._received += len(data)
        self._quiet.reset(self._silence)
        if self._keep is None:
            if self._received > _LONGEST_ANSWER:
                self._stop()
                self.finished.callback(self._received)
            return
        try:
            self._keep(data)
        except Exception as error:  # noqa: BLE001 - too large, or the disk is full: both end the transfer
            self._fail(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        self._cancel_timers()
        if self.finished.called:
            return
        # A body without a declared length ends with the connection: there is no more to be known.
        if reason.check(ResponseDone, PotentialDataLoss) or (self._keep is None and reason.check(ResponseFailed)):
            self.finished.callback(self._received)
        elif reason.check(ResponseFailed):
            self.finished.errback(ResponseDataLossError("the connection was cut within the body"))
        else:
            self.finished.errback(reason)

    def _fail(self, error: Exception) -> None:
        self._stop()
        if not self.finished.called:
            self.finished.errback(error)

    def _stop(self) -> None:
        self._cancel_timers()
        _abort(self._answer)

    def _cancel_timers(self) -> None:
        for timer in (self._quiet, self._deadline):
            if timer.active():
                timer.cancel()


def _within(asked: Deferred[Any], seconds: float) -> Deferred[Any]:
    from twisted.internet import reactor  # importing it installs it

    def complain(_: Any, after: float) -> Any:
        raise DownloadTimeoutError(f"no answer within {after:g} seconds")

    return asked.addTimeout(seconds, reactor, complain)


def _raw_headers(answer: Any) -> list[tuple[bytes, list[bytes]]]:
    return list(answer.headers.getAllRawHeaders())


def _abort(answer: Any) -> None:
    # As Scrapy ends a body that it does not want: closing gracefully would wait for the rest of it. There is no
    # connection any more when the whole answer came in one piece.
    connection = answer._transport._producer  # noqa: SLF001
    if connection is not None:
        connection.abortConnection()
