"""Parsing: landed bytes become typed records, or rows of quarantine that say why not.

A format is one file here, registered under the `kind` that declarations use.
"""

from crawlers.parse import csv, jsonl
from crawlers.parse.partition import Parsed, parse_partition
from crawlers.parse.privacy import MissingSecretError, hash_pii, hash_value
from crawlers.parse.registry import UnknownFormatError, formats, register_format

FORMATS = (csv, jsonl)
"""The modules of the formats, imported so that they register."""

__all__ = [
    "FORMATS",
    "MissingSecretError",
    "Parsed",
    "UnknownFormatError",
    "formats",
    "hash_pii",
    "hash_value",
    "parse_partition",
    "register_format",
]
