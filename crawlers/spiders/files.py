"""The `files` kind: a start page links to the day's files, perhaps through further listings."""

import asyncio
import datetime as dt
from typing import Any

from scrapy import Request
from scrapy.http import Response

from crawlers.address import compile_pattern
from crawlers.failure import CrawlError, explain, explain_status
from crawlers.landing import LandedFile
from crawlers.listing import Listing, read_listing
from crawlers.spiders.days import DayCrawl, DaySpider
from crawlers.tally import Tally
from crawlers.transfer import Transfer

_ENOUGH_FAILURES = 5


class FilesSpider(DaySpider):
    """Follows the links of listings that match the declared pattern, and lands what they lead to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Days that share a start page read it once.
        self._listings: dict[str, asyncio.Future[Listing | None]] = {}
        self._room = asyncio.Semaphore(2 * self.spec.crawl.politeness.concurrency)

    async def crawl_day(self, crawl: DayCrawl) -> list[LandedFile]:
        """Land every file that the day's listings link to."""
        urls = await self._find(crawl)
        bound = self.spec.crawl.limits.max_files
        if len(urls) > bound:
            raise CrawlError(
                f"{len(urls):,} links match crawl.follow, more than crawl.limits.max_files ({bound:,}); "
                f"tighten the pattern, or raise the limit."
            )
        crawl.tally.expected = len(urls)
        return await self._fetch_all(urls, crawl)

    async def _find(self, crawl: DayCrawl) -> list[str]:
        start = self.site.start(crawl.day)
        follow = compile_pattern(self.spec.crawl.follow, crawl.day)
        further = compile_pattern(self.spec.crawl.listings, crawl.day) if self.spec.crawl.listings else None
        found: dict[str, None] = {}
        seen, level = {start}, [start]
        for _ in range(self.spec.crawl.limits.max_depth):
            listings = await asyncio.gather(*(self._listing(url, crawl, is_start=url == start) for url in level))
            level = []
            for listing in listings:
                for link in listing.links if listing else ():
                    if follow.search(link):
                        found[link] = None
                    elif link not in seen and (link in listing.sitemaps or (further and further.search(link))):
                        seen.add(link)
                        level.append(link)
            if not level:
                return self._within_boundary(found)
        raise CrawlError(
            f"listings lead on beyond crawl.limits.max_depth, to {level[0]} for one; raise it, or tighten "
            f"crawl.listings."
        )

    def _within_boundary(self, found: dict[str, None]) -> list[str]:
        outside = [url for url in found if not self.boundary.allows(url)]
        if outside:
            raise CrawlError(
                f"{len(outside)} links match crawl.follow but lie outside the allowed domains ({self.boundary}), "
                f"{outside[0]} for one; add the host to crawl.allowed_domains, or tighten crawl.follow."
            )
        return list(found)

    async def _listing(self, url: str, crawl: DayCrawl, *, is_start: bool) -> Listing:
        if url not in self._listings:
            self._listings[url] = asyncio.ensure_future(self._read(url, crawl.tally))
        listing = await asyncio.shield(self._listings[url])
        if listing is not None:
            return listing
        if not is_start:
            raise CrawlError(explain_status(404, url, attempts=1))
        if self.spec.crawl.missing == "empty":
            return Listing(())
        raise CrawlError(
            f"the start page {url} is missing (404); check the address, "
            f"or set crawl.missing: empty if the site may have nothing for a day."
        )

    async def _read(self, url: str, tally: Tally) -> Listing | None:
        response = await self._ask(Request(url, meta={"tally": tally}))
        if response.status in {404, 410}:
            return None
        if response.status != 200:
            raise CrawlError(explain_status(response.status, url, attempts=_attempts(response)))
        return read_listing(response)

    async def _ask(self, request: Request) -> Response:
        try:
            return await self.crawler.engine.download_async(request)
        except Exception as error:
            raise CrawlError(explain(error, request.url)) from error

    async def _fetch_all(self, urls: list[str], crawl: DayCrawl) -> list[LandedFile]:
        tasks = [asyncio.ensure_future(self._fetch(url, crawl)) for url in urls]
        failures: list[CrawlError] = []
        try:
            for task in asyncio.as_completed(tasks):
                try:
                    await task
                except CrawlError as error:
                    failures.append(error)
                    # A server that fails this often fails for all: leave it alone, and the other files for later.
                    if len(failures) >= _ENOUGH_FAILURES:
                        break
        finally:
            for pending in tasks:
                pending.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if failures:
            landed = f"; the {crawl.tally.files} that landed are kept" if crawl.tally.files else ""
            raise CrawlError(f"{len(failures)} of {len(urls)} files failed{landed}: {failures[0]}")
        return [task.result() for task in tasks]

    async def _fetch(self, url: str, crawl: DayCrawl) -> LandedFile:
        async with self._room:
            file = await self._fetch_one(url, crawl)
        crawl.tally.files += 1
        return file

    async def _fetch_one(self, url: str, crawl: DayCrawl) -> LandedFile:
        landing, limits, shown = crawl.landing, self.spec.crawl.limits, self.site.show(url)
        if (kept := landing.continued.get(shown)) is not None:
            crawl.tally.continued += 1
            return kept
        known = landing.known(shown)
        transfer = Transfer(
            landing.partial(shown),
            known=known,
            max_bytes=limits.max_file_bytes,
            max_seconds=limits.max_file_seconds,
        )
        await asyncio.to_thread(transfer.recover)
        meta = {"tally": crawl.tally, "transfer": transfer, "download_timeout": limits.timeout_seconds}
        response = await self._ask(Request(url, meta=meta))
        if response.status == 304 and known is not None:
            crawl.tally.unchanged += 1
            return known.model_copy(update={"unchanged": True})
        if response.status not in {200, 206}:
            raise CrawlError(explain_status(response.status, url, attempts=_attempts(response)))
        await asyncio.to_thread(transfer.flush_to_disk)
        file = landing.land(transfer.path, transfer.landed(shown, dt.datetime.now(dt.UTC)))
        crawl.tally.unchanged += file.unchanged
        return file


def _attempts(response: Response) -> int:
    return int(response.request.meta.get("tried", 0)) + 1
