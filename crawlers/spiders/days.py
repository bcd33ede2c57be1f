"""What spiders of every kind share: days crawled beside each other in one process, each complete or left as it was."""

import asyncio
import datetime as dt
import logging
from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from scrapy import Spider

from crawlers.address import Boundary
from crawlers.failure import CrawlError
from crawlers.job import Job, failed_message, landed_message, readable_size
from crawlers.landing import LandedFile, Landing, Manifest, landing_dir
from crawlers.tally import Tally

_log = logging.getLogger(__name__)

_DAYS_AT_ONCE = 4
_PROGRESS_EVERY = 2.0
_LOCK_POLL = 0.2
_LONGEST_LOCK_WAIT = 600.0


@dataclass
class DayCrawl:
    """One day under way.

    Attributes:
        day: The partition.
        landing: Its folder.
        tally: Its counts.
    """

    day: dt.date
    landing: Landing
    tally: Tally = field(default_factory=Tally)


class DaySpider(Spider):  # type: ignore[misc]
    """Crawls the days of a job; a subclass says how the files of one day are found and fetched.

    Requests are awaited (`engine.download_async`) rather than called back: a day's crawl reads top down, and passes
    the same downloader middlewares.
    """

    def __init__(self, job: Job, **kwargs: Any) -> None:
        self.job = job
        self.spec = job.request.spec
        self.site = job.site
        self.boundary = Boundary(job.site.expanded, self.spec.crawl.allowed_domains)
        self._under_way: list[DayCrawl] = []
        super().__init__(name=self.spec.name, **kwargs)

    @abstractmethod
    async def crawl_day(self, crawl: DayCrawl) -> list[LandedFile]:
        """Land the files of one day.

        Raises:
            CrawlError: If the day cannot be complete.
        """

    async def start(self) -> AsyncIterator[Any]:
        """Crawl every day; yields nothing, as requests are awaited where they are needed."""
        gate = asyncio.Semaphore(_DAYS_AT_ONCE)

        async def in_turn(day: dt.date) -> None:
            async with gate:
                await self._crawl(day)

        ticker = asyncio.ensure_future(self._tell_progress())
        try:
            await asyncio.gather(*(in_turn(day) for day in self.job.request.days))
        finally:
            ticker.cancel()
        return
        yield

    async def _crawl(self, day: dt.date) -> None:
        started_at = _now()
        landing: Landing | None = None
        crawl: DayCrawl | None = None
        try:
            directory = landing_dir(self.job.request.root, self.spec.name, day)
            landing = Landing(directory, started_at=started_at, origin=self.job.origin)
            crawl = DayCrawl(day, landing)
            self._under_way.append(crawl)
            await self._lock(landing)
            if self.job.request.refetch:
                landing.forget()
            files = await self.crawl_day(crawl)
            manifest = Manifest(
                source=self.spec.name,
                partition=day,
                finish_reason="finished" if files else "no_files",
                started_at=started_at,
                finished_at=_now(),
                files=tuple(sorted(files, key=lambda file: file.url)),
                stats=crawl.tally.stats(),
                demo=self.job.demo,
                origin=self.job.origin,
            )
            landing.commit(manifest)
            self._tell(day, _summary(manifest))
            self.job.report(landed_message(manifest))
        except (Exception, asyncio.CancelledError) as error:
            self._fail(day, error, crawl)
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            if landing is not None:
                landing.close()
            if crawl is not None:
                self._under_way.remove(crawl)

    def _fail(self, day: dt.date, error: BaseException, crawl: DayCrawl | None) -> None:
        if isinstance(error, CrawlError):
            reason = str(error)
        elif isinstance(error, asyncio.CancelledError):
            reason = "the crawl was stopped; run again to go on from there."
        elif isinstance(error, OSError):
            reason = f"landing could not be written: {error}; check the disk and the permissions."
        else:
            _log.error("Unexpected failure on %s", day, exc_info=error)
            reason = f"unexpected {type(error).__name__}: {error}"
        text = self.site.show(f"Source {self.spec.name!r} for {day}: {reason}")
        self._tell(day, f"failed: {self.site.show(reason)}")
        self.job.report(failed_message(day, text, crawl.tally.stats() if crawl else None))

    async def _lock(self, landing: Landing) -> None:
        began = monotonic()
        while not landing.try_lock():
            if monotonic() - began > _LONGEST_LOCK_WAIT:
                holder = (landing.directory / "lock").read_text().strip()
                raise CrawlError(f"another crawl (process {holder}) has held this day for 10 minutes; wait or end it.")
            await asyncio.sleep(_LOCK_POLL)

    async def _tell_progress(self) -> None:
        told: dict[dt.date, int] = {}
        while True:
            await asyncio.sleep(_PROGRESS_EVERY)
            for crawl in self._under_way:
                tally = crawl.tally
                if tally.bytes != told.get(crawl.day, 0):
                    told[crawl.day] = tally.bytes
                    of = f" of {tally.expected}" if tally.expected else ""
                    self._tell(crawl.day, f"{tally.files}{of} files, {readable_size(tally.bytes)} so far")

    def _tell(self, day: dt.date, text: str) -> None:
        self.job.log(f"{self.spec.name} {day}: {text}")


def _summary(manifest: Manifest) -> str:
    stats = manifest.stats
    if not manifest.files:
        return "no files on the site for this day"
    known = f" ({stats.unchanged} unchanged)" if stats.unchanged else ""
    return (
        f"landed {len(manifest.files)} files, {readable_size(manifest.bytes)}{known}; "
        f"{readable_size(stats.bytes)} fetched in {stats.requests} requests, {stats.seconds:.1f} s"
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
