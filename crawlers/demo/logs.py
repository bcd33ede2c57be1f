"""The shop's log files of a day: honest events, and all the dirt that real logs have. A pure function of seed and day."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
import polars as pl

from crawlers.demo.visits import day_start_ms, honest_events

FILES = 6
LATE_SHARE = 0.005
"""Share of a day's events that are written into the next day's log."""
VERY_LATE, VERY_LATE_DAYS = 4, 4
"""So many events are written that many days late."""
REPEATED_NEXT_DAY = 20
DUPLICATED = 100
BOTS, BOT_EVENTS = 2, 400
NOT_JSON, TRUNCATED, NOT_UTF8 = 12, 8, 5
WRONG_TYPE, MISSING, UNKNOWN_TYPE, FUTURE = 7, 6, 9, 5


@dataclass(frozen=True)
class Log:
    """A day's log.

    Attributes:
        files: Gzipped bytes by file name.
        planted: How much of everything was planted, see `planted`.
    """

    files: Mapping[str, bytes]
    planted: Mapping[str, int]


def planted(day: date, seed: int, *, broken: bool = False) -> Mapping[str, int]:
    """What a day's log holds: lines in all, honest events, and each kind of dirt, in lines."""
    return log(day, seed, broken=broken).planted


@lru_cache(maxsize=32)
def log(day: date, seed: int, *, broken: bool = False) -> Log:
    """The log files of a day.

    Args:
        day: The day whose log it is; late events of days before are in it.
        seed: The shop's seed.
        broken: Whether a deployment renamed `item_id` to `sku` that day.
    """
    random = np.random.default_rng([seed, 3, day.toordinal()])
    own = honest_events(day, seed)
    on_time = own.filter(~_is_late(own) & ~_is_very_late(own))
    yesterday = honest_events(day - timedelta(days=1), seed)
    late = yesterday.filter(_is_late(yesterday) & ~_is_very_late(yesterday))
    long_ago = honest_events(day - timedelta(days=VERY_LATE_DAYS), seed)
    very_late = long_ago.filter(_is_very_late(long_ago))
    # Events of the day before that arrived in time, written once more.
    repeated = yesterday.filter(~_is_late(yesterday) & ~_is_very_late(yesterday)).head(REPEATED_NEXT_DAY)
    bots = _bots(day, random)
    duplicated = on_time.sample(min(DUPLICATED, on_time.height), seed=int(random.integers(2**31)))
    lines = [*_lines(pl.concat([on_time, late, very_late, repeated, bots, duplicated], how="diagonal"), broken=broken)]
    dirt = _dirt(on_time, day)
    every = [line.encode() for line in lines] + dirt
    where = random.integers(0, FILES, len(every))
    order = random.permutation(len(every))
    chunks: list[list[bytes]] = [[] for _ in range(FILES)]
    for index in order:
        chunks[where[index]].append(every[index])
    files = {
        f"events-{number:02d}.jsonl.gz": gzip.compress(b"\n".join(chunk) + b"\n", compresslevel=6, mtime=0)
        for number, chunk in enumerate(chunks)
    }
    counts = {
        "lines": len(every),
        "on_time": on_time.height,
        "late": late.height,
        "too_late": very_late.height,
        "repeated_next_day": repeated.height,
        "duplicated": duplicated.height,
        "bot_events": bots.height,
        "not_json": NOT_JSON + TRUNCATED,
        "not_utf8": NOT_UTF8,
        "wrong_type": WRONG_TYPE,
        "missing_required": MISSING,
        "not_allowed": UNKNOWN_TYPE,
        "from_the_future": FUTURE,
        "withheld": own.height - on_time.height,
    }
    return Log(files, counts)


def _is_late(events: pl.DataFrame) -> pl.Series:
    # By number, so that both days agree on which ones these are.
    step = round(1 / LATE_SHARE)
    return (pl.Series(range(events.height), dtype=pl.Int64) % step) == step // 2


def _is_very_late(events: pl.DataFrame) -> pl.Series:
    step = max(events.height // VERY_LATE, 1)
    numbers = pl.Series(range(events.height), dtype=pl.Int64)
    return ((numbers % step) == 1) & (numbers < step * VERY_LATE)


def _bots(day: date, random: np.random.Generator) -> pl.DataFrame:
    start = day_start_ms(day) + 3 * 3_600_000
    count = BOTS * BOT_EVENTS
    number = np.arange(count)
    return pl.DataFrame(
        {
            "event_id": [f"b{day:%y%m%d}-{n:05d}" for n in number],
            "user_id": [f"bot{n % BOTS}" for n in number],
            "item_id": [f"i{n:04d}" for n in random.integers(0, 260, count)],
            "event_type": ["view"] * count,
            # Each bot is done within a minute and a half.
            "ts": start + (number // BOTS) * 200,
            "referrer": ["direct"] * count,
            "device": ["laptop"] * count,
        }
    )


def _lines(events: pl.DataFrame, *, broken: bool) -> list[str]:
    """Events as JSON. All values are plain ASCII, so they are put together as text; every tenth time is ISO 8601."""
    iso = pl.from_epoch("ts", "ms").dt.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00")
    stamp = pl.when(pl.col("ts") % 10 == 3).then(pl.format('"{}"', iso)).otherwise(pl.col("ts").cast(pl.String))
    text = pl.format(
        '{}"event_id": "{}", "user_id": "{}", "' + ("sku" if broken else "item_id") + '": "{}", "event_type": "{}", '
        '"ts": {}, "email": "{}@mail.example", "referrer": "{}", "device": "{}", "experiment": "{}"{}',
        pl.lit("{"),
        "event_id",
        "user_id",
        "item_id",
        "event_type",
        stamp,
        "user_id",
        "referrer",
        "device",
        pl.when(pl.col("ts") % 2 == 0).then(pl.lit("A")).otherwise(pl.lit("B")),
        pl.lit("}"),
    )
    return events.select(text.alias("line"))["line"].to_list()


def _dirt(events: pl.DataFrame, day: date) -> list[bytes]:
    """Lines that no reader should let through."""
    source = iter(_lines(events.head(60), broken=False))

    def take(count: int) -> list[str]:
        return [next(source) for _ in range(count)]

    future = int(datetime(day.year + 20, 1, 1, tzinfo=UTC).timestamp() * 1000)
    stamp = f'"ts": {future}, "x": '
    return [
        *(b"GET /collect?event=view&item=%d HTTP/1.1" % number for number in range(NOT_JSON)),
        *(line[: len(line) // 2].encode() for line in take(TRUNCATED)),
        *(line.encode().replace(b"@mail.example", b"@\xff\xfe.example") for line in take(NOT_UTF8)),
        *(line.replace('"ts": ', '"ts": {"seconds": 1}, "was": ', 1).encode() for line in take(WRONG_TYPE)),
        *(line.replace('"item_id"', '"item"', 1).encode() for line in take(MISSING)),
        *(line.replace('"event_type": "', '"event_type": "hover-', 1).encode() for line in take(UNKNOWN_TYPE)),
        *(
            line.replace('"ts": ', stamp, 1).replace('"event_id": "', '"event_id": "f', 1).encode()
            for line in take(FUTURE)
        ),
    ]
