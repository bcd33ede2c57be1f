"""What honest people did on a day, and whether they truly cared: a pure function of seed and day."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import numpy as np
import polars as pl

from crawlers.demo.world import CATEGORIES, USERS, Floats, Ints, on_sale, world

DAY_MS = 86_400_000
DEVICES = ("phone", "laptop", "tablet")
REFERRERS = ("search", "newsletter", "direct", "friend")


def day_start_ms(day: date) -> int:
    """Midnight UTC of a day in epoch milliseconds."""
    return (day - date(1970, 1, 1)).days * DAY_MS


@lru_cache(maxsize=16)
def honest_events(day: date, seed: int) -> pl.DataFrame:
    """Events of a day: event_id, user_id, item_id, event_type, ts (epoch ms), referrer, device, engaged; by time."""
    random = np.random.default_rng([seed, 2, day.toordinal()])
    looks = _looks(day, seed, random)
    events = pl.concat(_slots(looks, random)).filter(pl.col("ts") < day_start_ms(day) + DAY_MS)
    return (
        events.sort("ts", "user_id", "item_id", "event_type", "slot")
        .with_row_index("n")
        .with_columns(
            pl.format("e{}-{}", pl.lit(day.strftime("%y%m%d")), pl.col("n").cast(pl.String).str.zfill(6)).alias(
                "event_id"
            )
        )
        .select("event_id", "user_id", "item_id", "event_type", "ts", "referrer", "device", "engaged")
    )


def truth(day: date, seed: int) -> pl.DataFrame:
    """Whether the visitor truly cared: event_id, user_id, item_id, ts (epoch ms), engaged."""
    return honest_events(day, seed).select("event_id", "user_id", "item_id", "ts", "engaged")


def _looks(day: date, seed: int, random: np.random.Generator) -> pl.DataFrame:
    """One row for each time a visitor opens an item."""
    shop, count = world(seed), on_sale(day)
    visits = random.poisson(shop.activity)
    visitor = np.repeat(np.arange(USERS), visits)
    # People come mostly in the evening, and some at lunch.
    evening = random.random(visitor.size) < 0.65
    hour = np.where(evening, random.normal(19.5, 2.0, visitor.size), random.normal(12.5, 2.5, visitor.size))
    start = np.clip(hour, 0.2, 23.4) * 3_600_000
    each = 1 + random.poisson(3.5, visitor.size)
    visit = np.repeat(np.arange(visitor.size), each)
    user = visitor[visit]
    item = _items(user, count, seed, random)
    engaged = random.random(user.size) < shop.engagement(user, item)
    device = random.integers(0, len(DEVICES), visitor.size)[visit]
    referrer = random.integers(0, len(REFERRERS), visitor.size)[visit]
    dwell = np.where(engaged, random.lognormal(4.0, 0.7, user.size), random.lognormal(2.1, 0.8, user.size))
    again = np.where(engaged, random.random(user.size) < 0.45, random.random(user.size) < 0.07)
    second = again * random.lognormal(3.2, 0.6, user.size)
    pause = random.lognormal(0.7, 0.5, user.size)
    frame = pl.DataFrame(
        {
            "visit": visit,
            "user": user,
            "item": item,
            "engaged": engaged,
            "again": again,
            "dwell": np.minimum(dwell, 1200) * 1000,
            "second": np.minimum(second, 900) * 1000,
            "pause": np.minimum(pause, 60) * 1000,
            "device": device,
            "referrer": referrer,
            "start": start[visit],
        }
    )
    length = pl.col("dwell") + pl.col("second") + pl.col("pause")
    return frame.with_columns(
        opened=(pl.col("start") + length.cum_sum().over("visit") - length + day_start_ms(day)).cast(pl.Int64)
    )


def _items(user: Ints, count: int, seed: int, random: np.random.Generator) -> Ints:
    """Which item each look is at: a category by taste, then an item by exposure."""
    shop = world(seed)
    tastes = np.exp(0.6 * shop.affinity)
    category = _draw(tastes[user], random)
    chosen = np.empty(user.size, dtype=np.int64)
    for number in range(len(CATEGORIES)):
        items = np.flatnonzero(shop.category[:count] == number)
        mine = np.flatnonzero(category == number)
        weights = shop.exposure[items] / shop.exposure[items].sum()
        chosen[mine] = random.choice(items, mine.size, p=weights)
    return chosen


def _draw(weights: Floats, random: np.random.Generator) -> Ints:
    bounds = np.cumsum(weights, axis=1)
    return np.asarray((random.random((weights.shape[0], 1)) * bounds[:, -1:] > bounds).sum(axis=1))


def _slots(looks: pl.DataFrame, random: np.random.Generator) -> list[pl.DataFrame]:
    """The events of each look: a view, perhaps a second one, a cart, a removal, a purchase."""
    engaged = looks["engaged"].to_numpy()
    chance = random.random((4, looks.height))
    cart = chance[0] < np.where(engaged, 0.40, 0.05)
    removed = cart & (chance[1] < np.where(engaged, 0.10, 0.60))
    bought = cart & ~removed & (chance[2] < np.where(engaged, 0.60, 0.10))
    offsets = {
        "view": pl.lit(0),
        "view again": pl.col("dwell"),
        "cart": pl.col("dwell") * 0.7,
        "remove": pl.col("dwell") * 0.9,
        "purchase": pl.col("dwell") * 0.95,
    }
    masks = {
        "view": np.ones(looks.height, dtype=bool),
        "view again": looks["again"].to_numpy(),
        "cart": cart,
        "remove": removed,
        "purchase": bought,
    }
    return [
        looks.filter(pl.Series(masks[name])).select(
            pl.format("u{}", pl.col("user").cast(pl.String).str.zfill(4)).alias("user_id"),
            pl.format("i{}", pl.col("item").cast(pl.String).str.zfill(4)).alias("item_id"),
            pl.lit(name.split()[0]).alias("event_type"),
            (pl.col("opened") + offset).cast(pl.Int64).alias("ts"),
            pl.lit(number).alias("slot"),
            pl.col("referrer").replace_strict(dict(enumerate(REFERRERS))).alias("referrer"),
            pl.col("device").replace_strict(dict(enumerate(DEVICES))).alias("device"),
            pl.col("engaged"),
        )
        for number, (name, offset) in enumerate(offsets.items())
    ]
