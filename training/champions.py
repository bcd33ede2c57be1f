"""Who is champion and who made it so: the record of every switch, and the rules by which one is allowed.

Nothing here touches a file: `training.publish` keeps the record, and every change of it is one of these functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Way = Literal["blessed", "rolled back", "promoted"]
"""
blessed: a candidate met the bounds of its declaration on a day, and no person was asked.
rolled back: a person went back to an earlier champion.
promoted: a person chose a version.
"""


class SwitchError(ValueError):
    """The champion was not switched; the message says why and what to do."""


class Switch(BaseModel):
    """One version became the champion.

    Attributes:
        version: Its name.
        as_of: The day that it was trained as of.
        way: How it came to be the champion.
        by: Whose decision it was: a person, or the run that blessed it.
        reason: Why.
        at: When, in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    as_of: date
    way: Way
    by: str
    reason: str
    at: datetime


class Record(BaseModel):
    """All switches of a model, oldest first: what `champion.json` holds. The last one tells the champion.

    >>> from datetime import UTC
    >>> def switch(day, way="blessed"):
    ...     at = datetime(2026, 1, day, tzinfo=UTC)
    ...     return Switch(version=f"v{day}", as_of=at.date(), way=way, by="run 1", reason="better", at=at)
    >>> record = Record(switches=(switch(1), switch(2), switch(1, "rolled back")))
    >>> record.current.version, record.line(), record.newest.day, record.held
    ('v1', ('v1',), 2, True)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    switches: tuple[Switch, ...] = Field(min_length=1)

    @property
    def version(self) -> str:
        """The champion's version."""
        return self.current.version

    @property
    def current(self) -> Switch:
        """The switch that made the champion."""
        return self.switches[-1]

    @property
    def newest(self) -> date:
        """The newest day that any champion was trained as of."""
        return max(switch.as_of for switch in self.switches)

    @property
    def held(self) -> bool:
        """Whether a person chose the champion, which then stays until a newer day is blessed or a person lets go."""
        return self.current.way != "blessed"

    def line(self) -> tuple[str, ...]:
        """The versions that going back leads through, oldest first, the champion last."""
        versions: list[str] = []
        for switch in self.switches:
            if switch.way == "rolled back" and switch.version in versions:
                while versions[-1] != switch.version:
                    versions.pop()
            elif versions[-1:] != [switch.version]:
                versions.append(switch.version)
        return tuple(versions)

    def as_of(self, version: str) -> date | None:
        """The day that a version which was champion was trained as of."""
        return next((switch.as_of for switch in self.switches if switch.version == version), None)

    def opponent(self, day: date, *, besides: str = "") -> str | None:
        """The champion that a candidate of a day has to stand against: the last one of that day or before.

        Neither the candidate itself nor a later model, which has seen the days that it would be measured on. So a day
        that is compared again meets the same opponent as the first time.

        Args:
            day: That the candidate is trained as of.
            besides: How the candidate's own versions begin.
        """
        earlier = [one.version for one in self.switches if one.as_of <= day]
        others = [one for one in earlier if not (besides and one.startswith(besides))]
        return others[-1] if others else None


def blessed(record: Record | None, switch: Switch, *, asked: bool = False) -> tuple[Record, str]:
    """What a blessed candidate makes of the record.

    It replaces an older champion, or one of the same day that no person chose; unasked, it replaces no other.

    Args:
        record: So far, or None before the first champion.
        switch: To the candidate.
        asked: Whether a person asked for this very decision. Then it also replaces what a person chose, as long as it
            is not older than any champion so far.

    Returns:
        The record, unchanged where the champion stays, and then why it stays; else an empty text.
    """
    if record is None:
        return Record(switches=(switch,)), ""
    if record.version == switch.version:
        return record, ""
    way_out = f"To switch in spite of that, run `python -m training promote MODELS {switch.version} --by … --reason …`."
    if switch.as_of < record.newest:
        since = next(one for one in reversed(record.switches) if one.as_of == record.newest)
        return record, (
            f"The champion stays {record.version}: {switch.version} was trained as of {switch.as_of}, and "
            f"{since.version} of {record.newest} has been champion since. {way_out}"
        )
    if switch.as_of == record.newest and record.held and not asked:
        held = record.current
        return record, (
            f"The champion stays {record.version}: it was {held.way} by {held.by} ({held.reason}), which holds until a "
            f"day after {record.newest} is blessed. {way_out}"
        )
    return _and(record, switch), ""


def rolled_back(record: Record | None, *, to: str | None) -> str:
    """The version that a person goes back to.

    Args:
        record: So far.
        to: One of the versions that were champion; by default the one before the present.

    Raises:
        SwitchError: There is no such champion.
    """
    line = record.line() if record else ()
    if to is not None:
        if record is None or record.as_of(to) is None:
            known = ", ".join(dict.fromkeys(s.version for s in record.switches)) if record else "none"
            raise SwitchError(
                f"Version '{to}' was never champion, so there is no going back to it; champions were: {known}. "
                f"A version that was not champion is chosen with `python -m training promote`."
            )
        if record.version == to:
            raise SwitchError(f"Version '{to}' is the champion already.")
        return to
    if len(line) < 2:
        raise SwitchError("There is no earlier champion to go back to.")
    return line[-2]


def chosen(record: Record | None, switch: Switch) -> Record:
    """The record after a person's choice; choosing the champion itself makes it hold.

    Raises:
        SwitchError: Nobody is named, or no reason.
    """
    for what, value in (("who decides", switch.by), ("the reason", switch.reason)):
        if not value.strip():
            raise SwitchError(f"A switch goes on the record, and {what} is empty; give both --by and --reason.")
    return Record(switches=(switch,)) if record is None else _and(record, switch)


def _and(record: Record, switch: Switch) -> Record:
    return Record(switches=(*record.switches, switch))


def told(switches: Sequence[Switch]) -> str:
    """The switches for people, the newest first, a line each."""
    return "".join(
        f"{one.at:%Y-%m-%d %H:%M:%S}  {one.version}  {one.way} by {one.by}: {one.reason}\n"
        for one in reversed(switches)
    )
