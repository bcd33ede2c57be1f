"""The decoders that there are: what each recognises, and which content codings of HTTP it undoes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import ClassVar, Protocol

from crawlers.decode.source import Damage, Source
from foundation.registry import Registry


class Decoder(Protocol):
    """Undoes one layer around the bytes of a file: a compression, or an archive of several files.

    Attributes:
        codings: the names that HTTP's `Content-Encoding` has for it.
        marked: whether files of its kind begin with a mark, so that they are known without being announced.
    """

    codings: ClassVar[tuple[str, ...]]
    marked: ClassVar[bool]

    def recognises(self, head: bytes) -> bool:
        """Whether bytes that begin like this are of its kind; `head` is the first block, or the whole when shorter."""

    def packed(self, content: bytes) -> bytes:
        """The content as a file of its kind: what the test that every decoder passes undoes again."""

    def opened(
        self, source: Source, damages: list[Damage]
    ) -> AbstractContextManager[Iterator[tuple[str | None, Source]]]:
        """What is inside, in order: the name of each member (none where there is but one), and its bytes.

        Nothing in the content raises: what is wrong with the layer itself is added to `damages`, what is wrong with a
        member to those of its own source when it is read. A member is read before the next is asked for.
        """


DECODERS: Registry[Decoder] = Registry(
    "decoder", "Undoes a compression, or opens an archive, around the files of a source; chosen by their first bytes."
)
