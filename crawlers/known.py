"""When a record became known: the day on which, or at whose end, it reached us; only later days may build upon it."""

import datetime as dt
from typing import Literal, TypeAlias

import polars as pl

from crawlers.contract import CRAWLED_AT, KNOWN_ON

KnownRule: TypeAlias = Literal["landed", "crawled", "dated"]
"""
landed: at the end of the day that it was crawled for, whenever that was; bytes that came after the day had landed once,
    a correction for instance, from when they were fetched.
crawled: from when its bytes were fetched.
dated: at the end of the day that it was crawled for. The site dates what it serves: for a day, it is what it was then.
"""


def known_on(rule: KnownRule, partition: dt.date, first_landed_at: dt.datetime | None = None) -> pl.Expr:
    """The day on which records of a partition became known (Date): facts for every day after it, and not for itself.

    The end of a day belongs to that day. What was fetched at two at night is known on the new day, so that day's
    examples do not know it: their day had begun.

    Args:
        rule: What the source declares.
        partition: The day that the records were crawled for.
        first_landed_at: When the first complete crawl of the partition ended (UTC); None if this is the first.
    """
    at_its_end = pl.lit(partition, dtype=pl.Date)
    if rule == "dated":
        return at_its_end.alias(KNOWN_ON)
    crawled = pl.max_horizontal(pl.col(CRAWLED_AT).dt.date(), at_its_end)
    if rule == "crawled":
        return crawled.alias(KNOWN_ON)
    if first_landed_at is None:
        return at_its_end.alias(KNOWN_ON)
    first = pl.lit(first_landed_at, dtype=pl.Datetime("us", "UTC"))
    return pl.when(pl.col(CRAWLED_AT) <= first).then(at_its_end).otherwise(crawled).alias(KNOWN_ON)
