"""The `files` kind: files that are linked from a web page."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from crawlers.address import check_pattern
from crawlers.crawl import CRAWL_KINDS, SiteCrawl


class FilesCrawl(SiteCrawl):
    r"""Files linked from a start page: an HTML index, a plain list of links, or a sitemap.

    Attributes:
        follow: Regular expression searched in each link's absolute address; `{date}` works here too.
        listings: Links that match are read as further listings (folders of an index), down to `max_depth`.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "kind": "files",
        "start": "https://shop.example/logs/{date}/",
        "follow": r"events-\d+\.jsonl\.gz$",
    }

    runs: ClassVar[str] = "crawlers.spiders.files:FilesSpider"

    kind: Literal["files"] = "files"
    follow: str
    listings: str | None = None

    @field_validator("follow", "listings")
    @classmethod
    def _pattern_compiles(cls, pattern: str | None) -> str | None:
        return None if pattern is None else check_pattern(pattern)


CRAWL_KINDS.register("files", FilesCrawl)
