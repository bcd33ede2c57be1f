"""A prefix of an object store."""

from collections.abc import Iterator

from crawlers.fault import CrawlError
from crawlers.folders.place import PIECE, ChangedError, Entry, MissingPlaceError
from foundation.store import FileInfo, StoreError, open_store


class Prefix:
    """All objects below a prefix; how the store is reached comes from the environment.

    Args:
        uri: `s3://bucket/prefix`.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri.rstrip("/")
        self._store = open_store(self._uri)

    def entries(self) -> list[Entry]:
        """All objects below the prefix."""
        try:
            found = self._store.walk()
        except (StoreError, OSError) as error:
            raise CrawlError(
                f"{self._uri} cannot be listed: {error}; check the bucket, and the variables AWS_ACCESS_KEY_ID, "
                f"AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL.",
                transient=True,
            ) from error
        if not found:
            raise MissingPlaceError(f"there is nothing below {self._uri}/")
        return [_entry(info) for info in found]

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """The content of an object, which is the one that was listed from beginning to end."""
        try:
            with self._store.open(entry.name) as file:
                while piece := file.read(PIECE):
                    yield piece
            now = self._store.info(entry.name)
        except FileNotFoundError:
            raise ChangedError from None
        except (StoreError, OSError) as error:
            raise CrawlError(f"{self._uri}/{entry.name} cannot be read: {error}; try later.", transient=True) from error
        if now is None or _entry(now) != entry:
            raise ChangedError


def _entry(info: FileInfo) -> Entry:
    return Entry(info.path, info.bytes, info.modified, info.etag)
