"""Landing the files of a folder: those that match, each as it is at one moment, and none that landed already."""

import asyncio
import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path

from crawlers.address import substitute_date
from crawlers.days import DayCrawl, crawl_days
from crawlers.fault import CrawlError
from crawlers.folders.glob import compile_glob
from crawlers.folders.local import LocalFolder
from crawlers.folders.objects import Prefix
from crawlers.folders.place import ChangedError, Entry, MissingPlaceError, Place
from crawlers.job import Job
from crawlers.kinds.folder import FolderCrawl
from crawlers.landing import LandedFile
from crawlers.transfer import TooLargeError, Transfer

_AT_ONCE = 4
_EXAMPLES = 3
_LONGEST_PAUSE = 60.0


def crawl_folder(job: Job) -> None:
    """Land the days of a source of the kind `folder`."""
    declared = job.request.spec.crawl
    if not isinstance(declared, FolderCrawl):
        raise TypeError(f"crawl_folder runs crawls of the kind 'folder', not '{declared.kind}'.")
    asyncio.run(crawl_days(job, _Folder(job, declared).crawl_day))


class _Folder:
    def __init__(self, job: Job, declared: FolderCrawl) -> None:
        self._job = job
        self._template = job.site.expanded
        self._declared = declared
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def crawl_day(self, crawl: DayCrawl) -> list[LandedFile]:
        place, where = self._place(crawl.day)
        try:
            there = await asyncio.to_thread(place.entries)
        except MissingPlaceError as error:
            if self._declared.missing == "empty":
                return []
            advice = "check crawl.path, or set crawl.missing: empty if there may be nothing for a day."
            raise CrawlError(f"{error}; {advice}") from error
        patterns = [compile_glob(glob, crawl.day) for glob in self._declared.files]
        wanted = [entry for entry in there if any(pattern.fullmatch(entry.name) for pattern in patterns)]
        for entry in set(there) - set(wanted):
            # What matches is refused below; a folder that leads out holds nothing that could.
            if entry.refused:
                crawl.tally.leave_out(entry.refused)
                self._job.log(crawl.show(f"left out of {where} ({entry.refused}): {entry.name}"))
        if not wanted and self._declared.missing != "empty":
            raise CrawlError(_none_match(where, there, self._declared.files, crawl.day))
        bound = self._declared.limits.max_files
        if len(wanted) > bound:
            raise CrawlError(
                f"{len(wanted):,} files match crawl.files, more than crawl.limits.max_files ({bound:,}); "
                f"tighten the patterns, or raise the limit."
            )
        crawl.tally.expected = len(wanted)
        tasks = [self._land(place, entry, where, crawl) for entry in wanted]
        landed: list[LandedFile] = []
        # All are waited for: what lands beside a file that fails need not be read again.
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
            landed.append(outcome)
        return landed

    def _place(self, day: dt.date) -> tuple[Place, str]:
        where = substitute_date(self._template, day).rstrip("/") or "/"
        if where.startswith("s3://"):
            return Prefix(where), where
        path = Path(where).expanduser().absolute()
        above = re.split(r"[^/]*\{date", self._template, maxsplit=1)[0]
        root = path if "{date" not in self._template else Path(above or ".").expanduser().absolute()
        return LocalFolder(path, root), where

    async def _land(self, place: Place, entry: Entry, where: str, crawl: DayCrawl) -> LandedFile:
        url = crawl.show(f"{where}/{entry.name}")
        kept = crawl.landing.continued.get(url)
        if kept is not None and entry.validator is not None and kept.etag == entry.validator:
            crawl.tally.continued += 1
            crawl.tally.files += 1
            return kept
        known = crawl.landing.known(url)
        if known is not None and entry.validator is not None and known.etag == entry.validator:
            crawl.tally.unchanged += 1
            crawl.tally.files += 1
            return known.model_copy(update={"unchanged": True})
        async with self._room:
            file = await self._copy(place, entry, url, known, crawl)
        crawl.tally.unchanged += file.unchanged
        crawl.tally.files += 1
        return file

    async def _copy(
        self, place: Place, entry: Entry, url: str, known: LandedFile | None, crawl: DayCrawl
    ) -> LandedFile:
        limits = self._declared.limits
        for attempt in range(limits.retries + 1):
            if attempt:
                crawl.tally.retries += 1
                await asyncio.sleep(min(limits.backoff_seconds * 2 ** (attempt - 1), _LONGEST_PAUSE))
                again = {one.name: one for one in await asyncio.to_thread(place.entries)}
                if entry.name not in again:
                    raise CrawlError(f"{url} was there, and is gone; run again.", transient=True)
                entry = again[entry.name]
            transfer = Transfer(
                crawl.landing.partial(url),
                known=known,
                max_bytes=limits.max_file_bytes,
                max_seconds=limits.max_file_seconds,
            )
            try:
                await asyncio.to_thread(_read, place, entry, transfer)
            except ChangedError:
                continue
            except TooLargeError as error:
                raise CrawlError(
                    f"{url} {error}; raise crawl.limits.max_file_bytes if files this large are expected."
                ) from error
            crawl.tally.requests += 1
            crawl.tally.bytes += transfer.offset
            return crawl.landing.land(transfer.path, transfer.landed(url, dt.datetime.now(dt.UTC)))
        raise CrawlError(
            f"{url} changed while it was read, {limits.retries + 1} times; have it written under another name "
            f"(such as .{entry.name.rsplit('/', 1)[-1]}.part) and renamed when it is complete.",
            transient=True,
        )


def _read(place: Place, entry: Entry, transfer: Transfer) -> None:
    try:
        transfer.begin(200, {"etag": entry.validator} if entry.validator else {}, None)
        for piece in place.pieces(entry):
            transfer.write(piece)
            if transfer.seconds_left <= 0:
                raise CrawlError(
                    f"{entry.name} is still incomplete after {transfer.max_seconds:g} seconds, "
                    f"crawl.limits.max_file_seconds; raise it, or try later.",
                    transient=True,
                )
        transfer.finish()
        transfer.flush_to_disk()
    finally:
        transfer.close()


def _none_match(where: str, there: Sequence[Entry], globs: Sequence[str], day: dt.date) -> str:
    asked = ", ".join(f"'{substitute_date(glob, day)}'" for glob in globs)
    advice = "or set crawl.missing: empty if there may be nothing for a day."
    if not there:
        return f"the folder {where} is empty; check crawl.path, {advice}"
    names = ", ".join(entry.name for entry in there[:_EXAMPLES])
    more = f" and {len(there) - _EXAMPLES} more" if len(there) > _EXAMPLES else ""
    basenames = [entry for entry in there if "/" in entry.name]
    deeper = " Folders below are searched only with '**/' before the pattern." if basenames else ""
    return (
        f"none of the {len(there)} files in {where} matches crawl.files ({asked}); there are {names}{more}.{deeper} "
        f"Check the patterns, {advice}"
    )
