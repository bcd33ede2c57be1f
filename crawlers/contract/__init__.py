"""Contracts: what the records of a source should be, and how their texts become values."""

from crawlers.contract.column import Column
from crawlers.contract.contract import Contract, UnknownColumns
from crawlers.contract.lineage import Lineage
from crawlers.contract.names import CRAWLED_AT, FILE, KNOWN_ON, LINE, RESERVED, TIMESTAMP, UNKNOWN

__all__ = [
    "CRAWLED_AT",
    "FILE",
    "KNOWN_ON",
    "LINE",
    "RESERVED",
    "TIMESTAMP",
    "UNKNOWN",
    "Column",
    "Contract",
    "Lineage",
    "UnknownColumns",
]
