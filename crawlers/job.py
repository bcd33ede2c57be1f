"""What one crawl process is asked to do, and how it tells what came of it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crawlers.address import Site
from crawlers.landing import CrawlStats, Manifest
from crawlers.spec import SourceSpec
from foundation.declaration import Declaration

Message = dict[str, Any]
"""`{"day", "status": "landed" | "empty" | "failed", "manifest": summary or None, "stats", "error": text or None,
"transient": whether trying again by itself may help}`."""


class CrawlRequest(Declaration):
    """The request that a crawl process reads.

    Attributes:
        spec: The source.
        days: Which partitions, in the order in which they are taken up.
        root: The lake: a folder or the URI of a prefix on an object store, under which `landing/` lies.
        refetch: Fetch everything anew, whatever is landed already.
    """

    spec: SourceSpec
    days: tuple[dt.date, ...]
    root: str
    refetch: bool = False


@dataclass(frozen=True)
class Job:
    """A request with what it needs from its process.

    Attributes:
        request: What is asked.
        site: Where the crawl begins, expanded.
        demo: Whether the demo shop stands in for the real site.
        report: Takes one message a day.
        log: Takes progress lines.
    """

    request: CrawlRequest
    site: Site
    demo: bool
    report: Callable[[Message], None]
    log: Callable[[str], None]

    @property
    def origin(self) -> str:
        """Tells apart what was landed from different hosts, the demo shop being one of its own."""
        return "demo" if self.demo else self.site.host_digest


def landed_message(manifest: Manifest) -> Message:
    """The message for a day whose crawl is complete."""
    summary = {
        "source": manifest.source,
        "finish_reason": manifest.finish_reason,
        "files": len(manifest.files),
        "bytes": manifest.bytes,
        "digest": manifest.digest,
        "demo": manifest.demo,
        "started_at": manifest.started_at.isoformat(),
        "finished_at": manifest.finished_at.isoformat(),
    }
    return {
        "day": manifest.partition.isoformat(),
        "status": "landed" if manifest.files else "empty",
        "manifest": summary,
        "stats": manifest.stats.model_dump(),
        "error": None,
        "transient": False,
    }


def failed_message(day: dt.date, error: str, *, transient: bool, stats: CrawlStats | None = None) -> Message:
    """The message for a day that could not be crawled; its last good manifest stands."""
    return {
        "day": day.isoformat(),
        "status": "failed",
        "manifest": None,
        "stats": (stats or CrawlStats()).model_dump(),
        "error": error,
        "transient": transient,
    }


def readable_size(count: int) -> str:
    """A size for people.

    >>> readable_size(5_400_000)
    '5.4 MB'
    """
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
