"""A day that cannot be crawled: why, what to do, and whether waiting helps. Known to every kind, Scrapy or not."""


class CrawlError(Exception):
    """A day cannot be crawled.

    Args:
        message: Why, and what to do. Addresses in it are yet to be made showable.
        transient: Whether another run may succeed though nobody did anything: a server was in trouble, a connection
            broke. A refusal, a bound or a declaration that does not fit stays as it is however often it is tried.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient
