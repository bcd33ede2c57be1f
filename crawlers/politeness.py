"""Manners of a crawl, as Scrapy downloader middlewares: stay within bounds, obey robots.txt, back off when asked to."""

import asyncio
import codecs
import datetime as dt
import email.utils
import random
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawlers.address import has_credentials
from crawlers.crawl import SiteCrawl
from crawlers.failure import TEMPORARY, TEMPORARY_STATUSES, RefusedError, explain

_LONGEST_PAUSE = 60.0


class BoundaryMiddleware:
    """Refuses every request to an address outside the allowed domains; redirects come through here, too."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make one for a crawler."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Refuse the request, or let it pass; add the credentials that belong to its origin."""
        spider = self._crawler.spider
        if not spider.boundary.allows(request.url):
            came_from = request.meta.get("redirect_urls")
            how = f"{came_from[-1]} redirects to {request.url}, which" if came_from else request.url
            raise RefusedError(
                f"{how} lies outside the allowed domains ({spider.boundary}); "
                f"add its host to crawl.allowed_domains if it may be asked."
            )
        if has_credentials(request.url):
            came_from = request.meta.get("redirect_urls")
            how = f"{came_from[-1]} redirects to {request.url}, which holds" if came_from else f"{request.url} holds"
            raise RefusedError(
                f"{how} a user or password (not shown), and is refused; credentials come from the variable that "
                f"crawl.start names, and go to that site alone."
            )
        if spider.site.authorization and spider.site.same_origin(request.url):
            request.headers["Authorization"] = spider.site.authorization


class RobotsMiddleware:
    """Obeys robots.txt (RFC 9309): missing allows all, unreachable forbids all; keeps to Crawl-delay."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._rules: dict[str, asyncio.Future[Protego]] = {}
        self._next: dict[str, float] = {}
        self._agent: str = crawler.settings["USER_AGENT"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make one for a crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Refuse the request, or let it pass when its turn has come."""
        if request.meta.get("is_robots"):
            return
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            self._rules[origin] = asyncio.ensure_future(self._fetch(f"{origin}/robots.txt", request))
        # Shielded: one day that is given up must not take the rules from the others.
        rules = await asyncio.shield(self._rules[origin])
        if not rules.can_fetch(request.url, self._agent):
            raise RefusedError(
                f"robots.txt of {parts.netloc} forbids {request.url} to {self._agent!r}; ask its owner, "
                f"or set crawl.politeness.obey_robots: false if you have their permission."
            )
        await self._wait_for_turn(origin, rules.crawl_delay(self._agent))

    async def _fetch(self, url: str, request: Request) -> Protego:
        meta = {key: request.meta[key] for key in ("tally", "download_timeout") if key in request.meta}
        try:
            response = await self._crawler.engine.download_async(Request(url, meta={**meta, "is_robots": True}))
        except Exception as error:
            # As a refusal it is final: the request that waits for the rules is not tried again for the same fault.
            fault = explain(error, url)
            raise RefusedError(str(fault), transient=fault.transient) from error
        if response.status in TEMPORARY_STATUSES or response.status >= 500:
            raise RefusedError(
                f"{url} answered {response.status}, and without its rules nothing may be asked: try later.",
                transient=True,
            )
        readable = response.status < 300 and isinstance(response.body, bytes)
        return Protego.parse(robots_text(response.body) if readable else "")

    async def _wait_for_turn(self, origin: str, delay: float | None) -> None:
        if not delay:
            return
        now = monotonic()
        turn = max(now, self._next.get(origin, now))
        self._next[origin] = turn + min(float(delay), _LONGEST_PAUSE)
        await asyncio.sleep(turn - now)


