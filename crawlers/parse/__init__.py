"""Parsing: landed bytes become typed records, or rows of quarantine that say why not.

A format is one file here, registered under the `kind` that declarations use: its options, and what reads it, by line
or by document.
"""

from crawlers.parse import access_log, csv, jsonl, parquet, regex
from crawlers.parse.partition import Parsed, parse_partition
from crawlers.parse.privacy import MissingSecretError, hash_pii, hash_value
from crawlers.parse.registry import FORMATS, FormatOptions

MODULES = (access_log, csv, jsonl, parquet, regex)
"""The modules of the formats, imported so that they register."""

__all__ = [
    "FORMATS",
    "MODULES",
    "FormatOptions",
    "MissingSecretError",
    "Parsed",
    "hash_pii",
    "hash_value",
    "parse_partition",
]
