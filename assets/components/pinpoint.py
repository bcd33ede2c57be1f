"""Where in a declaration the culprit of an error stands: errors name it, so it is looked for by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

Location = tuple[str | int, ...]

_NUMBERED = re.compile(r"\b(?:step|entry|feature) (\d+)", re.IGNORECASE)
_QUOTED = re.compile(r"'([^']+)'|`([^`]+)`|\"([^\"]+)\"")


def pinpoint(attributes: Any, message: str, base: Sequence[str | int] = ()) -> Location:
    """The location of the field that an error is about.

    Args:
        attributes: The declaration, as it was read from YAML.
        message: The error. Its numbers and quoted words lead the way, from the outermost to the innermost; proposals
            after "did you mean" do not.
        base: Where to begin.

    Returns:
        The location of the innermost field that the message names, below `base`; `base` itself (as far as it stands in
        the declaration) when none is found.

    >>> steps = [{"reject": {"when": "a > 1"}}, {"reject": {"when": "b > 1"}}]
    >>> pinpoint({"name": "t", "steps": steps}, "Step 2 'reject': SQL `b > 1` uses column 'b'", ["steps"])
    ('steps', 1, 'reject', 'when')
    """
    culprit = message.split("did you mean", maxsplit=1)[0]
    location, node = _descend(attributes, base)
    for number in _NUMBERED.findall(culprit):
        if isinstance(node, list) and 0 < int(number) <= len(node):
            location, node = (*location, int(number) - 1), node[int(number) - 1]
    own = attributes.get("name") if isinstance(attributes, dict) else None
    for groups in _QUOTED.findall(culprit):
        word = next(filter(None, groups))
        found = None if word == own else _find(node, word)
        if found is not None:
            below, node = _descend(node, found)
            location = (*location, *below)
    return location


def _descend(node: Any, path: Sequence[str | int]) -> tuple[Location, Any]:
    """Follow a path; parts that stand nowhere in the declaration, such as the tags of unions, are skipped."""
    taken: list[str | int] = []
    for part in path:
        children = dict(enumerate(node)) if isinstance(node, list) else node
        if isinstance(children, dict) and part in children:
            node = children[part]
            taken.append(part)
    return tuple(taken), node


def _find(node: Any, word: str) -> Location | None:
    """The first place below a node that is the word, or else the first that contains it."""
    whole = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    for matches in (lambda text: text == word, whole.search):
        for location, text in _texts(node):
            if matches(text):
                # What has this name is meant, not its name.
                return location[:-1] if location and location[-1] == "name" and text == word else location
    return None


def _texts(node: Any) -> Iterator[tuple[Location, str]]:
    """Keys and scalars with their locations, in the order of the file."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield (key,), str(key)
            yield from (((key, *location), text) for location, text in _texts(value))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from (((number, *location), text) for location, text in _texts(value))
    else:
        yield (), str(node)
