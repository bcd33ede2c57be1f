"""What all spiders share: the days of a job, walked with Scrapy."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar, cast

from scrapy import Spider

from crawlers.address import Boundary
from crawlers.crawl import SiteCrawl
from crawlers.days import DayCrawl, crawl_days
from crawlers.job import Job
from crawlers.landing import LandedFile

Declared = TypeVar("Declared", bound=SiteCrawl)


class DaySpider(Spider, Generic[Declared]):  # type: ignore[misc]
    """Crawls the days of a job; a subclass says how the files of one day are found and fetched.

    Requests are awaited (`engine.download_async`) rather than called back: a day's crawl reads top down, and passes
    the same downloader middlewares.
    """

    def __init__(self, job: Job, **kwargs: Any) -> None:
        self.job = job
        self.spec = job.request.spec
        self.declared = cast("Declared", self.spec.crawl)
        self.site = job.site
        self.boundary = Boundary(job.site.expanded, self.declared.allowed_domains)
        super().__init__(name=self.spec.name, **kwargs)

    @abstractmethod
    async def crawl_day(self, crawl: DayCrawl) -> list[LandedFile]:
        """Land the files of one day.

        Raises:
            CrawlError: If the day cannot be complete.
        """

    async def start(self) -> AsyncIterator[Any]:
        """Crawl every day; yields nothing, as requests are awaited where they are needed."""
        await crawl_days(self.job, self.crawl_day)
        return
        yield
