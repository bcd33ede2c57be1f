"""A store on an S3-compatible object store. Its writes are whole and durable, and conditional where they must be."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import obstore
from obstore import exceptions

from foundation.store.cache import cached
from foundation.store.errors import ConflictError, StoreError
from foundation.store.lease import Lease, leased
from foundation.store.protocol import Content, FileInfo, checked

_PIECE = 8 << 20


class ObjectStore:
    """Objects below a prefix.

    Args:
        root: The URI of the prefix: `s3://bucket/prefix`.
        options: As object_store takes them, with `aws_` and the like before their names.
    """

    def __init__(self, root: str, options: Mapping[str, str]) -> None:
        self.root = root.rstrip("/")
        self._options = dict(options)

    def uri(self, path: str) -> str:
        """The URI of an object."""
        return f"{self.root}/{checked(path)}"

    def local(self, path: str) -> Path | None:
        """None: nothing lies in the file system."""
        del path
        return None

    def info(self, path: str) -> FileInfo | None:
        """What is known of an object, or None."""
        with self._told(path):
            try:
                return _as_info(obstore.head(self._client, checked(path)))
            except FileNotFoundError:
                return None

    def walk(self, folder: str = "") -> list[FileInfo]:
        """Every object below a prefix."""
        with self._told(folder):
            pages = obstore.list(self._client, prefix=checked(folder) if folder else None)
            return sorted((_as_info(meta) for page in pages for meta in page), key=lambda info: info.path)

    def folders(self, folder: str = "") -> list[str]:
        """The prefixes directly below a prefix."""
        with self._told(folder):
            found = obstore.list_with_delimiter(self._client, prefix=checked(folder) if folder else None)
        return sorted(prefix.rstrip("/").rsplit("/", 1)[-1] for prefix in found["common_prefixes"])

    def read(self, path: str) -> bytes:
        """An object's content."""
        with self._told(path):
            return bytes(obstore.get(self._client, checked(path)).bytes())

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """A part of an object."""
        # A range that begins beyond the end is an error to the server, where a file gives nothing.
        with self.open(path) as file:
            file.seek(start)
            return bytes(file.read(length))

    def content(self, path: str) -> Content | None:
        """An object's content with the etag that came with it."""
        with self._told(path):
            try:
                answer = obstore.get(self._client, checked(path))
                return Content(bytes(answer.bytes()), str(answer.meta["e_tag"]))
            except FileNotFoundError:
                return None

    def open(self, path: str) -> IO[bytes]:
        """A reader that can seek."""
        with self._told(path):
            return io.BufferedReader(_Ranges(obstore.open_reader(self._client, checked(path), buffer_size=1 << 20)))

    def write(self, path: str, data: bytes) -> str:
        """Put an object."""
        with self._told(path):
            return str(obstore.put(self._client, checked(path), data)["e_tag"])

    def put_if_absent(self, path: str, data: bytes) -> str:
        """Put an object that must not exist."""
        with self._told(path):
            return str(obstore.put(self._client, checked(path), data, mode="create")["e_tag"])

    def put_if_match(self, path: str, data: bytes, etag: str) -> str:
        """Put an object that must still have an etag."""
        with self._told(path):
            return str(obstore.put(self._client, checked(path), data, mode={"e_tag": etag})["e_tag"])

    def upload(self, source: Path, path: str, *, move: bool = False) -> FileInfo:
        """Put a local file, a large one in parts; it becomes visible when all of them are there."""
        with self._told(path):
            obstore.put(self._client, checked(path), source, chunk_size=_PIECE, max_concurrency=4)
            info = _as_info(obstore.head(self._client, path))
        if move:
            source.unlink()
        return info

    def upload_folder(self, source: Path, folder: str, *, last: str) -> None:
        """Put all files of a local folder, the one that says that all are there at the end."""
        if not (source / last).is_file():
            raise FileNotFoundError(f"{source / last} is missing: it is the file that says that {folder} is complete.")
        if self.info(f"{folder}/{last}") is not None:
            raise ConflictError(f"{self.uri(folder)} is there already; choose another place.")
        names = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
        for name in names:
            if name != last:
                self.upload(source / name, f"{folder}/{name}")
        self.upload(source / last, f"{folder}/{last}")

    def fetch(self, path: str) -> Path:
        """A copy of an object in the cache."""
        info = self.info(path)
        if info is None:
            raise FileNotFoundError(f"{self.uri(path)} does not exist.")
        return cached([self.root, info.path, info.etag], path.rsplit("/", 1)[-1], lambda to: self._download(info, to))

    def fetch_folder(self, folder: str, *, only: Collection[str] | None = None) -> Path:
        """A copy of objects below a prefix in the cache."""
        found = self.walk(folder)
        if only is not None:
            wanted = {f"{folder}/{name}" for name in only}
            found = [info for info in found if info.path in wanted]
        if not found:
            raise FileNotFoundError(f"{self.uri(folder)} does not exist.")

        def copy(to: Path) -> None:
            for info in found:
                self._download(info, to / info.path.removeprefix(f"{folder}/"))

        key = [self.root, *(f"{info.path} {info.etag}" for info in found)]
        return cached(key, folder.rsplit("/", 1)[-1], copy)

    def move(self, source: str, target: str) -> None:
        """Copy within the store, then remove the source."""
        self.link(source, target)
        self.remove(source)

    def link(self, source: str, target: str) -> None:
        """Copy within the store."""
        with self._told(source):
            obstore.copy(self._client, checked(source), checked(target))

    def remove(self, path: str) -> None:
        """Remove an object."""
        with self._told(path), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._client, checked(path))

    def remove_folder(self, folder: str) -> int:
        """Remove all objects below a prefix."""
        found = self.walk(folder)
        with self._told(folder):
            obstore.delete(self._client, [info.path for info in found])
        return sum(info.bytes for info in found)

    def make_folder(self, folder: str) -> None:
        """Do nothing: an object store has no folders."""

    def refresh(self, path: str) -> None:
        """Do nothing: only a copy would change an object's time. A clean-up's grace period has to cover a gate."""

    def secure(self, path: str) -> None:
        """Do nothing: a written object is durable."""

    @contextlib.contextmanager
    def lock(self, path: str, *, exclusive: bool = True) -> Iterator[Lease | _Unheld]:
        """Hold a lease; see the protocol about shared locks."""
        if not exclusive:
            yield _Unheld()
            return
        with leased(self, path) as lease:
            yield lease

    @functools.cached_property
    def _client(self) -> Any:
        # Not in the constructor: a store is opened when definitions load, where none may be needed or reachable.
        options = dict(self._options)
        client = {"allow_http": True} if options.pop("aws_allow_http", "") == "true" else {}
        options.pop("aws_conditional_put", None)  # what obstore does anyway
        return obstore.store.from_url(
            self.root,
            config=options,  # type: ignore[call-overload]
            client_options={**client, "timeout": "120s"},
            retry_config={"max_retries": 6},
        )

    def _download(self, info: FileInfo, to: Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        with self._told(info.path), to.open("wb") as file:
            # The very content that was looked at: the cache goes by its etag.
            for piece in obstore.get(self._client, info.path, options={"if_match": info.etag}).stream(_PIECE):
                file.write(piece)

    @contextlib.contextmanager
    def _told(self, path: str) -> Iterator[None]:
        """Turn the client's errors into ones that name the place and what to do."""
        where = f"{self.root}/{path}"
        try:
            yield
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError) as error:
            raise ConflictError(f"{where} was written by another writer meanwhile; read it again.") from error
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            raise StoreError(
                f"{where}: the object store refuses access. Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what "
                "the key may do."
            ) from error
        except exceptions.BaseError as error:
            first = str(error).strip().split("\n")[0]
            raise StoreError(
                f"{where}: the object store did not answer as it should: {first}. Check AWS_ENDPOINT_URL, the bucket "
                "and the network."
            ) from error


class _Unheld:
    """A shared lock that nobody holds."""

    fence = 0

    def check(self) -> None:
        """Do nothing."""


class _Ranges(io.RawIOBase):
    """An obstore reader as Python's own kind of file, which pyarrow and others ask for."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())

    def readinto(self, buffer: Any) -> int:
        piece = self._reader.read(len(buffer))
        buffer[: len(piece)] = memoryview(piece)
        return len(piece)


def _as_info(meta: Any) -> FileInfo:
    return FileInfo(meta["path"], meta["size"], meta["last_modified"], str(meta["e_tag"]))
