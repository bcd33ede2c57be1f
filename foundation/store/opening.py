"""A store by its address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from foundation.store.folder import FolderStore
from foundation.store.options import storage_options
from foundation.store.protocol import Store


def open_store(uri: str | Path, options: Mapping[str, str] | None = None) -> Store:
    """The store at an address. Nothing is read, made or reached before it is used.

    Args:
        uri: A folder, as a path or a `file://` URI, or an object store: `s3://bucket/prefix`.
        options: How an object store is reached; the environment says so by default, see `storage_options`.
    """
    text = str(uri)
    if text.startswith("file://"):
        text = url2pathname(urlsplit(text).path)
    if "://" not in text:
        return FolderStore(Path(text))
    from foundation.store.objects import ObjectStore

    return ObjectStore(text, (storage_options(text) or {}) if options is None else options)
