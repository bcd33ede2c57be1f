"""Errors that carry where in a declaration the culprit stands, so that nobody has to guess it from the message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, TypeAlias

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

Location: TypeAlias = tuple[str | int, ...]
"""Keys and positions from the root of a declaration to the culprit, as pydantic's `loc`: `("steps", 1, "reject")`."""


class LocatedError(ValueError):
    """A declaration cannot be used.

    A `ValueError`, so that pydantic reports it beside the field whose validator raised it; `location` then goes on from
    that field.

    Args:
        message: Names the subject, the culprit and the fix.
        location: Where the culprit stands, seen from where the error is raised. Whoever passes the error on adds what
            stands above, with `within`.
    """

    def __init__(self, message: str, location: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.location: Location = tuple(location)

    def within(self, *above: str | int) -> Self:
        """The same error, seen from further above.

        >>> LocatedError("Column 'x' is not there.", ["when"]).within("steps", 2, "reject").location
        ('steps', 2, 'reject', 'when')
        """
        self.location = (*above, *self.location)
        return self

    def about(self, lead: str) -> Self:
        """The same error with a lead before its message, such as `Table 'orders': `."""
        self.message = f"{lead}{self.message}"
        self.args = (self.message,)
        return self


def relocated(error: ValidationError, *above: str | int) -> ValidationError:
    """The same problems of a model, seen from further above; raised by a validator, they are reported beside others."""
    problems: list[InitErrorDetails] = []
    for problem in error.errors():
        details = {"type": problem["type"], "loc": (*above, *problem["loc"]), "input": problem["input"]}
        problems.append(InitErrorDetails(**details, ctx=problem.get("ctx", {})))  # type: ignore[typeddict-item]
    return ValidationError.from_exception_data(error.title, problems)


def location_of(problem: Any) -> Location:
    """Where the culprit of one of pydantic's `ValidationError.errors()` stands, as far as it is known.

    Args:
        problem: An entry with `loc`, and in its `ctx` perhaps the `LocatedError` that a validator raised.
    """
    error = (problem.get("ctx") or {}).get("error")
    below = error.location if isinstance(error, LocatedError) else ()
    return (*problem["loc"], *below)
