"""Zip archives: every member is a file of its own. One that was cut is read by the headers of its members."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, ClassVar

from crawlers.decode.bzip2 import Bzip2
from crawlers.decode.compressed import Compression
from crawlers.decode.deflate import RawDeflate
from crawlers.decode.registry import DECODERS
from crawlers.decode.source import BLOCK_BYTES, Damage, Source
from crawlers.decode.spool import spooled, stretch
from crawlers.decode.xz import Xz
from crawlers.decode.zstd import Zstd

_STORED = 0
_METHODS: Mapping[int, Compression] = {8: RawDeflate(), 12: Bzip2(), 93: Zstd(), 95: Xz()}
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 0x1, 0x8, 0x800
_ZIP64 = 0xFFFFFFFF


@dataclass(frozen=True)
class _Entry:
    """A member: where its compressed bytes are, how many (none: unknown), and what they should become."""

    name: str
    start: int
    size: int | None
    method: int
    flags: int
    checksum: int | None


class Zip:
    """Opens zip archives (stored, deflated, bzip2, xz or Zstandard members; not encrypted ones)."""

    codings: ClassVar[tuple[str, ...]] = ()
    marked: ClassVar[bool] = True

    def recognises(self, head: bytes) -> bool:
        """By the header of the first member, or the end of an archive without any."""
        return head.startswith((_LOCAL_MAGIC, b"PK\x05\x06"))

    def packed(self, content: bytes) -> bytes:
        """An archive with the content as its only member."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("member", content)
        return file.getvalue()

    @contextmanager
    def opened(self, source: Source, damages: list[Damage]) -> Iterator[Iterator[tuple[str | None, Source]]]:
        """The members, in the order of the directory."""
        with spooled(source, damages) as file:
            yield _members(file, damages)


def _members(file: IO[bytes], damages: list[Damage]) -> Iterator[tuple[str | None, Source]]:
    try:
        with zipfile.ZipFile(file) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error) as error:
        detail = f"the zip archive has no readable directory ({error}); what its members' own headers tell was read"
        damages.append(Damage("truncated_file", detail))
        entries = _found(file)
    else:
        entries = (_listed(file, info) for info in listed if not info.is_dir())
    for entry in entries:
        yield entry.name, _source(file, entry)


def _listed(file: IO[bytes], info: zipfile.ZipInfo) -> _Entry:
    file.seek(info.header_offset)
    header = file.read(_LOCAL.size)
    whole = len(header) == _LOCAL.size and header.startswith(_LOCAL_MAGIC)
    names = sum(_LOCAL.unpack(header)[-2:]) if whole else 0
    # Without its header nothing says where a member begins: no bytes, which the checksum tells.
    start, size = (info.header_offset + _LOCAL.size + names, info.compress_size) if whole else (0, 0)
    return _Entry(info.filename, start, size, info.compress_type, info.flag_bits, info.CRC)


def _found(file: IO[bytes]) -> Iterator[_Entry]:
    """Members by their own headers, from the beginning of the archive."""
    at = _next_header(file, 0)
    while at is not None:
        file.seek(at)
        header = file.read(_LOCAL.size)
        if len(header) < _LOCAL.size:
            return
        _, _, flags, method, _, _, checksum, size, _, name_bytes, extra_bytes = _LOCAL.unpack(header)
        name = file.read(name_bytes).decode("utf-8" if flags & _UTF8 else "cp437", errors="replace")
        start = at + _LOCAL.size + name_bytes + extra_bytes
        known = not flags & _SIZES_FOLLOW and size != _ZIP64
        if not name.endswith("/"):
            yield _Entry(name, start, size if known else None, method, flags, checksum if known else None)
        at = _next_header(file, start + size if known else start)


def _next_header(file: IO[bytes], at: int) -> int | None:
    file.seek(at)
    held = b""
    while block := file.read(BLOCK_BYTES):
        held += block
        if (found := held.find(_LOCAL_MAGIC)) >= 0:
            return at + found
        at += len(held) - 3
        held = held[-3:]
    return None


def _source(file: IO[bytes], entry: _Entry) -> Source:
    if entry.flags & _ENCRYPTED:
        return Source.nothing(Damage("encrypted", "a member of a zip archive that needs a password"))
    if entry.method == _STORED and entry.size is not None:
        return _checked(stretch(file, entry.start, entry.size), entry.checksum)
    if entry.method not in _METHODS:
        return Source.nothing(Damage("unsupported_compression", f"zip method {entry.method}"))
    decoder = _METHODS[entry.method]
    if entry.size is None:
        # What follows the end of the data is the next member.
        return decoder.decoded(stretch(file, entry.start, None), trailing=True)
    # Compressed data tell by themselves that they were cut.
    return _checked(decoder.decoded(stretch(file, entry.start, entry.size, tell=False)), entry.checksum)


def _checked(source: Source, checksum: int | None) -> Source:
    def read(damages: list[Damage]) -> Iterator[bytes]:
        known = len(damages)
        found = 0
        for block in source.read(damages):
            found = zlib.crc32(block, found)
            yield block
        if checksum is not None and found != checksum and len(damages) == known:
            detail = "the checksum of the member is another one than the archive says"
            damages.append(Damage("corrupt_file", detail, whole=True))

    return Source(read)


DECODERS.register("zip", Zip())
