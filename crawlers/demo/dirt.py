"""What is wrong with a day's log, line by line: a pure function of the day, the seed and the honest events."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from crawlers.demo.visits import day_start_ms, honest_events
from crawlers.demo.world import Ints, item_name, on_sale

FILES = 6

LATE_STEP = 200
"""One event in so many is written into the next day's log."""
VERY_LATE, VERY_LATE_DAYS = 4, 4
"""So many events are written that many days late."""
REPEATED_NEXT_DAY = 20
DUPLICATED_IN_FILE = DUPLICATED_ACROSS_FILES = 60
BOTS, BOT_EVENTS, BOT_PACE_MS = 3, 400, 150
"""Each bot sends so many events in a minute."""

FAULTS = {
    "not_json": 12,
    "truncated": 8,
    "not_utf8": 5,
    "wrong_type": 8,
    "missing_required": 6,
    "not_allowed": 9,
    "from_the_future": 5,
}
"""How many lines of each fault a day has: no JSON at all, JSON cut in half, another encoding, a value of a wrong type
in a required column, a required field that is absent or null, an unknown event type, a time twenty years ahead."""

KINDS = (
    "on_time",
    "late",
    "too_late",
    "repeated_next_day",
    "duplicated_in_file",
    "duplicated_across_files",
    "bot_events",
    *FAULTS,
)
"""Each line of a log is of one of these kinds."""

_WRONG = (("ts", '"soon"'), ("ts", '{"seconds": 1}'), ("item_id", '["i0001"]'), ("user_id", '{"id": 1}'))
_MISSING = (
    ("item_id", None),
    ("user_id", "null"),
    ("ts", None),
    ("item_id", "null"),
    ("event_id", None),
    ("ts", "null"),
)
_FUTURE_MS = 20 * 366 * 86_400_000


def lines(day: date, seed: int) -> pl.DataFrame:
    """Every line of a day's log, before it is written down.

    Returns:
        `kind`, one of `KINDS`; `file`, its number; `arrival`, when the line was written (epoch milliseconds); and each
        field's JSON text (event_id, user_id, item_id, event_type, ts, email, referrer, device, experiment), null for a
        field that the line lacks. By file and arrival.
    """
    random = np.random.default_rng([seed, 6, day.toordinal()])
    own = _numbered(day, seed)
    before = _numbered(day - timedelta(days=1), seed)
    long_ago = _numbered(day - timedelta(days=VERY_LATE_DAYS), seed)
    on_time = own.filter(pl.col("delay") == 0).with_columns(arrival=pl.col("ts"))
    on_time = _place(on_time, "on_time", random.integers(0, FILES, on_time.height))
    copies = on_time[random.choice(on_time.height, DUPLICATED_IN_FILE + DUPLICATED_ACROSS_FILES, replace=False)]
    elsewhere = copies["file"].to_numpy()[DUPLICATED_IN_FILE:] + random.integers(1, FILES, DUPLICATED_ACROSS_FILES)
    parts = [
        on_time,
        _belated(before.filter(pl.col("delay") == 1), "late", day, random),
        _belated(long_ago.filter(pl.col("delay") == VERY_LATE_DAYS), "too_late", day, random),
        # Written in time the day before, and once more.
        _belated(before.filter(pl.col("delay") == 0).tail(REPEATED_NEXT_DAY), "repeated_next_day", day, random),
        copies[:DUPLICATED_IN_FILE].with_columns(kind=pl.lit("duplicated_in_file")),
        _place(copies[DUPLICATED_IN_FILE:], "duplicated_across_files", elsewhere % FILES),
        _bots(day, random),
    ]
    written = _written(pl.concat(parts, how="diagonal"))
    faulty = _written(_with_faults(on_time, day, random))
    return (
        pl.concat([written, _broken_values(faulty)])
        .with_columns(kind=pl.col("kind").cast(pl.Enum(KINDS)))
        .sort("file", "arrival", "kind", "event_id", maintain_order=True)
    )


def withheld(day: date, seed: int) -> int:
    """How many honest events of a day are not in that day's log, but in a later one."""
    return _numbered(day, seed).filter(pl.col("delay") > 0).height


