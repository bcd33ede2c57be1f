"""Paths: where in a record the value of a column comes from.

A path is keys with dots between them, and behind a key what is taken of a list: `device.category`; `items[0].id` (the
first element); `items[].id` (of each element, which gives a list); `event_params[key=page].value.string_value` (of the
element whose `key` is `page`). A key with a dot or a bracket is written in double quotes. The empty text is the key of
the empty name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from foundation.located import LocatedError

_KEY = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."\[\]]+)')
_BRACKET = re.compile(r'\[(?:(-?[0-9]+)|([^=\[\]"]+)=(?:"((?:[^"\\]|\\.)*)"|([^\[\]"]*)))?\]')


@dataclass(frozen=True)
class Key:
    """The value of a key of an object."""

    name: str


@dataclass(frozen=True)
class Position:
    """An element of a list by its position, from 0, or from the end with -1."""

    number: int


@dataclass(frozen=True)
class Element:
    """The element of a list of objects whose key has a value."""

    key: str
    value: str


@dataclass(frozen=True)
class Each:
    """What comes after, of every element of a list."""


Segment: TypeAlias = Key | Position | Element | Each


@dataclass(frozen=True)
class Path:
    """A path.

    Attributes:
        text: as declared.
        segments: its parts; the first is a key, the name of the record's field.
    """

    text: str
    segments: tuple[Segment, ...]

    @property
    def field(self) -> str:
        """The field of the record that it begins at."""
        first = self.segments[0]
        assert isinstance(first, Key)  # noqa: S101 - `parse_path` makes no other
        return first.name

    @property
    def below(self) -> tuple[Segment, ...]:
        """What is reached within the field; nothing when the field itself is meant."""
        return self.segments[1:]

    @property
    def last_key(self) -> str:
        """The innermost key, by whose absence a path is found never to occur."""
        return next(segment.name for segment in reversed(self.segments) if isinstance(segment, Key))

    @property
    def many(self) -> bool:
        """Whether it gives a list."""
        return any(isinstance(segment, Each) for segment in self.segments)


def of_field(name: str) -> Path:
    """The path to a field of a record, whatever characters its name has."""
    return Path(name, (Key(name),))


def parse_path(text: str) -> Path:
    """A path from what a declaration writes.

    Raises:
        LocatedError: it is no path; the message says where it ends to be one.

    >>> parse_path("device.category").segments
    (Key(name='device'), Key(name='category'))
    >>> parse_path("event_params[key=page].value").segments
    (Key(name='event_params'), Element(key='key', value='page'), Key(name='value'))
    """
    if not text:
        return of_field("")
    segments: list[Segment] = []
    at = 0
    while True:
        key = _KEY.match(text, at)
        if key is None:
            raise _refused(text, at, "a key was expected; write a key with a dot or a bracket in double quotes")
        segments.append(Key(_unescaped(key[1]) if key[1] is not None else key[2]))
        at = key.end()
        while at < len(text) and text[at] == "[":
            bracket = _BRACKET.match(text, at)
            if bracket is None:
                raise _refused(text, at, "brackets hold nothing, a position, or key=value")
            segments.append(_bracketed(bracket))
            at = bracket.end()
        if at == len(text):
            break
        if text[at] != ".":
            raise _refused(text, at, "a dot was expected")
        at += 1
    path = Path(text, tuple(segments))
    if sum(isinstance(segment, Each) for segment in segments) > 1:
        raise LocatedError(f"path '{text}' holds [] twice; a list of lists is not kept")
    return path


def _bracketed(match: re.Match[str]) -> Segment:
    if match[1] is not None:
        return Position(int(match[1]))
    if match[2] is not None:
        return Element(match[2], _unescaped(match[3]) if match[3] is not None else match[4])
    return Each()


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _refused(text: str, at: int, reason: str) -> LocatedError:
    return LocatedError(f"path '{text}' cannot be read from {text[at:]!r} on: {reason}")
