"""The declaration of a source: what is crawled, how politely, within which bounds, and what the bytes should hold.

Nothing here fetches, reads the environment or imports Scrapy: declarations load with the definitions.
"""

import re
from typing import Annotated, Literal

from pydantic import ByteSize, Field, PositiveFloat, PositiveInt, field_validator

from crawlers.address import check_pattern, check_start
from crawlers.contract import Contract
from foundation.declaration import Declaration

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""Names are lower case with digits and underscores: they become asset keys, folders and table names."""


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


class Limits(Declaration):
    """The bounds of a crawl; beyond any of them the day fails with an error and the last good manifest stands.

    Attributes:
        max_file_bytes: Largest file as served.
        max_decompressed_bytes: Largest file once decompressed; kept by the parser.
        max_files: Most files of one day.
        max_redirects: Most redirects of one request.
        max_depth: Levels of listings, of which the start page is the first.
        timeout_seconds: Longest silence: to connect, to the first byte, and between two pieces of a body.
        max_file_seconds: Longest time for one file, all attempts together, however steadily it trickles.
        retries: How often a request is tried again; an attempt that brought a file further does not count.
        backoff_seconds: Pause before the first retry; it doubles with each further one, up to a minute.
    """

    max_file_bytes: ByteSize = ByteSize(4 * 1024**3)
    max_decompressed_bytes: ByteSize = ByteSize(32 * 1024**3)
    max_files: PositiveInt = 10_000
    max_redirects: int = Field(default=5, ge=0)
    max_depth: PositiveInt = 3
    timeout_seconds: PositiveFloat = 60.0
    max_file_seconds: PositiveFloat = 3600.0
    retries: int = Field(default=3, ge=0)
    backoff_seconds: float = Field(default=1.0, ge=0)


class FilesCrawl(Declaration):
    r"""Files linked from a start page: an HTML index, a plain list of links, or a sitemap.

    Attributes:
        start: Address of the start page. `{date}` is the partition (`{date:%Y%m%d}` for another form);
            `${VAR}` is read from the environment when the crawl runs.
        follow: Regular expression searched in each link's absolute address; `{date}` works here too.
        listings: Links that match are read as further listings (folders of an index), down to `max_depth`.
        missing: What a start page that is not there (404, 410) means: `fail`, or an `empty` day.
        allowed_domains: Hosts that may be asked, their subdomains included, `host:port` for one port;
            by default the start page's own host and port alone.
        politeness: How the crawl behaves.
        limits: Its bounds.
    """

    kind: Literal["files"] = "files"
    start: str
    follow: str
    listings: str | None = None
    missing: Literal["fail", "empty"] = "fail"
    allowed_domains: tuple[str, ...] | None = None
    politeness: Politeness = Politeness()
    limits: Limits = Limits()

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

    @field_validator("follow", "listings")
    @classmethod
    def _pattern_compiles(cls, pattern: str | None) -> str | None:
        return None if pattern is None else check_pattern(pattern)


class JsonlFormat(Declaration):
    """One JSON object a line, plain or gzipped."""

    kind: Literal["jsonl"]
    encoding: str = "utf-8"
    max_line_bytes: ByteSize = ByteSize(1024**2)


class CsvFormat(Declaration):
    """Delimited text with a header line, plain or gzipped."""

    kind: Literal["csv"]
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    max_line_bytes: ByteSize = ByteSize(1024**2)


Format = Annotated[JsonlFormat | CsvFormat, Field(discriminator="kind")]


class SourceSpec(Declaration):
    """One crawled origin, declared once.

    Attributes:
        name: Its name; the raw table is `<name>__raw`.
        crawl: Where its bytes come from.
        format: How the bytes are read as records.
        contract: The columns that the records must have.
        snapshot: Whether a day holds the whole state of the day (a catalogue), not the events of the day.
        description: For the people who read the graph.
        owners: Who answers for it.
        tags: Free tags.
        retention: Days after which landed bytes are deleted; kept for ever by default.
        max_quarantined_share: The largest share of a day's lines, from 0 to 1, that may be quarantined; a day with more
            is refused: its quarantine is published for people to look into, and the last good records stand.
    """

    name: Name
    crawl: FilesCrawl
    format: Format
    contract: Contract
    snapshot: bool = False
    description: str = ""
    owners: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)
    retention: PositiveInt | None = None
    max_quarantined_share: float = Field(default=0.5, ge=0, le=1)
