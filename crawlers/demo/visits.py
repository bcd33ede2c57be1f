"""What honest people did on a day, and whether they truly cared: a pure function of seed and day."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import polars as pl

from crawlers.demo.world import USERS, Floats, Ints, on_sale, shown, user_name, world

DAY_MS = 86_400_000
BETWEEN_VISITS_MS = 40 * 60_000
"""The least time between two visits of a person: more than between two events of one visit, which is 36 minutes."""
DEVICES = ("phone", "laptop", "tablet")
REFERRERS = ("search", "newsletter", "direct", "friend")

EVENTS = ("view", "click", "cart", "remove", "purchase", "view")
_WHEN = (0.0, 0.2, 0.7, 0.9, 0.95, 1.0)
"""When each of these happens, as a share of the first look at an item; the last one opens a second look."""


def day_start_ms(day: date) -> int:
    """Midnight UTC of a day in epoch milliseconds."""
    return (day - date(1970, 1, 1)).days * DAY_MS


@lru_cache(maxsize=16)
def honest_events(day: date, seed: int) -> pl.DataFrame:
    """Events of people on a day, by time.

    Returns:
        event_id, user_id, item_id, event_type, ts (epoch milliseconds), email (null for guests), referrer, device, and
        engaged (Boolean): whether the user cared for the item on that visit.
    """
    looks = _timetable(_looks(day, seed), np.random.default_rng([seed, 3, day.toordinal()]))
    events = _events(looks, np.random.default_rng([seed, 4, day.toordinal()]))
    emails = pl.DataFrame(
        {
            "user": range(USERS),
            "user_id": [user_name(user) for user in range(USERS)],
            # Some shop without an account.
            "email": [None if user % 13 == 5 else email for user, email in enumerate(world(seed).emails)],
        }
    )
    return (
        events.join(emails, on="user", how="left", maintain_order="left")
        .sort("ts", "user", "item", "slot")
        .with_row_index("number")
        .select(
            pl.format("e{}-{}", pl.lit(f"{day:%Y%m%d}"), pl.col("number").cast(pl.String).str.zfill(6)).alias(
                "event_id"
            ),
            "user_id",
            pl.format("i{}", pl.col("item").cast(pl.String).str.zfill(4)).alias("item_id"),
            pl.col("slot").replace_strict(dict(enumerate(EVENTS)), return_dtype=pl.String).alias("event_type"),
            pl.col("ts") + day_start_ms(day),
            "email",
            pl.col("referrer").replace_strict(dict(enumerate(REFERRERS)), return_dtype=pl.String),
            pl.col("device").replace_strict(dict(enumerate(DEVICES)), return_dtype=pl.String),
            "engaged",
        )
    )


def _looks(day: date, seed: int) -> pl.DataFrame:
    """One row for each item of each visit: what people look at of themselves, and what they come back to."""
    own = _own_looks(day, seed)
    before = _own_looks(day - timedelta(days=1), seed)
    random = np.random.default_rng([seed, 5, day.toordinal()])
    cared = before["engaged"].to_numpy()
    comes_back = random.random(before.height) < np.where(cared, 0.35, 0.05)
    still_cares = random.random(before.height) < np.where(cared, 0.85, 0.25)
    again = (
        before.with_columns(engaged=pl.Series(still_cares))
        .filter(pl.Series(comes_back))
        .unique(["user", "item"], keep="first", maintain_order=True)
        .select("user", "item", "engaged")
        .join(own.unique("user", keep="first", maintain_order=True).drop("item", "engaged"), on="user", how="inner")
        .select(own.columns)
    )
    return pl.concat([again, own]).unique(["visit", "item"], keep="first", maintain_order=True).sort("visit")


@lru_cache(maxsize=16)
def _own_looks(day: date, seed: int) -> pl.DataFrame:
    """visit, user, item, engaged, start (milliseconds of the day), device, referrer; visits by user and start."""
    shop = world(seed)
    random = np.random.default_rng([seed, 2, day.toordinal()])
    weekend = 1.2 if day.weekday() >= 5 else 1.0
    visitor = np.repeat(np.arange(USERS), random.poisson(shop.activity * weekend))
    # Some come before work, some at lunch, and most in the evening.
    part = random.choice(3, visitor.size, p=[0.15, 0.25, 0.6])
    hour = random.normal(np.array([7.8, 12.6, 19.8])[part], np.array([0.8, 1.2, 1.7])[part])
    start = (np.clip(hour, 0.1, 23.6) * 3_600_000).astype(np.int64)
    order = np.lexsort((start, visitor))
    visitor, start = visitor[order], start[order]
    visit = np.repeat(np.arange(visitor.size), 1 + random.poisson(4.2, visitor.size))
    user = visitor[visit]
    item = _browse(user, day, seed, random)
    return pl.DataFrame(
        {
            "visit": visit,
            "user": user,
            "item": item,
            "engaged": random.random(user.size) < shop.engagement(user, item),
            "start": start[visit],
            "device": random.integers(0, len(DEVICES), visitor.size)[visit],
            "referrer": random.integers(0, len(REFERRERS), visitor.size)[visit],
        }
    ).unique(["visit", "item"], keep="first", maintain_order=True)


def _browse(user: Ints, day: date, seed: int, random: np.random.Generator) -> Ints:
    """An item for each look: what the shop shows, and somewhat what the user likes."""
    weights = shown(day, seed) * np.exp(0.45 * world(seed).liking[:, : on_sale(day)])
    bounds = np.cumsum(weights, axis=1)
    bounds /= bounds[:, -1:]
    # One search for all: the bounds of user n lie between n and n + 1.
    ladder = (bounds + np.arange(USERS)[:, None]).ravel()
    found = np.searchsorted(ladder, user + random.random(user.size), side="right")
    return np.asarray(np.minimum(found - user * bounds.shape[1], bounds.shape[1] - 1), dtype=np.int64)


def _timetable(looks: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Looks with `opened`, `dwell` and `again`: when each begins and how long it lasts; visits do not overlap."""
    cared = looks["engaged"].to_numpy()
    dwell = _lognormal(random, cared, (3.75, 0.9), (2.3, 1.0), most=1200)
    again = random.random(cared.size) < np.where(cared, 0.30, 0.08)
    second = again * _lognormal(random, cared, (3.2, 0.6), (2.3, 0.6), most=900)
    pause = np.minimum(random.lognormal(0.7, 0.5, cared.size) * 1000, 60_000).astype(np.int64)
    timed = looks.with_columns(dwell=dwell, again=again, takes=dwell + second + pause)
    visits = (
        timed.group_by("visit", maintain_order=True)
        .agg(pl.col("user", "start").first(), pl.col("takes").sum() + BETWEEN_VISITS_MS)
        # A visit begins when it would, or when the one before is over: the greatest of what each visit up to it allows.
        .with_columns(before=(pl.col("takes").cum_sum() - pl.col("takes")).over("user"))
        .with_columns(start=pl.col("before") + (pl.col("start") - pl.col("before")).cum_max().over("user"))
        .filter(pl.col("start") + pl.col("takes") - BETWEEN_VISITS_MS < DAY_MS)
    )
    return (
        timed.drop("start")
        .join(visits.select("visit", "start"), on="visit", how="inner", maintain_order="left")
        .with_columns(opened=pl.col("start") + (pl.col("takes").cum_sum() - pl.col("takes")).over("visit"))
    )


