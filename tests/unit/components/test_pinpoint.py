"""Where the culprit of an error stands."""

import doctest

import pytest

from assets.components import pinpoint as module
from assets.components.pinpoint import pinpoint

TABLE = {
    "name": "events",
    "steps": [
        {"reject": {"when": "price < 0", "reason": "negative"}},
        {"reject": {"when": "price > 9", "reason": "dear"}},
    ],
    "functions": [{"name": "cheap", "when": "price < 2"}, {"name": "dear", "when": "price > 5"}],
}


@pytest.mark.parametrize(
    ("message", "base", "expected"),
    [
        ("Step 2 'reject': SQL `price > 9` uses 'price'", ["steps"], ("steps", 1, "reject", "when")),
        ("function 'dear': 'price > 5' uses 'price'", ["functions"], ("functions", 1, "when")),
        ("function 'dear' votes for nothing", ["functions"], ("functions", 1)),
        ("unknown key 'reason'", ["steps", 1, "reject"], ("steps", 1, "reject", "reason")),
        ("'events' has no 'nothing'; did you mean 'cheap'?", [], ()),
        ("Step 7 is not there", ["steps"], ("steps",)),
        ("something is wrong", ["steps", 1, "a tag of a union", "reject"], ("steps", 1, "reject")),
        ("something is wrong", ["nowhere"], ()),
    ],
)
def test_the_innermost_field_that_is_named_is_found(message, base, expected):
    assert pinpoint(TABLE, message, base) == expected


def test_examples_in_the_documentation_hold():
    assert doctest.testmod(module).failed == 0
