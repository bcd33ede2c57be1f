"""Decoding: landed bytes, compressed or packed in archives, become the bytes of the files within.

A decoder is one file here, registered by name.
"""

from crawlers.decode import brotli, bzip2, deflate, gzip, tar, xz, zip, zstd  # noqa: A004 - a module, named after what it reads
from crawlers.decode.members import Member, members
from crawlers.decode.registry import DECODERS, Decoder
from crawlers.decode.source import Damage, Source
from crawlers.decode.spool import spooled

MODULES = (brotli, bzip2, deflate, gzip, tar, xz, zip, zstd)
"""The modules of the decoders, imported so that they register."""

__all__ = ["DECODERS", "MODULES", "Damage", "Decoder", "Member", "Source", "members", "spooled"]