def _lognormal(
    random: np.random.Generator, cared: Ints, yes: tuple[float, float], no: tuple[float, float], *, most: float
) -> Ints:
    """Milliseconds; the logarithms of the seconds are normal, with a mean and a deviation for each kind of visitor."""
    seconds = random.lognormal(np.where(cared, yes[0], no[0]), np.where(cared, yes[1], no[1]))
    return np.asarray(np.clip(seconds, 0.4, most) * 1000, dtype=np.int64)


def _events(looks: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """The events of each look: a view, perhaps a click, a cart, a removal or a purchase, a second view.

    Given whether the user cares, all but the purchase come independently of each other.
    """
    cared = looks["engaged"].to_numpy()
    click, cart, regret, pay = random.random((4, looks.height))
    carted = cart < np.where(cared, 0.42, 0.10)
    # From the cart, or from the wish list, which an item may have been on for long.
    removed = regret < np.where(cared, 0.03, 0.18)
    happens = np.stack(
        [
            np.ones(looks.height, dtype=bool),
            click < np.where(cared, 0.45, 0.20),
            carted,
            removed,
            # Those who buy without caring buy gifts.
            carted & (pay < np.where(cared, 0.60, 0.20)),
            looks["again"].to_numpy(),
        ]
    )
    slot, row = np.nonzero(happens)
    chosen = looks[row]
    moment: Floats = chosen["opened"].to_numpy() + chosen["dwell"].to_numpy() * np.array(_WHEN)[slot]
    return chosen.select(
        "user",
        "item",
        "device",
        "referrer",
        "engaged",
        pl.Series("slot", slot),
        pl.Series("ts", moment.astype(np.int64)),
    )
