"""The state of a training run: a record for each phase, written once, when the phase is done.

A record vouches for what its phase has made, under the identity of everything that the phase has read. Without a record
of that identity the phase is not done, whatever files lie there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assets.stages.day import Check
from foundation.atomic import write_json


class PhaseRecord(BaseModel):
    """What a phase has come to.

    Attributes:
        phase: Its name.
        identity: Of everything that it has read.
        report: Plain JSON values that describe what it has made.
        checks: Check results, as plain JSON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phase: str
    identity: str
    report: dict[str, Any]
    checks: list[dict[str, Any]] = Field(default_factory=list)

    def results(self) -> tuple[Check, ...]:
        """The check results."""
        return tuple(Check(**check) for check in self.checks)


def recorded(folder: Path, phase: str, identity: str) -> PhaseRecord | None:
    """The record of a phase under an identity, or None when it has not been done so, or nobody can tell any more."""
    try:
        content = (folder / f"{phase}.json").read_text(encoding="utf-8")
        found = PhaseRecord.model_validate_json(content)
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError, ValidationError):
        return None
    return found if (found.phase, found.identity) == (phase, identity) else None


def write_record(
    folder: Path, phase: str, identity: str, report: Mapping[str, Any], checks: Sequence[Check] = ()
) -> PhaseRecord:
    """Say that a phase is done; whatever it has made must be complete by now."""
    # As it will be read, so that the first report and a later one are the same.
    plain = json.loads(json.dumps(dict(report), default=str))
    record = PhaseRecord(phase=phase, identity=identity, report=plain, checks=[check.to_json() for check in checks])
    write_json(folder / f"{phase}.json", record.model_dump(mode="json"))
    return record


def read(path: Path) -> Any:
    """What a task has written as JSON."""
    return json.loads(path.read_text(encoding="utf-8"))