def _numbered(day: date, seed: int) -> pl.DataFrame:
    """Honest events with `delay`: how many days late the log has them. By number, so that all days agree on it."""
    events = honest_events(day, seed)
    number = np.arange(events.height)
    delay = np.where(number % LATE_STEP == LATE_STEP // 2, 1, 0)
    very_late = np.linspace(1, events.height - 2, VERY_LATE).astype(np.int64)
    delay[very_late] = VERY_LATE_DAYS
    return events.with_columns(delay=pl.Series(delay))


def _place(events: pl.DataFrame, kind: str, file: Ints) -> pl.DataFrame:
    return events.with_columns(pl.lit(kind).alias("kind"), pl.Series("file", file, dtype=pl.Int64))


def _belated(events: pl.DataFrame, kind: str, day: date, random: np.random.Generator) -> pl.DataFrame:
    arrival = day_start_ms(day) + random.integers(0, 6 * 3_600_000, events.height)
    return _place(events, kind, random.integers(0, FILES, events.height)).with_columns(arrival=pl.Series(arrival))


def _bots(day: date, random: np.random.Generator) -> pl.DataFrame:
    count = BOTS * BOT_EVENTS
    number = np.arange(count)
    hours = np.array([2, 3, 4])[number % BOTS]
    ts = day_start_ms(day) + hours * 3_600_000 + (number // BOTS) * BOT_PACE_MS
    frame = pl.DataFrame(
        {
            "event_id": [f"b{day:%Y%m%d}-{n:06d}" for n in range(count)],
            "user_id": [f"bot{n % BOTS}" for n in range(count)],
            "item_id": [item_name(n) for n in random.integers(0, on_sale(day), count)],
            "event_type": ["view"] * count,
            "ts": ts,
            "arrival": ts,
            "email": pl.Series([None] * count, dtype=pl.String),
            "referrer": ["direct"] * count,
            "device": ["laptop"] * count,
        }
    )
    return _place(frame, "bot_events", random.integers(0, FILES, count))


def _with_faults(on_time: pl.DataFrame, day: date, random: np.random.Generator) -> pl.DataFrame:
    """Events of their own, modelled on honest ones, each about to get a fault; `nth` numbers those of one fault."""
    count = sum(FAULTS.values())
    models = on_time[random.choice(on_time.height, count, replace=False)]
    return _place(models, "", random.integers(0, FILES, count)).with_columns(
        kind=pl.Series([kind for kind, times in FAULTS.items() for _ in range(times)]),
        nth=pl.Series([n for times in FAULTS.values() for n in range(times)]),
        event_id=pl.Series([f"x{day:%Y%m%d}-{n:06d}" for n in range(count)]),
    )


def _written(events: pl.DataFrame) -> pl.DataFrame:
    """The JSON text of each field. No value needs escaping: all of them are made of letters, digits and `-.@`."""
    texts = ("event_id", "user_id", "item_id", "event_type", "email", "referrer", "device")
    written = events.with_columns(
        *(pl.format('"{}"', name).fill_null("null").alias(name) for name in texts),
        ts=_stamp(pl.col("ts")),
        experiment=pl.when(pl.col("user_id").str.slice(-1) < "5").then(pl.lit('"A"')).otherwise(pl.lit('"B"')),
    )
    return written.select("kind", "file", "arrival", *texts, "ts", "experiment", *({"nth"} & set(events.columns)))


def _stamp(ts: pl.Expr) -> pl.Expr:
    """Most times are epoch milliseconds; one in ten comes from a client that writes ISO 8601, in its own time zone."""
    utc = pl.from_epoch(ts, "ms")
    shape = '"%Y-%m-%dT%H:%M:%S%.3f'
    tail = (ts // 10) % 4
    local = (
        pl.when(tail == 0)
        .then(pl.format('{}Z"', utc.dt.strftime(shape)))
        .when(tail == 1)
        .then(pl.format('{}+02:00"', utc.dt.offset_by("2h").dt.strftime(shape)))
        .when(tail == 2)
        .then(pl.format('{}-05:00"', utc.dt.offset_by("-5h").dt.strftime(shape)))
        .otherwise(pl.format('{}+05:30"', utc.dt.offset_by("5h30m").dt.strftime(shape)))
    )
    return pl.when(ts % 10 == 3).then(local).otherwise(ts.cast(pl.String))


def _broken_values(faulty: pl.DataFrame) -> pl.DataFrame:
    """Faults of single values; those of whole lines come when the line is written down."""
    changes = {
        "wrong_type": _WRONG,
        "missing_required": _MISSING,
        "not_allowed": (("event_type", '"hover"'), ("event_type", '"purchased"'), ("event_type", '""')),
    }
    for kind, variants in changes.items():
        for number, (column, text) in enumerate(variants):
            chosen = (pl.col("kind") == kind) & (pl.col("nth") % len(variants) == number)
            faulty = faulty.with_columns(
                pl.when(chosen).then(pl.lit(text, dtype=pl.String)).otherwise(column).alias(column)
            )
    future = (pl.col("arrival") + _FUTURE_MS).cast(pl.String)
    return faulty.with_columns(
        ts=pl.when(pl.col("kind") == "from_the_future").then(future).otherwise("ts"),
        email=pl.when(pl.col("kind") == "not_utf8").then(pl.lit(f'"{NOT_UTF8}@mail.example"')).otherwise("email"),
    ).drop("nth")


NOT_UTF8 = "\N{REPLACEMENT CHARACTER}"
"""Stands for bytes that are no UTF-8 until the line is written down."""
