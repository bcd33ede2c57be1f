"""What ranking is measured on: for a sample of users, every item they might have been shown on the test day."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assets.features.examples import LABELLED, POSITIVE
from assets.features.pairs import PairEncoder
from assets.features.rowgroups import write_row_groups
from assets.features.spec import LABEL, ORIGIN, FeaturesSpec
from foundation.stable_hash import stable_hash

ITEM = "item_id"
"""The name of the item's column in ranking files, whatever the declaration calls it."""


@dataclass(frozen=True)
class Ranking:
    """What was written.

    Attributes:
        users: Users sampled, each with at least one relevant item.
        items: Items ranked for each.
        rows: Their product.
        unrankable: Relevant user-item pairs of the test days whose item was not known before them.
    """

    users: int
    items: int
    rows: int
    unrankable: int


def engaged(examples: pl.LazyFrame) -> pl.LazyFrame:
    """Return the labelled examples with a positive label."""
    return examples.filter(pl.col(ORIGIN) == LABELLED, pl.col(LABEL) >= POSITIVE)


def write_ranking(
    before: pl.LazyFrame,
    test: pl.LazyFrame,
    pairs: PairEncoder,
    spec: FeaturesSpec,
    folder: Path,
    *,
    users: int,
    seed: int,
) -> Ranking:
    """Write the inputs of every item for a sample of users, one row group for a few whole users.

    Args:
        before: The examples before the test days: `popularity` counts the positive ones of each item.
        test: The examples of the test days: an item is relevant to a user (1.0) with a positive one there.
        pairs: The encoder of pairs as of the first test day.
        spec: The declaration.
        folder: Where to write part-00000.parquet, ordered by `user_index` and item.
        users: The most users to sample, of those with a relevant item that was known before.
        seed: Of the sample, which does not depend on the order of rows.
    """
    user, item = spec.user, spec.item
    popularity = engaged(before).group_by(item).agg(pl.len().cast(pl.Float32).alias("popularity")).collect()
    relevant = engaged(test).select(user, item).unique().collect()
    known = relevant.join(pairs.items.select(item), on=item, how="semi")
    sample = (
        known.select(user)
        .unique()
        .sort(stable_hash(user, seed=seed), user)
        .head(users)
        .sort(user)
        .with_columns(pl.int_range(pl.len(), dtype=pl.Int32).alias("user_index"))
    )

    def frames() -> Iterator[pl.DataFrame]:
        relevance = known.with_columns(pl.lit(1.0, dtype=pl.Float32).alias("relevance"))
        for chunk in pairs.chunks(sample.select(user)):
            joined = (
                chunk.lazy()
                .join(sample.lazy(), on=user, how="left", maintain_order="left")
                .join(relevance.lazy(), on=[user, item], how="left", maintain_order="left")
                .join(popularity.lazy(), on=item, how="left", maintain_order="left")
            )
            yield joined.select(
                *pairs.columns,
                "user_index",
                pl.col(item).alias(ITEM),
                pl.col("relevance", "popularity").fill_null(0),
            ).collect()

    rows = write_row_groups(frames(), folder / "part-00000.parquet")
    return Ranking(sample.height, pairs.items.height, rows, relevant.height - known.height)
