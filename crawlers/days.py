"""What crawls of every kind share: days crawled beside each other in one process, each complete or left as it was."""

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from crawlers.fault import CrawlError
from crawlers.job import Job, failed_message, landed_message, readable_size
from crawlers.landing import LandedFile, Landing, Manifest
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
        show: Makes an address one that people may read.
        tally: Its counts.
        continuation: What the manifest keeps for the next crawl of the day; what the last one kept to begin with.
    """

    day: dt.date
    landing: Landing
    show: Callable[[str], str]
    tally: Tally = field(default_factory=Tally)
    continuation: dict[str, str] = field(default_factory=dict)


CrawlDay = Callable[[DayCrawl], Awaitable[list[LandedFile]]]
"""Lands the files of one day, and returns them; raises `CrawlError` if the day cannot be complete."""


async def crawl_days(job: Job, crawl_day: CrawlDay) -> None:
    """Crawl every day of a job, and report each.

    Args:
        job: What is asked.
        crawl_day: The kind's part.
    """
    await _Days(job, crawl_day).run()


class _Days:
    def __init__(self, job: Job, crawl_day: CrawlDay) -> None:
        self._job = job
        self._spec = job.request.spec
        self._crawl_day = crawl_day
        self._under_way: list[DayCrawl] = []

    async def run(self) -> None:
        gate = asyncio.Semaphore(_DAYS_AT_ONCE)

        async def in_turn(day: dt.date) -> None:
            async with gate:
                await self._crawl(day)

        ticker = asyncio.ensure_future(self._tell_progress())
        try:
            await asyncio.gather(*(in_turn(day) for day in self._job.request.days))
        finally:
            ticker.cancel()
            with suppress(asyncio.CancelledError):
                await ticker

    async def _crawl(self, day: dt.date) -> None:
        started_at = _now()
        landing: Landing | None = None
        crawl: DayCrawl | None = None
        try:
            root = self._job.request.root
            landing = Landing(root, self._spec.name, day, started_at=started_at, origin=self._job.origin)
            crawl = DayCrawl(day, landing, self._job.site.show)
            self._under_way.append(crawl)
            await self._lock(landing)
            if self._job.request.refetch:
                landing.forget()
            elif landing.previous is not None and landing.previous.origin == landing.origin:
                crawl.continuation = dict(landing.previous.continuation)
            files = await self._crawl_day(crawl)
            if not files:
                self._check_emptiness(landing)
            manifest = Manifest(
                source=self._spec.name,
                partition=day,
                finish_reason="finished" if files else "no_files",
                started_at=started_at,
                finished_at=_now(),
                files=tuple(sorted(files, key=lambda file: file.url)),
                stats=crawl.tally.stats(),
                demo=self._job.demo,
                origin=self._job.origin,
                continuation=crawl.continuation,
            )
            landing.commit(manifest)
            self._tell(day, _summary(manifest))
            self._job.report(landed_message(manifest))
        except (Exception, asyncio.CancelledError) as error:
            self._fail(day, error, crawl)
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            if landing is not None:
                landing.close()
            if crawl is not None:
                self._under_way.remove(crawl)

    def _check_emptiness(self, landing: Landing) -> None:
        """Let an empty day through only where it is declared, and never in the place of content.

        Raises:
            CrawlError: Otherwise.
        """
        if self._spec.crawl.missing != "empty":
            raise CrawlError("there are no files for this day; set crawl.missing: empty if that is normal.")
        before = landing.previous
        # What the demo shop served is nothing that a real site could have lost.
        if before is not None and before.files and before.demo == self._job.demo:
            raise CrawlError(
                f"there is nothing now, but {len(before.files)} files landed on "
                f"{before.finished_at:%Y-%m-%d %H:%M} UTC, and what landed is not replaced by nothing. If the day is "
                f"rightly empty now, delete {landing.place} and run again."
            )

    def _fail(self, day: dt.date, error: BaseException, crawl: DayCrawl | None) -> None:
        transient = True
        if isinstance(error, CrawlError):
            reason, transient = str(error), error.transient
        elif isinstance(error, asyncio.CancelledError):
            reason = "the crawl was stopped; run again to go on from there."
        elif isinstance(error, OSError):
            reason = f"landing could not be written: {error}; check the disk and the permissions."
        else:
            _log.error("Unexpected failure on %s", day, exc_info=error)
            reason, transient = f"unexpected {type(error).__name__}: {error}", False
        show = self._job.site.show
        text = show(f"Source {self._spec.name!r} for {day}: {reason}")
        self._tell(day, f"failed: {show(reason)}")
        stats = crawl.tally.stats() if crawl else None
        self._job.report(failed_message(day, text, transient=transient, stats=stats))

    async def _lock(self, landing: Landing) -> None:
        began = monotonic()
        while not landing.try_lock():
            if monotonic() - began > _LONGEST_LOCK_WAIT:
                holder = (landing.directory / "lock").read_text().strip()
                raise CrawlError(
                    f"another crawl (process {holder}) has held this day for 10 minutes; wait or end it.",
                    transient=True,
                )
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
        self._job.log(f"{self._spec.name} {day}: {text}")


def _summary(manifest: Manifest) -> str:
    stats = manifest.stats
    if not manifest.files:
        return "no files for this day, as the declaration allows"
    known = f" ({stats.unchanged} unchanged)" if stats.unchanged else ""
    left = f"; {sum(stats.left_out.values())} links left out: {_reasons(stats.left_out)}" if stats.left_out else ""
    return (
        f"landed {len(manifest.files)} files, {readable_size(manifest.bytes)}{known}; "
        f"{readable_size(stats.bytes)} fetched in {stats.requests} requests, {stats.seconds:.1f} s{left}"
    )


def _reasons(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
