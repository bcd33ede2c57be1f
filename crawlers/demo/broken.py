"""The days on which the shop's log has a broken schema: one answer, whoever starts the shop.

Two days of January 2026 always have, and no other, unless `make demo` chose one to show what a gate does. What it chose
is kept in the lake that was crawled, so that the shop which a nightly crawl starts for itself serves the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date

from foundation.store import Store, open_store, update

BROKEN_DAYS = frozenset({date(2026, 1, 10), date(2026, 1, 24)})
BROKEN_DAYS_VARIABLE = "SLUICE_DEMO_BROKEN_DAYS"
LAKE_VARIABLE = "SLUICE_LAKE"
RECORD = "demo_shop.json"
_KEPT_GOOD = 2


def broken_days(lake: str | None = None) -> frozenset[date]:
    """The broken days of the shop that a lake is crawled from.

    Args:
        lake: Its root; `SLUICE_LAKE`, or `data/lake`.

    Returns:
        What `SLUICE_DEMO_BROKEN_DAYS` says if it is set, empty too; else those of January 2026 and what was remembered.

    Raises:
        ValueError: The variable, or the record in the lake, does not hold dates.
    """
    declared = _declared()
    return BROKEN_DAYS | _remembered(_store(lake)) if declared is None else declared


def choose(days: Sequence[date], lake: str | None = None) -> date | None:
    """The broken day among the days of a demo; remembers it when it had to choose one.

    It is none of the last two, which a model is validated and tested on.

    Args:
        days: The days of the demo, in order.
        lake: As in `broken_days`.

    Returns:
        The day; None if the variable says that no day of these is broken.

    Raises:
        ValueError: One of the last two days is broken already: what was served once does not change.
    """
    known = broken_days(lake)
    early, last = days[:-_KEPT_GOOD], days[-_KEPT_GOOD:]
    if clash := sorted(known.intersection(last)):
        raise ValueError(
            f"The demo needs its last two days whole, but the shop's log of {clash[0]} is broken; "
            f"choose another --last."
        )
    if there := sorted(known.intersection(early)):
        return there[0]
    if _declared() is not None or not early:
        return None
    chosen = days[max(len(days) // 2 - 1, 0)]

    def with_it(before: bytes | None) -> bytes:
        return json.dumps({"broken_days": sorted({*map(str, _dates(before)), str(chosen)})}).encode()

    update(_store(lake), RECORD, with_it)
    return chosen


def _declared() -> frozenset[date] | None:
    text = os.environ.get(BROKEN_DAYS_VARIABLE)
    if text is None:
        return None
    try:
        return frozenset(date.fromisoformat(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(
            f"{BROKEN_DAYS_VARIABLE} must hold dates with commas between, such as 2026-03-01,2026-03-08: {error}"
        ) from error


def _store(lake: str | None) -> Store:
    return open_store(lake or os.environ.get(LAKE_VARIABLE) or "data/lake")


def _remembered(store: Store) -> frozenset[date]:
    content = store.content(RECORD)
    return _dates(None if content is None else content.data)


def _dates(content: bytes | None) -> frozenset[date]:
    if content is None:
        return frozenset()
    try:
        return frozenset(date.fromisoformat(text) for text in json.loads(content)["broken_days"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{RECORD} in the lake holds no broken days ({error}); delete it.") from error
