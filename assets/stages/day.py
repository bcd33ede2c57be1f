"""What became of one day in one stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Status = Literal["published", "unchanged", "refused", "blocked", "failed"]
"""
published: new content is visible.
unchanged: the inputs and the declaration are those of what is published already; nothing was done.
refused: a critical expectation failed; the last good content stands, the staged files are kept.
blocked: an input has no published content for this day.
failed: something broke; the last good content stands.
"""


@dataclass(frozen=True)
class Check:
    """One check result of one day.

    Attributes:
        name: A slug, unique within the stage.
        passed: Whether it held.
        severity: "error" stops what depends on the day, "warning" only reports.
        description: One sentence for people.
        metadata: Plain JSON values: observed value, examples, bounds.
    """

    name: str
    passed: bool
    severity: Literal["error", "warning"] = "error"
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, for the ledger."""
        return {
            "name": self.name,
            "passed": self.passed,
            "severity": self.severity,
            "description": self.description,
            "metadata": dict(self.metadata),
        }


@dataclass(frozen=True)
class DayResult:
    """What became of one day.

    Attributes:
        day: The partition.
        status: See `Status`.
        report: Plain JSON values that describe the content: rows, reasons, versions, digests.
        checks: Check results of the day.
        message: Why, and what to do next, when nothing was published.
        transient: Whether trying again by itself may help: a server was down, a process died. A declaration that does
            not fit, or a gate that refuses, stays as it is however often it is tried.
    """

    day: date
    status: Status
    report: Mapping[str, Any] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    message: str = ""
    transient: bool = False

    @property
    def visible(self) -> bool:
        """Whether the day has up-to-date published content after this stage."""
        return self.status in ("published", "unchanged")
