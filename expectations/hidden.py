"""What a gate does not tell: the values of columns that are about persons.

Whether an expectation was met, how many rows were not as expected, and numbers computed over a column are told of every
column; single values only of those that are not about a person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expectations.declaration import ExpectationSpec

NOT_TOLD = "an error that is not told, because the column is about persons; look into the staged rows"
# They speak of rows and columns as a whole.
_OF_NO_VALUES = "expect_table_"


def hides(spec: ExpectationSpec, hidden: Collection[str]) -> bool:
    """Whether a result may hold values of a hidden column; that of an expectation that names no column may hold any."""
    if not hidden or spec.type.startswith(_OF_NO_VALUES):
        return False
    return not spec.columns or not set(spec.columns).isdisjoint(hidden)


def numbers_only(result: Mapping[str, Any]) -> dict[str, Any]:
    """What of the details of a result is a number: counts, shares, means."""
    return {name: value for name, value in result.items() if value is None or isinstance(value, bool | int | float)}


def without_messages(info: Mapping[str, Any]) -> dict[str, Any]:
    """Great Expectations' account of what was raised, without words that may quote a value."""
    return {
        name: without_messages(value)
        if isinstance(value, Mapping)
        else NOT_TOLD
        if isinstance(value, str) and value
        else value
        for name, value in info.items()
    }
