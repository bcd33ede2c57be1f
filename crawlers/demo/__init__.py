"""The demo shop: an honest little web site whose tastes are known, and whose logs are as dirty as real ones.

Everything is a pure function of the seed and the day. `python -m crawlers.demo` serves it on loopback.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

SEED = 7
SEED_VARIABLE = "SLUICE_DEMO_SEED"


def today() -> date:
    """The current day, UTC."""
    return datetime.now(UTC).date()


def events(day: date, seed: int = SEED) -> pl.DataFrame:
    """What people did on a day, without any dirt, wherever the logs have it.

    Returns:
        event_id, user_id, item_id, event_type, ts (Datetime, UTC), email, referrer, device; by time. Personal data is
        as the logs have it: neither hashed nor dropped.
    """
    return _honest(day, seed).drop("engaged")


def truth(day: date, seed: int = SEED) -> pl.DataFrame:
    """Whether people truly cared: one row for each event of `events`.

    Returns:
        event_id, user_id, item_id, ts (Datetime, UTC), engaged (Boolean, one value for each user, item and visit); by
        time. Users are not hashed: join by event_id.
    """
    return _honest(day, seed).select("event_id", "user_id", "item_id", "ts", "engaged")


def catalogue(day: date, seed: int = SEED) -> pl.DataFrame:
    """Everything that the shop has sold up to a day: item_id, title, category, brand, price, added_at (Date)."""
    from crawlers.demo.world import catalogue as goods

    return goods(day, seed)


def planted(day: date, seed: int = SEED, *, broken: bool = False) -> Mapping[str, int]:
    """How many lines of each kind the log of a day holds, as `crawlers.demo.logs.planted` explains."""
    from crawlers.demo.logs import planted as planted_lines

    return planted_lines(day, seed, broken=broken)


@contextmanager
def serve(
    *,
    port: int = 0,
    seed: int | None = None,
    broken_days: Collection[date] | None = None,
    lake: str | None = None,
    access_log: bool = False,
    clock: Callable[[], date] = today,
) -> Iterator[str]:
    """Serve the shop on loopback for as long as the context lasts.

    Args:
        port: 0 takes a free one.
        seed: The shop's seed; `SLUICE_DEMO_SEED`, or 7.
        broken_days: Days whose logs have the broken schema; by default what `crawlers.demo.broken` says of the lake.
        lake: The lake that is crawled from it; `SLUICE_LAKE`, or `data/lake`.
        access_log: Whether to write a line to standard error for each request.
        clock: Says which day it is, UTC; later ones are not there.

    Yields:
        The shop's address, without a slash at the end.

    Raises:
        ValueError: A variable does not hold what it should.
        OSError: The port is taken.
    """
    from crawlers.demo.broken import broken_days as those_of
    from crawlers.demo.server import Server
    from crawlers.demo.site import Site

    site = Site(
        seed=declared_seed() if seed is None else seed,
        broken_days=those_of(lake) if broken_days is None else frozenset(broken_days),
        today=clock,
    )
    server = Server(site, port, access_log=access_log)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="demo-shop", daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _honest(day: date, seed: int) -> pl.DataFrame:
    import polars as pl

    from crawlers.demo.visits import honest_events

    return honest_events(day, seed).with_columns(pl.from_epoch("ts", "ms").cast(pl.Datetime("us", "UTC")))


def declared_seed() -> int:
    """The seed of the shop, whoever starts it: `SLUICE_DEMO_SEED`, or 7.

    Raises:
        ValueError: The variable holds no whole number.
    """
    text = os.environ.get(SEED_VARIABLE) or str(SEED)
    if not text.isdecimal():
        raise ValueError(f"{SEED_VARIABLE} must be a whole number that is not negative, such as {SEED}; it is {text!r}")
    return int(text)
