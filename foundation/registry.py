"""Kinds of things by the names that declarations use: a registry refuses duplicates and explains misses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from foundation.located import LocatedError
from foundation.nearest import hint

T = TypeVar("T")

_ALL: dict[str, Registry[Any]] = {}


class UnknownNameError(LocatedError, LookupError):
    """Nothing is registered under a name; the message names the nearest one."""


class Registry(Generic[T]):
    """The kinds of one thing, by name.

    Every registry is known to `registries`, so that the reference and the contract tests cover each kind of each
    without another line.

    Args:
        noun: What is registered, in the singular and as messages call it: `step`, `crawl kind`.
        describes: One sentence for the reference.
    """

    def __init__(self, noun: str, describes: str = "") -> None:
        if noun in _ALL:
            raise ValueError(f"There is a registry of '{noun}' already; one noun names one thing")
        self.noun = noun
        self.describes = describes
        self._entries: dict[str, T] = {}
        _ALL[noun] = self

    def register(self, name: str, entry: T) -> T:
        """Register a kind under the word that declarations use.

        Raises:
            ValueError: The name is taken.
        """
        if name in self._entries:
            raise ValueError(
                f"{self.noun.capitalize()} '{name}' is registered already, by {_origin(self._entries[name])}; "
                "choose another name"
            )
        self._entries[name] = entry
        return entry

    def registered(self, name: str) -> Callable[[T], T]:
        """A decorator that registers a class or a function under a name."""
        return lambda entry: self.register(name, entry)

    def __getitem__(self, name: str) -> T:
        """The kind of a name.

        Raises:
            UnknownNameError: There is none.
        """
        if name not in self._entries:
            raise UnknownNameError(f"{self.noun.capitalize()} '{name}' is unknown; {hint(name, self._entries)}")
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self._entries)

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._entries))

    def entries(self) -> Mapping[str, T]:
        """All kinds by name, sorted."""
        return {name: self._entries[name] for name in self.names()}

    @contextmanager
    def temporarily(self, name: str, entry: T) -> Iterator[T]:
        """Register a kind for the length of a block: what tests and experiments need."""
        self.register(name, entry)
        try:
            yield entry
        finally:
            del self._entries[name]


def registries() -> Mapping[str, Registry[Any]]:
    """All registries by their noun, as far as the modules that hold them have been imported."""
    return dict(sorted(_ALL.items()))


def _origin(entry: object) -> str:
    for place in (entry, type(entry)):
        if getattr(place, "__module__", None) and getattr(place, "__qualname__", None):
            return f"{place.__module__}.{place.__qualname__}"  # type: ignore[attr-defined]
    return repr(entry)
