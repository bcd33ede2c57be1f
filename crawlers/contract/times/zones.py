"""Abbreviations of time zones that stand for one offset, and no other."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping

from foundation.located import LocatedError
from foundation.nearest import hint

#: Hours from UTC. Those of North America are fixed by RFC 5322; `IST`, `BST` and others mean several zones.
OFFSETS: Mapping[str, int] = {
    "UTC": 0, "UT": 0, "GMT": 0, "Z": 0,
    "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "JST": 9, "KST": 9,
}  # fmt: skip


def check_zone(zone: str) -> str:
    """An IANA name of a time zone, unless there is no such zone.

    Raises:
        LocatedError: there is none; the nearest is named.
    """
    known = zoneinfo.available_timezones()
    if zone not in known:
        raise LocatedError(f"zone '{zone}' is not an IANA time zone such as Europe/Berlin; {hint(zone, known)}")
    return zone
