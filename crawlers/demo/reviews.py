"""What people write about an item: the better they like it, the better they say it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crawlers.demo.words import BRANDS, STYLES
from crawlers.demo.world import CATEGORIES, USERS, world

MOST_REVIEWS = 8

_VERDICTS = (
    ("Sent it back.", "Not what I wanted.", "A waste of money."),
    ("Rather disappointing.", "I had hoped for more.", "It gathers dust."),
    ("It does its job.", "Neither good nor bad.", "As described."),
    ("Good value.", "Works well.", "I would buy it again."),
    ("I love it!", "Best purchase of the year.", "Perfect, could not be happier."),
)
_REASONS = (
    ("{brand} never convinced me.", "Too {style} for my taste.", "I should stay away from {category}."),
    ("{brand} can do better.", "The {style} look is not for me.", "I do not need more for {category}."),
    ("Typical {brand}.", "It is {style}, as it says.", "One more for {category}."),
    ("{brand} is reliable.", "Nicely {style}.", "A good thing for {category}."),
    ("{brand} is my favourite.", "So {style}, just my style.", "I cannot get enough of {category}."),
)


@dataclass(frozen=True)
class Review:
    """A review.

    Attributes:
        stars: One to five.
        text: What it says.
    """

    stars: int
    text: str


def reviews(item: int, seed: int) -> tuple[Review, ...]:
    """The reviews of an item. They are the same on every day."""
    shop = world(seed)
    random = np.random.default_rng([seed, 7, item])
    chance = shop.engagement(np.arange(USERS), np.full(USERS, item, dtype=np.int64))
    # Those who like a thing are likelier to buy it, and so to say something about it.
    users = random.choice(USERS, int(random.integers(0, MOST_REVIEWS + 1)), replace=False, p=chance / chance.sum())
    # Five equal parts, and a mood.
    level = np.clip((chance[users] + random.normal(0, 0.08, users.size)) * 5, 0, 4.99).astype(np.int64)
    words = {
        "brand": BRANDS[shop.brand[item]],
        "style": STYLES[shop.style[item]],
        "category": CATEGORIES[shop.category[item]],
    }
    picks = random.integers(0, 3, (users.size, 2))
    return tuple(
        Review(int(stars) + 1, f"{_VERDICTS[stars][verdict]} {_REASONS[stars][reason].format(**words)}")
        for stars, (verdict, reason) in zip(level, picks, strict=True)
    )
