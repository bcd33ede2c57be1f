"""Running one crawl, of whatever kind: one source and some days."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from crawlers.address import MissingVariableError, Site, variables
from crawlers.crawl import SiteCrawl
from crawlers.job import CrawlRequest, Job, Message, failed_message
from foundation.importing import load

DEMO_VARIABLE = "SHOP_URL"
"""A start address that names this variable is served by the demo shop when the variable is not set."""


def run(request: CrawlRequest, *, report: Callable[[Message], None], log: Callable[[str], None]) -> None:
    """Crawl the days of a request; every day is reported once, whatever happens.

    Args:
        request: What to crawl.
        report: Takes one message a day.
        log: Takes progress lines.
    """
    waiting = dict.fromkeys(request.days)

    def report_once(message: Message) -> None:
        for day in [day for day in waiting if day.isoformat() == message["day"]]:
            del waiting[day]
            report(message)

    reason, transient = "the crawl was stopped before this day was taken up; run again.", True
    try:
        with _environment(request, log) as (environment, demo):
            site = request.spec.crawl.expand(environment, source=request.spec.name)
            _crawl(Job(request, site, demo, report_once, log))
    except (MissingVariableError, ValueError) as error:
        reason, transient = str(error), False
    for day in list(waiting):
        report_once(failed_message(day, f"Source {request.spec.name!r} for {day}: {reason}", transient=transient))


def _crawl(job: Job) -> None:
    _log_without_secrets(job.site)
    runs = load(job.request.spec.crawl.runs)
    if isinstance(runs, type):
        _run_spider(runs, job)
    else:
        runs(job)


def _run_spider(spider: type, job: Job) -> None:
    from scrapy.crawler import AsyncCrawlerProcess  # installs the reactor: only where a crawl runs

    from crawlers.politeness import settings  # likewise

    declared = job.request.spec.crawl
    if not isinstance(declared, SiteCrawl):
        raise TypeError(f"Crawl kind '{declared.kind}' runs a spider, so its declaration must be a SiteCrawl.")
    process = AsyncCrawlerProcess(settings(declared))
    process.crawl(spider, job=job)
    process.start()


@contextmanager
def _environment(request: CrawlRequest, log: Callable[[str], None]) -> Iterator[tuple[Mapping[str, str], bool]]:
    if DEMO_VARIABLE not in variables(request.spec.crawl.address) or os.environ.get(DEMO_VARIABLE):
        yield os.environ, False
        return
    from crawlers.demo import serve  # only where it is needed

    with serve(port=0, lake=request.root) as url:
        log(f"{request.spec.name}: {DEMO_VARIABLE} is not set; the demo shop stands in")
        yield {**os.environ, DEMO_VARIABLE: url}, True


class _Showable(logging.Formatter):
    def __init__(self, site: Site) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._site = site

    def format(self, record: logging.LogRecord) -> str:
        return self._site.show(super().format(record))


def _log_without_secrets(site: Site) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_Showable(site))
    logging.getLogger().addHandler(handler)
