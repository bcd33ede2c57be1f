"""The `files` kind: a start page links to the day's files, perhaps through further listings."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scrapy import Request
from scrapy.http import Response

from crawlers.address import canonical, compile_pattern, has_credentials, spellings
from crawlers.days import DayCrawl
from crawlers.failure import explain, explain_status
from crawlers.fault import CrawlError
from crawlers.kinds.files import FilesCrawl
from crawlers.landing import LandedFile
from crawlers.listing import Listing, UnreadableListingError, read_listing
from crawlers.spiders.days import DaySpider
from crawlers.tally import Tally
from crawlers.transfer import Transfer

_ENOUGH_FAILURES = 5
_EXAMPLES = 3


class FilesSpider(DaySpider[FilesCrawl]):
    """Follows the links of listings that match the declared pattern, and lands what they lead to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Days that share a start page read it once.
        self._listings: dict[str, asyncio.Future[Listing | None]] = {}
        self._room = asyncio.Semaphore(2 * self.declared.politeness.concurrency)

    async def crawl_day(self, crawl: DayCrawl) -> list[LandedFile]:
        """Land every file that the day's listings link to."""
        found = await self._find(crawl)
        bound = self.declared.limits.max_files
        if len(found) > bound:
            raise CrawlError(
                f"{len(found):,} links match crawl.follow, more than crawl.limits.max_files ({bound:,}); "
                f"tighten the pattern, or raise the limit."
            )
        crawl.tally.expected = len(found)
        return await self._fetch_all(found, crawl)

    async def _find(self, crawl: DayCrawl) -> dict[str, _Link]:
        """The links to fetch, by the one spelling of their address."""
        start = self.site.start(crawl.day)
        follow = compile_pattern(self.declared.follow, crawl.day)
        further = compile_pattern(self.declared.listings, crawl.day) if self.declared.listings else None
        found: dict[str, _Link] = {}
        read: dict[str, Listing] = {}
        seen, level = {canonical(start)}, [start]
        for _ in range(self.declared.limits.max_depth):
            listings = await asyncio.gather(*(self._listing(url, crawl, is_start=url == start) for url in level))
            listed, level = dict(zip(level, listings, strict=True)), []
            read |= listed
            for address, listing in listed.items():
                self._tell_left_out(listing, address, (follow, further), crawl)
                for link in listing.links:
                    one = canonical(link)
                    if link in listing.sitemaps or not _matches(follow, link):
                        if one not in seen and (link in listing.sitemaps or (further and _matches(further, link))):
                            seen.add(one)
                            level.append(link)
                    elif one not in found:
                        found[one] = _Link(link, address)
            if not level:
                self._check_losses(read, found, crawl)
                self._check_listings(read, start)
                self._check_addresses(found)
                if not found and self.declared.missing != "empty":
                    raise CrawlError(self._nothing(start, read, follow))
                return found
        raise CrawlError(
            f"listings lead on beyond crawl.limits.max_depth, to {level[0]} for one; raise it, or tighten "
            f"crawl.listings."
        )

    def _nothing(self, start: str, read: Mapping[str, Listing], follow: re.Pattern[str]) -> str:
        links = list(dict.fromkeys(link for listing in read.values() for link in listing.links))
        advice = "or set crawl.missing: empty if the site may have nothing for a day."
        if not links:
            return (
                f"the start page {start} was answered ({read[start].what}), but links to nothing at all: an error or a "
                f"maintenance page? Look at it, {advice}"
            )
        others = f" and {len(links) - _EXAMPLES} more" if len(links) > _EXAMPLES else ""
        return (
            f"none of the {len(links)} links found from {start} matches crawl.follow ({follow.pattern}); they are "
            f"{', '.join(links[:_EXAMPLES])}{others}. Check the pattern and the page, {advice}"
        )

    def _check_listings(self, read: Mapping[str, Listing], start: str) -> None:
        """Refuse a further listing that links to nothing: what it should have listed would be missed in silence.

        Raises:
            CrawlError: There is one, and the declaration does not allow emptiness.
        """
        if self.declared.missing == "empty":
            return
        for address, listing in read.items():
            if address != start and not listing.links:
                raise CrawlError(
                    f"the listing {address} was answered ({listing.what}), but links to nothing at all: an error or a "
                    f"maintenance page? Look at it, or set crawl.missing: empty if listings may be empty."
                )

    @staticmethod
    def _check_losses(read: Mapping[str, Listing], found: Mapping[str, _Link], crawl: DayCrawl) -> None:
        """Refuse a listing that links to none of what it linked to when the day was last crawled.

        Raises:
            CrawlError: There is one. Whether the declaration allows empty days makes no difference: this is a loss.
        """
        before = crawl.landing.previous
        if before is None or before.origin != crawl.landing.origin:
            return
        productive = {link.listing for link in found.values()}
        for address in read.keys() - productive:
            lost = [file for file in before.files if file.listed_in == crawl.show(address)]
            if lost:
                raise CrawlError(
                    f"the listing {address} linked to {len(lost)} files when the day was crawled on "
                    f"{before.finished_at:%Y-%m-%d %H:%M} UTC, and links to none now; what landed stands. If they are "
                    f"rightly gone, delete {crawl.landing.place} and run again."
                )

    def _check_addresses(self, found: Mapping[str, _Link]) -> None:
        secret = [link.url for link in found.values() if has_credentials(link.url)]
        if secret:
            raise CrawlError(
                f"{len(secret)} links match crawl.follow but hold a user or password, {secret[0]} for one (shown "
                f"without it); credentials come from the variable that crawl.start names, so tighten crawl.follow."
            )
        outside = [link.url for link in found.values() if not self.boundary.allows(link.url)]
        if outside:
            raise CrawlError(
                f"{len(outside)} links match crawl.follow but lie outside the allowed domains ({self.boundary}), "
                f"{outside[0]} for one; add the host to crawl.allowed_domains, or tighten crawl.follow."
            )

    def _tell_left_out(
        self, listing: Listing, address: str, wanted: Iterable[re.Pattern[str] | None], crawl: DayCrawl
    ) -> None:
        """Put on record what was wanted but could not be taken as a link."""
        patterns = [pattern for pattern in wanted if pattern is not None]
        for text, reason in listing.left_out:
            if any(pattern.search(text) for pattern in patterns):
                crawl.tally.leave_out(reason)
                self.job.log(self.site.show(f"{self.spec.name} {crawl.day}: left out of {address} ({reason}): {text}"))

    async def _listing(self, url: str, crawl: DayCrawl, *, is_start: bool) -> Listing:
        if url not in self._listings:
            self._listings[url] = asyncio.ensure_future(self._read(url, crawl.tally))
        listing = await asyncio.shield(self._listings[url])
        if listing is not None:
            return listing
        if not is_start:
            raise explain_status(404, url, attempts=1)
        if self.declared.missing == "empty":
            return Listing((), what="missing (404)")
        raise CrawlError(
            f"the start page {url} is missing (404); check the address, "
            f"or set crawl.missing: empty if the site may have nothing for a day."
        )

    async def _read(self, url: str, tally: Tally) -> Listing | None:
        if has_credentials(url):
            raise CrawlError(f"the listing {url} is linked with a user or password (not shown), which is refused.")
        response = await self._ask(Request(url, meta={"tally": tally}))
        if response.status in {404, 410}:
            return None
        if response.status != 200:
            raise explain_status(response.status, url, attempts=_attempts(response))
        try:
            return read_listing(response)
        except UnreadableListingError as error:
            raise CrawlError(f"the listing {url} {error}", transient=True) from error

    async def _ask(self, request: Request) -> Response:
        try:
            return await self.crawler.engine.download_async(request)
        except Exception as error:
            raise explain(error, request.url) from error

    async def _fetch_all(self, found: Mapping[str, _Link], crawl: DayCrawl) -> list[LandedFile]:
        tasks = [asyncio.ensure_future(self._fetch(one, link, crawl)) for one, link in found.items()]
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
            first = next((failure for failure in failures if not failure.transient), failures[0])
            raise CrawlError(
                f"{len(failures)} of {len(found)} files failed{landed}: {first}", transient=first.transient
            )
        return [task.result() for task in tasks]

    async def _fetch(self, one: str, link: _Link, crawl: DayCrawl) -> LandedFile:
        async with self._room:
            file = await self._fetch_one(one, link, crawl)
        crawl.tally.files += 1
        return file

    async def _fetch_one(self, one: str, link: _Link, crawl: DayCrawl) -> LandedFile:
        landing, limits, url, shown = crawl.landing, self.declared.limits, link.url, crawl.show(one)
        listed_in = crawl.show(link.listing)
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
            return known.model_copy(update={"unchanged": True, "listed_in": listed_in})
        if response.status not in {200, 206}:
            raise explain_status(response.status, url, attempts=_attempts(response))
        await asyncio.to_thread(transfer.flush_to_disk)
        landed = transfer.landed(shown, dt.datetime.now(dt.UTC)).model_copy(update={"listed_in": listed_in})
        file = landing.land(transfer.path, landed)
        crawl.tally.unchanged += file.unchanged
        return file


@dataclass(frozen=True)
class _Link:
    """A link to fetch: its address as the listing has it, and the listing."""

    url: str
    listing: str


def _matches(pattern: re.Pattern[str], link: str) -> bool:
    return any(pattern.search(spelling) for spelling in spellings(link))


def _attempts(response: Response) -> int:
    return int(response.request.meta.get("tried", 0)) + 1
