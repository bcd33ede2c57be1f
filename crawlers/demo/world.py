"""The shop's people and goods, with the tastes that nobody sees: a pure function of the seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

USERS = 800
ITEMS = 320
ESTABLISHED = 260
"""Items sold from the beginning; the others come one by one."""
OPENED = date(2025, 1, 1)
NEW_ITEM_DAYS = 6

_NOUNS = {
    "kitchen": ("pan", "kettle", "knife", "bowl", "grater", "teapot"),
    "garden": ("spade", "planter", "lantern", "hose", "trellis", "birdhouse"),
    "books": ("novel", "atlas", "cookbook", "diary", "almanac", "comic"),
    "toys": ("puzzle", "kite", "robot", "doll", "train", "marbles"),
    "sports": ("racket", "ball", "mat", "rope", "helmet", "bottle"),
    "music": ("ukulele", "drum", "flute", "tuner", "songbook", "metronome"),
    "office": ("lamp", "stapler", "notebook", "pen", "organiser", "clock"),
    "clothes": ("scarf", "jacket", "socks", "hat", "gloves", "shirt"),
}
CATEGORIES = tuple(_NOUNS)
_ADJECTIVES = ("vintage", "folding", "tiny", "sturdy", "striped", "wooden", "silver", "quiet", "bright", "classic")
BRANDS = ("Alder", "Birke", "Cedar", "Dogwood", "Elm", "Fir")


@dataclass(frozen=True)
class World:
    """Latent tastes and visible goods.

    Attributes:
        category: Category of each item (ITEMS).
        brand: Brand of each item (ITEMS).
        price: Price of each item (ITEMS).
        appeal: How good each item is to everybody (ITEMS).
        exposure: How often the shop shows each item (ITEMS).
        affinity: How much each user cares for each category (USERS, categories), zero on average.
        loyalty: How much each user cares for each brand (USERS, brands), zero on average.
        budget: Log of the price that each user likes (USERS).
        activity: Visits a day of each user (USERS).
        titles: Title of each item.
    """

    category: Ints
    brand: Ints
    price: Floats
    appeal: Floats
    exposure: Floats
    affinity: Floats
    loyalty: Floats
    budget: Floats
    activity: Floats
    titles: tuple[str, ...]

    def engagement(self, users: Ints, items: Ints) -> Floats:
        """Probability that each user truly cares for each item when looking at it."""
        score = (
            2.2 * self.affinity[users, self.category[items]]
            + 0.9 * self.loyalty[users, self.brand[items]]
            - 0.8 * np.abs(np.log(self.price[items]) - self.budget[users])
            + 0.7 * self.appeal[items]
            - 1.0
        )
        return np.asarray(1 / (1 + np.exp(-score)))


@lru_cache(maxsize=4)
def world(seed: int) -> World:
    """The shop of a seed."""
    random = np.random.default_rng([seed, 1])
    category = random.integers(0, len(CATEGORIES), ITEMS)
    brand = random.integers(0, len(BRANDS), ITEMS)
    affinity = random.normal(0, 1, (USERS, len(CATEGORIES)))
    adjectives = random.integers(0, len(_ADJECTIVES), ITEMS)
    nouns = random.integers(0, 6, ITEMS)
    titles = tuple(
        f"{BRANDS[brand[i]]} {_ADJECTIVES[adjectives[i]]} {_NOUNS[CATEGORIES[category[i]]][nouns[i]]}"
        for i in range(ITEMS)
    )
    return World(
        category=category,
        brand=brand,
        price=np.round(np.exp(random.normal(3.0, 0.7, ITEMS)), 2),
        appeal=random.normal(0, 1, ITEMS),
        exposure=1 / (1 + random.permutation(ITEMS)) ** 0.6,
        affinity=affinity - affinity.mean(axis=1, keepdims=True),
        loyalty=random.normal(0, 0.7, (USERS, len(BRANDS))),
        budget=random.normal(3.0, 0.5, USERS),
        activity=random.gamma(2.0, 1.2, USERS),
        titles=titles,
    )


def on_sale(day: date) -> int:
    """How many items the shop sells on a day: the first so many."""
    return min(ITEMS, ESTABLISHED + max(0, (day - OPENED).days // NEW_ITEM_DAYS))


def item_name(index: int) -> str:
    """An item's id."""
    return f"i{index:04d}"


def catalogue(day: date, seed: int) -> pl.DataFrame:
    """Everything on sale on a day: item_id, title, category, brand, price, added_at."""
    shop, count = world(seed), on_sale(day)
    added = [OPENED + timedelta(days=max(0, i - ESTABLISHED + 1) * NEW_ITEM_DAYS) for i in range(count)]
    return pl.DataFrame(
        {
            "item_id": [item_name(i) for i in range(count)],
            "title": list(shop.titles[:count]),
            "category": [CATEGORIES[c] for c in shop.category[:count]],
            "brand": [BRANDS[b] for b in shop.brand[:count]],
            "price": shop.price[:count],
            "added_at": added,
        }
    )
