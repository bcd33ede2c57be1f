"""Problems of declarations, collected while all of them are loaded, so that a person sees every one at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Problem:
    """What is wrong with one declaration.

    Attributes:
        product: The folder of the product, below the root of all declarations.
        message: What names the file, the line, the culprit and the fix.
        follows: Whether it is there only because another declaration has a problem of its own.
    """

    product: str
    message: str
    follows: bool = False


@dataclass
class Problems:
    """The problems of one load.

    Attributes:
        absent: Names of the declarations that are left out, with the product whose problems they have.
        found: The problems, in the order in which they were met.
    """

    absent: Mapping[str, str] = field(default_factory=dict)
    found: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Take up a problem, once."""
        if problem not in self.found:
            self.found.append(problem)


_COLLECTING: ContextVar[Problems | None] = ContextVar("sluice_problems", default=None)


def collecting() -> Problems | None:
    """Where problems are collected at present; None where the first one is to be raised."""
    return _COLLECTING.get()


@contextmanager
def collect(absent: Mapping[str, str]) -> Iterator[Problems]:
    """Collect problems for the length of a block instead of raising the first one."""
    problems = Problems(absent)
    token = _COLLECTING.set(problems)
    try:
        yield problems
    finally:
        _COLLECTING.reset(token)
