"""Negatives: items that a user did not touch on a day, drawn by a hash instead of a random generator.

Draw j of a positive is a point in the cumulative popularity, at hash(seed, user, item, time, j): it depends neither on
the order of rows nor on how days are batched, and one sorted join finds all the items.
"""

import polars as pl

from assets.features.catalogue import catalogue_rows, item_key
from assets.features.history import History
from assets.features.spec import FeaturesSpec
from foundation.stable_hash import stable_hash

# Drawn in excess, so that enough are left without those that the user touched and those drawn twice.
_SPARE_DRAWS = 2


def candidates(history: History, catalogue: pl.LazyFrame | None, spec: FeaturesSpec) -> pl.LazyFrame:
    """Return the items that can be drawn and their `mass`, sorted by item.

    They are those with events in the days before, and all of the catalogue. On a day without history and without a
    catalogue there are none: the items of the day itself are the future of its first example.
    """
    known = history.popularity.select(spec.item, pl.col("count").alias("mass"))
    if spec.catalogue is not None:
        listed = catalogue_rows(catalogue, (), spec).select(item_key(spec), pl.lit(1, dtype=pl.UInt64).alias("mass"))
        known = pl.concat([known, listed])
    masses = known.group_by(spec.item).agg(pl.col("mass").sum()).sort(spec.item)
    one = pl.lit(1, dtype=pl.UInt64)
    # Twice the mean of the masses for each item, and twice its own, make two equal halves in whole numbers.
    halves = 2 * pl.col("mass") + (2 * pl.col("mass").mean()).round().cast(pl.UInt64)
    by = {"popularity": pl.col("mass"), "uniform": one, "mixed": halves}
    return masses.with_columns(by[spec.negatives.by].alias("mass"))


def negatives(positives: pl.LazyFrame, touched: pl.LazyFrame, pool: pl.LazyFrame, spec: FeaturesSpec) -> pl.LazyFrame:
    """Return user, item and time of the negatives, each at most once; at most `per_positive` for each positive.

    Args:
        positives: User, item and time.
        touched: Users and the items that they touched on that day, in any way.
        pool: What `candidates` returns.
        spec: The declaration.
    """
    user, item, wanted = spec.user, spec.item, spec.negatives.per_positive
    cumulative = pool.select(pl.col(item).alias("__drawn"), pl.col("mass").cum_sum().cast(pl.Int64).alias("__upper"))
    total = pool.select(pl.col("mass").sum().cast(pl.UInt64).alias("__total"))
    draws = pl.LazyFrame({"__draw": pl.Series(range(wanted * _SPARE_DRAWS), dtype=pl.Int64)})
    points = (
        positives.unique([user, item, "time"])
        .join(draws, how="cross")
        .join(total, how="cross")
        .filter(pl.col("__total") > 0)
        .with_columns(stable_hash(user, item, "time", "__draw", seed=spec.negatives.seed).alias("__hash"))
        # In whole numbers: the last item's upper bound is exactly the total, whatever is summed.
        .with_columns((pl.col("__hash") % pl.col("__total") + 1).cast(pl.Int64).alias("__point"))
        .sort("__point")
    )
    drawn = points.join_asof(
        cumulative, left_on="__point", right_on="__upper", strategy="forward", coalesce=False, check_sortedness=False
    )
    untouched = drawn.join(touched, left_on=[user, "__drawn"], right_on=[user, item], how="anti")
    once = untouched.sort("__draw").unique([user, item, "time", "__drawn"], keep="first", maintain_order=True)
    kept = once.filter(pl.col("__draw").rank("ordinal").over(user, item, "time") <= wanted)
    return kept.select(user, pl.col("__drawn").alias(item), "time").unique()
