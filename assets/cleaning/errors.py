"""What can be wrong with a cleaning declaration."""

from __future__ import annotations

from foundation.located import LocatedError


class CleaningError(LocatedError):
    """A table's declaration does not fit its sources; the message names table, step, culprit and fix."""


class StepError(CleaningError):
    """A step does not fit the columns that it meets; the message names the culprit and the fix, not yet the table."""
