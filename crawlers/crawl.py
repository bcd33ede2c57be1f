"""What every crawl declares, of whatever kind: within which bounds, and what it means when there is nothing.

Nothing here fetches, reads the environment or imports Scrapy: declarations load with the definitions.
"""

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import ByteSize, Field, PositiveFloat, PositiveInt, field_validator

from crawlers.address import Site, check_start, expand
from foundation.declaration import Declaration
from foundation.registry import Registry


class Limits(Declaration):
    """The bounds of a crawl; beyond any of them the day fails with an error and the last good manifest stands.

    Attributes:
        max_file_bytes: Largest file as served.
        max_decompressed_bytes: Largest file once decompressed; kept by the parser.
        max_files: Most files of one day.
        max_file_seconds: Longest time for one file, all attempts together, however steadily it trickles.
        retries: How often a request is tried again; an attempt that brought a file further does not count.
        backoff_seconds: Pause before the first retry; it doubles with each further one, up to a minute.
    """

    max_file_bytes: ByteSize = ByteSize(4 * 1024**3)
    max_decompressed_bytes: ByteSize = ByteSize(32 * 1024**3)
    max_files: PositiveInt = 10_000
    max_file_seconds: PositiveFloat = 3600.0
    retries: int = Field(default=3, ge=0)
    backoff_seconds: float = Field(default=1.0, ge=0)


class SiteLimits(Limits):
    """The bounds of a crawl of a web site.

    Attributes:
        max_redirects: Most redirects of one request.
        max_depth: Levels of listings, of which the start page is the first.
        timeout_seconds: Longest silence: to connect, to the first byte, and between two pieces of a body.
    """

    max_redirects: int = Field(default=5, ge=0)
    max_depth: PositiveInt = 3
    timeout_seconds: PositiveFloat = 60.0


class Politeness(Declaration):
    """How a crawl behaves towards the server.

    Attributes:
        delay: Least number of seconds between two requests to a host; AutoThrottle only ever adds to it.
        concurrency: Most requests to a host at the same time.
        obey_robots: Keep to robots.txt; turn off only with the owner's permission.
        user_agent: How the crawler names itself; say who you are and how to reach you.
        max_retry_after: Longest wait, in seconds, that a server may ask for with Retry-After before the day fails.
    """

    delay: float = Field(default=0.0, ge=0)
    concurrency: PositiveInt = 8
    obey_robots: bool = True
    user_agent: str = Field(default="Sluice/0.1 (daily data crawler)", min_length=1)
    max_retry_after: float = Field(default=300.0, ge=0)


class Crawl(Declaration):
    """What all kinds of crawl declare.

    A kind is a subclass in a file of its own under `crawlers.kinds`, which registers it in `CRAWL_KINDS`.

    Attributes:
        kind: The word that tells the kinds apart.
        missing: What it means when there are no files for a day, because the place is not there or holds none that
            match. `fail`: the day fails. `empty`: the day is published without files, unless files had landed for it
            before, which are never replaced by nothing.
        limits: The bounds.
    """

    #: A declaration of the kind: what the reference shows.
    example: ClassVar[Mapping[str, Any]]
    runs: ClassVar[str]
    """What crawls, as `module:attribute`: a `DaySpider` of Scrapy, or a function that takes a `Job`. Imported in the
    process that crawls, so that definitions load without Scrapy."""
    tools: ClassVar[frozenset[str]]
    """Badges in the UI."""

    kind: str
    missing: Literal["fail", "empty"] = "fail"
    limits: Limits = Limits()

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the crawl begins, as declared, with `{date}` and `${VAR}`."""

    @property
    def place(self) -> str:
        """What must not be crawled by two sources at once: the host, or the folder."""
        return re.sub(r"^\w+://", "", self.address).split("/")[0]

    @abstractmethod
    def expand(self, environment: Mapping[str, str], *, source: str) -> Site:
        """The address with the variables of an environment.

        Raises:
            MissingVariableError: A variable is not set.
            ValueError: The result is no address.
        """


class SiteCrawl(Crawl):
    """What all crawls of a web site declare.

    Attributes:
        start: Address of the start page. `{date}` is the partition (`{date:%Y%m%d}` for another form);
            `${VAR}` is read from the environment when the crawl runs.
        allowed_domains: Hosts that may be asked, their subdomains included, `host:port` for one port;
            by default the start page's own host and port alone.
        politeness: How the crawl behaves.
        limits: Its bounds.
    """

    tools: ClassVar[frozenset[str]] = frozenset({"scrapy", "file"})

    start: str
    allowed_domains: tuple[str, ...] | None = None
    politeness: Politeness = Politeness()
    limits: SiteLimits = SiteLimits()

    @field_validator("allowed_domains")
    @classmethod
    def _domains_are_hosts(cls, domains: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for domain in domains or ():
            if not re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?", domain):
                raise ValueError(f"allowed_domains holds {domain!r}; write a host or host:port, without scheme or path")
        return domains

    @field_validator("start")
    @classmethod
    def _start_is_an_address(cls, start: str) -> str:
        return check_start(start)

    @property
    def address(self) -> str:
        """The start page, as declared."""
        return self.start

    def expand(self, environment: Mapping[str, str], *, source: str) -> Site:
        """The start page, with the variables of an environment."""
        return expand(self.start, environment, source=source)


CRAWL_KINDS: Registry[type[Crawl]] = Registry(
    "crawl kind", "Where a source's bytes come from; the `kind` under `crawl`."
)
