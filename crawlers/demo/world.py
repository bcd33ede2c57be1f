"""The shop's people and goods, with the tastes that nobody sees: a pure function of the seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from crawlers.demo.words import BRANDS, FIRST_NAMES, LAST_NAMES, NOUNS, STYLES, TYPICAL_PRICES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

USERS = 600
CATEGORIES = tuple(NOUNS)

ESTABLISHED = 240
"""Items sold from the beginning; the others come one by one."""
MOST_ITEMS = 2000
OPENED = date(1990, 1, 1)
NEW_ITEMS_FROM = date(2026, 1, 1)
NEW_ITEM_DAYS = 4
"""A new item comes every so many days."""
NEWS_DAYS = 10
"""A new item is shown off for about so many days."""


@dataclass(frozen=True)
class World:
    """Latent tastes and visible goods.

    Attributes:
        category: Category of each item (items).
        brand: Brand of each item (items).
        style: Style of each item, the second word of its title (items).
        price: Price of each item (items).
        exposure: How often the shop shows each item (items).
        liking: How much each user likes each item, in log odds (users, items). It is what a model has to find out.
        activity: Visits a day of each user (users).
        titles: Title of each item.
        emails: Address of each user, made up.
    """

    category: Ints
    brand: Ints
    style: Ints
    price: Floats
    exposure: Floats
    liking: Floats
    activity: Floats
    titles: tuple[str, ...]
    emails: tuple[str, ...]

    def engagement(self, users: Ints, items: Ints) -> Floats:
        """Probability that each user truly cares for each item when looking at it."""
        return np.asarray(1 / (1 + np.exp(2.1 - self.liking[users, items])))


@lru_cache(maxsize=4)
def world(seed: int) -> World:
    """The shop of a seed."""
    random = np.random.default_rng([seed, 1])
    category = random.integers(0, len(CATEGORIES), MOST_ITEMS)
    brand = random.integers(0, len(BRANDS), MOST_ITEMS)
    style = random.integers(0, len(STYLES), MOST_ITEMS)
    noun = random.integers(0, len(NOUNS[CATEGORIES[0]]), MOST_ITEMS)
    level = random.normal(0, 1, MOST_ITEMS)
    typical = np.array([TYPICAL_PRICES[name] for name in CATEGORIES])
    return World(
        category=category,
        brand=brand,
        style=style,
        price=np.round(np.maximum(typical[category] * np.exp(0.5 * level), 1), 2),
        exposure=np.exp(random.normal(0, 0.8, MOST_ITEMS)),
        liking=_liking(random, category, brand, style, level),
        activity=random.gamma(2.0, 1.2, USERS),
        titles=tuple(
            f"{BRANDS[b]} {STYLES[s]} {NOUNS[CATEGORIES[c]][n]}"
            for b, s, c, n in zip(brand, style, category, noun, strict=True)
        ),
        emails=_emails(random),
    )


def _liking(random: np.random.Generator, category: Ints, brand: Ints, style: Ints, level: Floats) -> Floats:
    categories = random.normal(0, 1.6, (USERS, len(CATEGORIES)))
    brands = random.normal(0, 0.7, (USERS, len(BRANDS)))
    styles = random.normal(0, 0.7, (USERS, len(STYLES)))
    budget = random.normal(0, 1, (USERS, 1))
    appeal = random.normal(0, 0.5, level.size)
    return np.asarray(
        (categories - categories.mean(axis=1, keepdims=True))[:, category]
        + (brands - brands.mean(axis=1, keepdims=True))[:, brand]
        + (styles - styles.mean(axis=1, keepdims=True))[:, style]
        + 0.7 * (1 - np.abs(level - budget))
        + appeal
    )


def _emails(random: np.random.Generator) -> tuple[str, ...]:
    first = random.integers(0, len(FIRST_NAMES), USERS)
    last = random.integers(0, len(LAST_NAMES), USERS)
    return tuple(
        f"{FIRST_NAMES[a]}.{LAST_NAMES[b]}.{number}@mail.example"
        for number, (a, b) in enumerate(zip(first, last, strict=True))
    )


def on_sale(day: date) -> int:
    """How many items the shop sells on a day: the first so many."""
    return min(MOST_ITEMS, ESTABLISHED + max(0, (day - NEW_ITEMS_FROM).days // NEW_ITEM_DAYS))


def added(index: int) -> date:
    """The first day on which an item was sold."""
    if index < ESTABLISHED:
        return OPENED
    return NEW_ITEMS_FROM + timedelta(days=(index - ESTABLISHED + 1) * NEW_ITEM_DAYS)


def shown(day: date, seed: int) -> Floats:
    """How often the shop shows each item that is on sale: some more than others, and new ones more than usual."""
    count = on_sale(day)
    age = np.array([(day - added(index)).days for index in range(count)], dtype=np.float64)
    return np.asarray(world(seed).exposure[:count] * (1 + 4 * np.exp(-np.abs(age) / NEWS_DAYS)))


def user_name(index: int) -> str:
    """A user's id."""
    return f"u{index:04d}"


def item_name(index: int) -> str:
    """An item's id."""
    return f"i{index:04d}"


def catalogue(day: date, seed: int) -> pl.DataFrame:
    """Everything that the shop has sold up to a day: item_id, title, category, brand, price, added_at (Date)."""
    shop, count = world(seed), on_sale(day)
    return pl.DataFrame(
        {
            "item_id": [item_name(index) for index in range(count)],
            "title": list(shop.titles[:count]),
            "category": [CATEGORIES[number] for number in shop.category[:count]],
            "brand": [BRANDS[number] for number in shop.brand[:count]],
            "price": shop.price[:count],
            "added_at": [added(index) for index in range(count)],
        }
    )
