"""A landed file as what is inside: its content codings undone, then its compressions, then its archives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crawlers.decode.registry import DECODERS, Decoder
from crawlers.decode.source import Damage, Source

MAX_LAYERS = 5
MAX_MEMBERS = 10_000

# What cannot be opened, but can be named.
_UNSUPPORTED: Mapping[bytes, str] = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\x1f\x9d": "compress (.Z)",
}
_UNSUPPORTED_CODINGS = frozenset({"compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip"})
# What macOS and archivers add beside the files that were packed.
_NOT_PACKED = ("__MACOSX/", ".DS_Store", "._")


@dataclass
class Member:
    """A file within a landed file, or that itself.

    Attributes:
        name: its path within archives, `a.zip` in `b.tar` joined by `!/`; empty for what is in none.
        source: its bytes; reading them stops at the bound that the landed file has for all its members together.
        foreign: whether it is what archivers add, not what was packed.
    """

    name: str
    source: Source
    foreign: bool = False


@dataclass
class _Budget:
    """How many bytes of a landed file may still be read, all members together."""

    bytes: int
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.bytes

    def bounded(self, source: Source) -> Source:
        """The same bytes, as far as they are within the bound."""

        def read(damages: list[Damage]) -> Iterator[bytes]:
            for block in source.read(damages):
                if len(block) > self.left:
                    damages.append(Damage("decompression_bomb", f"more than {self.bytes} bytes once decompressed"))
                    yield block[: self.left]
                    self.left = 0
                    return
                self.left -= len(block)
                yield block

        return Source(read, source.path)


def members(
    path: Path, *, content_encoding: str | None = None, max_bytes: int, max_members: int = MAX_MEMBERS
) -> Iterator[Member]:
    """What is inside a landed file. Nothing in its content raises.

    A member is to be read before the next is asked for. What is wrong with an archive itself is told by a last member
    without bytes.

    Args:
        path: the landed file.
        content_encoding: as the server declared it; what it declares and the bytes are not is passed over.
        max_bytes: decompressed bytes after which reading stops with the damage `decompression_bomb`.
        max_members: members of archives after which reading stops with the damage `too_many_members`.
    """
    codings = [coding.strip().lower() for coding in (content_encoding or "").split(",")]
    if unsupported := next((coding for coding in codings if coding in _UNSUPPORTED_CODINGS), None):
        yield Member(
            "", Source.nothing(Damage("unsupported_compression", f"Content-Encoding {unsupported}; {_read()}"))
        )
        return
    budget = _Budget(max_bytes)
    opened = _opened(Source.of_file(path), codings, "", max_bytes, 0)
    for number, member in enumerate(opened):
        if number >= max_members:
            yield Member("", Source.nothing(Damage("too_many_members", f"more than {max_members} in one file")))
            return
        yield Member(member.name, budget.bounded(member.source), member.foreign)


def _opened(source: Source, codings: list[str], name: str, max_bytes: int, layers: int) -> Iterator[Member]:
    head = source.head()
    decoder, codings = _decoder(head, codings)
    if decoder is None:
        if kind := next((title for magic, title in _UNSUPPORTED.items() if head.startswith(magic)), None):
            source = Source.nothing(Damage("unsupported_compression", f"{kind}; {_read()}"))
        yield Member(name, source)
        return
    if layers == MAX_LAYERS:
        detail = f"more than {MAX_LAYERS} compressions and archives around each other"
        yield Member(name, Source.nothing(Damage("nested_too_deeply", detail)))
        return
    damages: list[Damage] = []
    with decoder.opened(source, damages) as inside:
        for inner, inner_source in inside:
            path = "!/".join(filter(None, (name, inner)))
            if inner is not None and _foreign(inner):
                yield Member(path, Source.nothing(), foreign=True)
                continue
            # Each layer has the bound for itself, since what is in between is written to disk for archives.
            bounded = Source(lambda found, each=inner_source: _Budget(max_bytes).bounded(each).read(found))  # type: ignore[misc]
            yield from _opened(bounded, codings, path, max_bytes, layers + 1)
    if damages:
        yield Member(name, Source.nothing(*damages))


def _decoder(head: bytes, codings: list[str]) -> tuple[Decoder | None, list[str]]:
    """What undoes the outermost layer, and the codings that are left: the last one declared was applied last."""
    rest = list(codings)
    while rest:
        coding = rest.pop()
        decoder = next((each for each in DECODERS.entries().values() if coding in each.codings), None)
        if decoder is not None and decoder.recognises(head):
            return decoder, rest
    return next((each for each in DECODERS.entries().values() if each.marked and each.recognises(head)), None), rest


def _foreign(name: str) -> bool:
    return name.startswith(_NOT_PACKED) or name.rsplit("/", 1)[-1].startswith(_NOT_PACKED)


def _read() -> str:
    return f"read are {', '.join(DECODERS)}"
