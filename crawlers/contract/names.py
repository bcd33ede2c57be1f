"""The columns that Sluice adds to every raw record."""

from __future__ import annotations

import polars as pl

UNKNOWN = "_unknown"
CRAWLED_AT = "crawled_at"
FILE = "_file"
LINE = "_line"
KNOWN_ON = "known_on"
#: No source may declare them.
RESERVED = (UNKNOWN, CRAWLED_AT, FILE, LINE, KNOWN_ON)

TIMESTAMP = pl.Datetime("us", "UTC")