class BackoffMiddleware:
    """Tries again after temporary faults, later each time; Retry-After holds back every request to its host."""

    def __init__(self, crawler: Crawler, crawl: SiteCrawl, chance: random.Random) -> None:
        self._crawler = crawler
        self._crawl = crawl
        self._chance = chance
        self._not_before: dict[str, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make one for a crawler."""
        spider = crawler.spider
        return cls(crawler, spider.spec.crawl, random.Random(spider.name))  # noqa: S311 - spreads retries, no secret

    async def process_request(self, request: Request) -> None:
        """Hold the request back while its host has asked for a pause."""
        pause = self._not_before.get(urlsplit(request.url).netloc, 0) - monotonic()
        if pause > 0:
            await asyncio.sleep(pause)

    async def process_response(self, request: Request, response: Response) -> Response | Request:
        """Try again after a temporary status."""
        if response.status not in TEMPORARY_STATUSES:
            return response
        asked = _seconds(response.headers.get("Retry-After"), dt.datetime.now(dt.UTC))
        if asked is not None:
            longest = self._crawl.politeness.max_retry_after
            if asked > longest:
                raise RefusedError(
                    f"{request.url} answered {response.status} and asks to come back in {asked:g} seconds, "
                    f"more than crawl.politeness.max_retry_after ({longest:g}): try later.",
                    transient=True,
                )
            host = urlsplit(request.url).netloc
            self._not_before[host] = max(self._not_before.get(host, 0), monotonic() + asked)
        return await self._again(request) or response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Try again after a temporary fault."""
        return await self._again(request) if isinstance(exception, TEMPORARY) else None

    async def _again(self, request: Request) -> Request | None:
        transfer = request.meta.get("transfer")
        tried = request.meta.get("tried", 0)
        # An attempt that brought the file further is progress, whatever ended it.
        if transfer is None or not transfer.advanced():
            tried += 1
        if tried > self._crawl.limits.retries or (transfer is not None and transfer.seconds_left <= 0):
            return None
        if (tally := request.meta.get("tally")) is not None:
            tally.retries += 1
        pause = min(self._crawl.limits.backoff_seconds * 2 ** max(tried - 1, 0), _LONGEST_PAUSE)
        await asyncio.sleep(pause * self._chance.uniform(0.75, 1.25))
        again = request.copy()
        again.meta["tried"] = tried
        return again


def robots_text(body: bytes) -> str:
    """The text of a robots.txt: UTF-8 as RFC 9309 has it, with or without a byte-order mark, or UTF-16 in spite of it.

    >>> robots_text("User-agent: *".encode("utf-16")) == robots_text(b"User-agent: *")
    True
    """
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    for mark, encoding in marks:
        if body.startswith(mark):
            return body.decode(encoding, errors="replace")
    # Rules are ASCII for the most part: in UTF-16 every other byte is zero, and which one says the byte order.
    if b"\0" in body[:2]:
        return body.decode("utf-16-be" if body[:1] == b"\0" else "utf-16-le", errors="replace")
    return body.decode("utf-8", errors="replace")


def _seconds(value: bytes | None, now: dt.datetime) -> float | None:
    """The pause that a Retry-After header asks for: a number of seconds, or a date."""
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if text.isdigit():
        return float(text)
    try:
        date = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=dt.UTC)
    return max(0.0, (date - now).total_seconds())


def settings(crawl: SiteCrawl) -> dict[str, Any]:
    """Scrapy's settings for a crawl: what it declares, and nothing that a data crawl has no use for."""
    politeness, limits = crawl.politeness, crawl.limits
    middlewares: dict[str, int | None] = {
        "crawlers.politeness.BoundaryMiddleware": 50,
        "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
        "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
        "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
        "crawlers.politeness.BackoffMiddleware": 550,
    }
    if politeness.obey_robots:
        middlewares["crawlers.politeness.RobotsMiddleware"] = 100
    return {
        "AUTOTHROTTLE_ENABLED": True,
        "AUTOTHROTTLE_START_DELAY": politeness.delay,
        "AUTOTHROTTLE_MAX_DELAY": max(_LONGEST_PAUSE, politeness.delay),
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(politeness.concurrency),
        "CONCURRENT_REQUESTS": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": politeness.concurrency,
        "COOKIES_ENABLED": False,
        "DOWNLOADER_MIDDLEWARES": middlewares,
        "DOWNLOAD_DELAY": politeness.delay,
        "DOWNLOAD_HANDLERS": {
            "http": "crawlers.download.StreamingDownloadHandler",
            "https": "crawlers.download.StreamingDownloadHandler",
            "data": None,
            "file": None,
            "ftp": None,
            "s3": None,
        },
        "DOWNLOAD_MAXSIZE": 32 * 1024**2,
        "DOWNLOAD_TIMEOUT": limits.timeout_seconds,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_WARNSIZE": 0,
        "EXTENSIONS": {"scrapy.extensions.logstats.LogStats": None},
        "LOG_INSTALL_ROOT_HANDLER": False,
        "MEMUSAGE_ENABLED": False,
        "METAREFRESH_ENABLED": False,
        "REDIRECT_MAX_TIMES": limits.max_redirects,
        "REMOTE_CONTROL_ENABLED": False,
        "STATS_DUMP": False,
        "TELNETCONSOLE_ENABLED": False,
        "USER_AGENT": politeness.user_agent,
    }
