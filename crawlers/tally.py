"""Counting what a day's crawl does, as it happens."""

from collections import Counter
from time import monotonic

from crawlers.landing import CrawlStats


class Tally:
    """Running counts of one day's crawl, shared by all its requests."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._statuses: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self.requests = 0
        self.bytes = 0
        self.retries = 0
        self.unchanged = 0
        self.continued = 0
        self.files = 0
        self.expected = 0

    def answered(self, status: int) -> None:
        """Count an answer."""
        self._statuses[str(status)] += 1

    def leave_out(self, reason: str) -> None:
        """Count a link that was wanted and could not be taken, by its reason."""
        self._left_out[reason] += 1

    def stats(self) -> CrawlStats:
        """The counts so far."""
        return CrawlStats(
            requests=self.requests,
            statuses=dict(sorted(self._statuses.items())),
            bytes=self.bytes,
            retries=self.retries,
            unchanged=self.unchanged,
            continued=self.continued,
            left_out=dict(sorted(self._left_out.items())),
            seconds=round(monotonic() - self._began, 3),
        )
