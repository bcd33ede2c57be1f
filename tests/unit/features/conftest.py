"""A small shop with planted tastes, and the chain of days through the features."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from assets.features import FeaturesSpec, daily, examples

FIRST = date(2024, 3, 1)

FEATURES: list[dict[str, Any]] = [
    {"count": {"by": "user_id", "of": ["view", "purchase"]}},
    {"count": {"by": "item_id", "of": ["view", "purchase"]}},
    {"count": {"by": ["user_id", "category"], "of": ["view"], "share_of": "user_id"}},
    {"recency": {"by": ["user_id", "item_id"]}},
    {"vocabulary": {"column": "item_id", "min_count": 2, "out_of_vocabulary_buckets": 8}},
    {"vocabulary": {"column": "category", "min_count": 1, "out_of_vocabulary_buckets": 4, "dimension": 4}},
    {"tokens": {"column": "title", "buckets": 512, "length": 5}},
    {"column": {"column": "price", "log": True}},
]


@dataclass(frozen=True)
class Shop:
    events: pl.DataFrame
    labels: pl.DataFrame
    catalogue: pl.DataFrame

    @property
    def days(self) -> list[date]:
        return sorted(self.events["date"].unique())

    def daily(self, spec: FeaturesSpec) -> pl.DataFrame:
        catalogue = self.catalogue.lazy() if spec.catalogue else None
        return pl.concat(
            daily(self.events.lazy().filter(date=day), spec, catalogue=catalogue)
            .with_columns(date=pl.lit(day))
            .collect()
            for day in self.days
        )

    def examples(self, spec: FeaturesSpec) -> pl.DataFrame:
        window, catalogue = self.daily(spec).lazy(), self.catalogue.lazy() if spec.catalogue else None
        return pl.concat(
            examples(self.labels.lazy().filter(date=day), window, catalogue, spec, day=day)
            .with_columns(date=pl.lit(day))
            .collect()
            for day in self.days
        )


def make_shop(days: int, users: int, items: int, events_a_day: int, seed: int = 0) -> Shop:
    random = np.random.default_rng(seed)
    tastes = random.integers(0, 8, users)
    catalogue = pl.DataFrame(
        {
            "item_id": [f"i{i}" for i in range(items)],
            "title": [f"Nice c{i % 8} thing No {i}" for i in range(items)],
            "category": [f"c{i % 8}" for i in range(items)],
            "price": random.uniform(1, 50, items),
        }
    )
    frames = []
    for day in range(days):
        user = random.integers(0, users, events_a_day)
        liked = random.integers(0, items // 8, events_a_day) * 8 + tastes[user]
        item = np.where(
            random.random(events_a_day) < 0.6, liked, (items * random.random(events_a_day) ** 2).astype(int)
        )
        start = datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(days=day)
        frames.append(
            pl.DataFrame(
                {
                    "user_id": [f"u{u}" for u in user],
                    "item_id": [f"i{i}" for i in item],
                    "event_type": random.choice(["view", "cart", "purchase"], events_a_day, p=[0.8, 0.1, 0.1]),
                    "ts": [start + timedelta(seconds=int(s)) for s in random.integers(0, 86_400, events_a_day)],
                },
                schema_overrides={"ts": pl.Datetime("us", "UTC")},
            ).with_columns(date=pl.lit(start.date()))
        )
    events = pl.concat(frames)
    labels = (
        events.group_by("date", "user_id", "item_id")
        .agg(pl.col("ts").min().alias("time"), engaged=(pl.col("event_type") != "view").any(), n=pl.len())
        .with_columns(covered=pl.col("n") < 4, probability=pl.when("engaged").then(0.9).otherwise(0.2))
        .sort("date", "user_id", "item_id")
    )
    return Shop(events, labels, catalogue)


@pytest.fixture(scope="session")
def shop() -> Shop:
    return make_shop(days=10, users=50, items=80, events_a_day=600)


@pytest.fixture(scope="session")
def declare() -> Callable[..., FeaturesSpec]:
    def declared(**changes: Any) -> FeaturesSpec:
        base = {
            "name": "shop_examples",
            "labels": "shop_engagement",
            "catalogue": "shop_catalogue",
            "features": FEATURES,
        }
        return FeaturesSpec.model_validate({**base, **changes})

    return declared
