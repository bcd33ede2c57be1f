"""The shop's log files of a day: gzipped JSON Lines. A pure function of seed and day, and so are the bytes."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import polars as pl

from crawlers.demo.dirt import FILES, KINDS, NOT_UTF8, lines, withheld
from crawlers.demo.visits import honest_events

FIELDS = ("event_id", "user_id", "item_id", "event_type", "ts", "email", "referrer", "device", "experiment")
"""The fields of an event; `experiment` is one that nobody announced."""
_ITEM, _OTHERWISE = r'^"i(\d+)"$', '"sku-$1"'
"""How a deployment spelled items on a day with a broken schema: every line can be read, and means nothing."""
_LATIN_1 = "Zoë".encode("latin-1")


@dataclass(frozen=True)
class Log:
    """A day's log.

    Attributes:
        files: Gzipped bytes by file name.
        planted: How many lines of what, see `planted`.
    """

    files: Mapping[str, bytes]
    planted: Mapping[str, int]


def planted(day: date, seed: int, *, broken: bool = False) -> Mapping[str, int]:
    """What a day's log holds.

    Returns:
        `lines`, all of them; the lines of each of `dirt.KINDS`, which add up to `lines`; and, across kinds,
        `iso_timestamps` (records whose time is ISO 8601), `items_spelled_otherwise` (records of a day with a broken
        schema that name their item as no catalogue does), `honest_events` (of the day, wherever they are written) and
        `withheld` (those of them that only later logs have).
    """
    return log(day, seed, broken=broken).planted


@lru_cache(maxsize=32)
def log(day: date, seed: int, *, broken: bool = False) -> Log:
    """The log files of a day.

    Args:
        day: The day whose log it is; late events of days before are in it.
        seed: The shop's seed.
        broken: Whether a deployment spelled the items otherwise that day.
    """
    records = lines(day, seed)
    contents = (
        records.select("file", line=_line(broken=broken))
        .group_by("file", maintain_order=True)
        .agg(pl.col("line").str.join("\n"))
    )
    files = {
        f"events-{number:02d}.jsonl.gz": gzip.compress(_bytes(content), compresslevel=6, mtime=0)
        for number, content in contents.iter_rows()
    }
    if len(files) != FILES:
        raise AssertionError(f"The log of {day} has {len(files)} files instead of {FILES}")
    readable = records.filter(~pl.col("kind").is_in(["not_json", "truncated", "not_utf8"]))
    counted = dict(records.group_by("kind").len().iter_rows())
    counts = {
        "lines": records.height,
        **{kind: counted.get(kind, 0) for kind in KINDS},
        "iso_timestamps": int(readable["ts"].str.contains("T", literal=True).sum()),
        "items_spelled_otherwise": int(readable["item_id"].str.contains(_ITEM).sum()) if broken else 0,
        "honest_events": honest_events(day, seed).height,
        "withheld": withheld(day, seed),
    }
    return Log(files, counts)


def _line(*, broken: bool) -> pl.Expr:
    values = {field: pl.col(field) for field in FIELDS}
    if broken:
        values["item_id"] = pl.col("item_id").str.replace(_ITEM, _OTHERWISE)
    fields = [pl.format('"{}": {}', pl.lit(field), value) for field, value in values.items()]
    record = pl.format("{}{}{}", pl.lit("{"), pl.concat_str(fields, separator=", ", ignore_nulls=True), pl.lit("}"))
    request = pl.format("GET /collect?item={} HTTP/1.1", pl.col("item_id").str.strip_chars('"'))
    return (
        pl.when(pl.col("kind") == "not_json")
        .then(request)
        .when(pl.col("kind") == "truncated")
        .then(record.str.head(record.str.len_chars() // 2))
        .otherwise(record)
    )


def _bytes(content: str) -> bytes:
    return content.encode().replace(NOT_UTF8.encode(), _LATIN_1) + b"\n"
