"""The kinds of crawl, one a file: what is declared, and what runs it."""

from crawlers.crawl import CRAWL_KINDS
from crawlers.kinds import files, folder

__all__ = ["CRAWL_KINDS", "files", "folder"]
