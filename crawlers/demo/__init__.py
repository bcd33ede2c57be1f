"""The demo shop: an honest little web site whose tastes are known, and whose logs are as dirty as real ones.

Everything is a pure function of the seed and the day. `python -m crawlers.demo` serves it on loopback.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

SEED = 7
SEED_VARIABLE = "SLUICE_DEMO_SEED"
BROKEN_DAYS_VARIABLE = "SLUICE_DEMO_BROKEN_DAYS"


def today() -> date:
    """The current day, UTC."""
    return datetime.now(UTC).date()


def truth(day: date, seed: int = SEED) -> pl.DataFrame:
    """Whether each visitor truly cared: event_id, user_id, item_id, ts (epoch ms), engaged (Boolean)."""
    from crawlers.demo.visits import truth as planted_truth

    return planted_truth(day, seed)


def planted(day: date, seed: int = SEED, *, broken: bool = False) -> Mapping[str, int]:
    """How many lines of each kind a day's log holds."""
    from crawlers.demo.logs import planted as planted_lines

    return planted_lines(day, seed, broken=broken)


@contextmanager
def serve(*, port: int = 0, seed: int | None = None, broken_days: Collection[date] | None = None) -> Iterator[str]:
    """Serve the shop on loopback for as long as the context lasts.

    Args:
        port: 0 takes a free one.
        seed: The shop's seed; `SLUICE_DEMO_SEED`, or 7.
        broken_days: Days whose logs have the broken schema; `SLUICE_DEMO_BROKEN_DAYS` (dates with commas between), or
            the 10th and 24th of each month.

    Yields:
        The shop's address, without a slash at the end.
    """
    from crawlers.demo.site import Site, make_server

    if seed is None:
        seed = int(os.environ.get(SEED_VARIABLE, str(SEED)))
    if broken_days is None:
        broken_days = _declared_broken_days()
    server = make_server(Site(seed=seed, broken_days=broken_days, today=today), port)
    thread = threading.Thread(target=server.serve_forever, name="demo-shop", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _declared_broken_days() -> frozenset[date] | None:
    text = os.environ.get(BROKEN_DAYS_VARIABLE)
    if text is None:
        return None
    try:
        return frozenset(date.fromisoformat(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"{BROKEN_DAYS_VARIABLE} must hold dates such as 2026-03-01,2026-03-08: {error}") from error
