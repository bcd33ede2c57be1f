"""The kinds of crawl and the spiders that walk them; spiders are imported only in the process that crawls."""

from importlib import import_module
from typing import Any

from foundation.nearest import hint

_SPIDERS: dict[str, str] = {}


def register_spider(kind: str, path: str) -> None:
    """Register the spider of a kind.

    Args:
        kind: As in `crawl.kind`.
        path: `module:Class`, imported when a crawl runs.

    Raises:
        ValueError: If the kind is taken.
    """
    if kind in _SPIDERS:
        raise ValueError(f"Crawl kind {kind!r} is registered already, by {_SPIDERS[kind]}; choose another name.")
    _SPIDERS[kind] = path


def spider_class(kind: str) -> Any:
    """The spider class of a kind.

    Raises:
        LookupError: If there is none; the message names the nearest kind.
    """
    if kind not in _SPIDERS:
        raise LookupError(f"Crawl kind {kind!r} is unknown; {hint(kind, list(_SPIDERS))}")
    module, _, name = _SPIDERS[kind].partition(":")
    return getattr(import_module(module), name)


def kinds() -> tuple[str, ...]:
    """The kinds registered."""
    return tuple(sorted(_SPIDERS))


register_spider("files", "crawlers.spiders.files:FilesSpider")
