"""There is something to learn: for a ranker, and for a label model."""

import math
from datetime import date, timedelta

import polars as pl
import pytest

from crawlers import demo

LAST = date(2026, 6, 17)
K = 10


@pytest.fixture(scope="module", params=[7, 21])
def looks(request):
    """Each item of each visit on seven days: what could be observed, and the truth."""
    days = []
    for back in range(7):
        day = LAST - timedelta(days=back)
        events = demo.events(day, request.param).join(
            demo.truth(day, request.param).select("event_id", "engaged"), on="event_id"
        )
        visits = events.sort("user_id", "ts").with_columns(
            stay=(pl.col("ts").shift(-1) - pl.col("ts")).over("user_id").dt.total_seconds(fractional=True),
            visit=(pl.col("ts").diff().over("user_id") > timedelta(minutes=30))
            .fill_null(value=False)
            .cum_sum()
            .over("user_id"),
        )
        of_type = {name: (pl.col("event_type") == name).sum() for name in ("cart", "purchase", "remove")}
        days.append(
            visits.with_columns(stay=pl.when(pl.col("stay") < 1800).then("stay"))
            .group_by("user_id", "item_id", "visit")
            .agg(pl.col("engaged").first(), events=pl.len(), stay=pl.col("stay").sum(), **of_type)
            .with_columns(date=day)
        )
    everything = pl.concat(days)
    earlier = everything.select(
        "user_id", "item_id", date=pl.col("date") + pl.duration(days=1), returned=pl.lit(value=True)
    ).unique()
    goods = demo.catalogue(LAST, request.param).select("item_id", "category")
    return (
        everything.join(earlier, on=["user_id", "item_id", "date"], how="left")
        .with_columns(pl.col("returned").fill_null(value=False))
        .join(goods, on="item_id")
        .sort("date", "user_id", "item_id", "visit")
    )


def auc(scored):
    """Area under the curve of `score` against `engaged`."""
    ranked = scored.select("engaged", rank=pl.col("score").rank())
    yes, no = ranked["engaged"].sum(), (~ranked["engaged"]).sum()
    return (ranked.filter("engaged")["rank"].sum() - yes * (yes + 1) / 2) / (yes * no)


def ndcg(pairs, wanted):
    """NDCG@10 of `score` over every item for each user who cared for some."""
    top = (
        pairs.sort("user_id", "score", descending=[False, True], maintain_order=True)
        .group_by("user_id", maintain_order=True)
        .head(K)
        .with_columns(place=pl.int_range(pl.len()).over("user_id"))
        .join(wanted.with_columns(hit=1.0), on=["user_id", "item_id"], how="left")
    )
    gain = top.group_by("user_id").agg(gain=(pl.col("hit").fill_null(0) / (pl.col("place") + 2).log(2)).sum())
    ideal = [sum((1 / math.log2(place + 2) for place in range(n)), 0.0) for n in range(K + 1)]
    best = wanted.group_by("user_id").agg(n=pl.len().clip(upper_bound=K))
    return (
        gain.join(best, on="user_id")
        .select((pl.col("gain") / pl.col("n").replace_strict(dict(enumerate(ideal)), return_dtype=pl.Float64)).mean())
        .item()
    )


def test_a_simple_affinity_beats_popularity_on_the_next_day(looks):
    past, today = looks.filter(pl.col("date") < LAST), looks.filter(pl.col("date") == LAST)
    rate = past.group_by("user_id", "category").agg(affinity=(pl.col("engaged").sum() + 0.45 * 4) / (pl.len() + 4))
    popularity = past.group_by("item_id").agg(popularity=pl.col("engaged").sum())

    def scored(pairs):
        return (
            pairs.join(rate, on=["user_id", "category"], how="left")
            .join(popularity, on="item_id", how="left")
            .with_columns(pl.col("affinity").fill_null(0.45), pl.col("popularity").fill_null(0))
        )

    seen = scored(today)
    by_taste, by_popularity = (
        auc(seen.with_columns(score=pl.col(column).cast(pl.Float64))) for column in ("affinity", "popularity")
    )
    wanted = today.filter("engaged").select("user_id", "item_id").unique()
    every = scored(
        wanted.select("user_id")
        .unique(maintain_order=True)
        .join(looks.select("item_id", "category").unique(maintain_order=True), how="cross")
    )
    ranking = ndcg(every.with_columns(score=pl.col("affinity") ** 2 * pl.col("popularity")), wanted)
    popular = ndcg(every.with_columns(score=pl.col("popularity").cast(pl.Float64)), wanted)
    print(f"AUC {by_taste:.3f} against {by_popularity:.3f}, NDCG@{K} {ranking:.3f} against {popular:.3f}")

    assert by_taste > by_popularity + 0.1
    assert by_taste < 0.9
    assert ranking > 1.25 * popular


VOTES = {
    "purchased": (pl.col("purchase") > 0, True),
    "carted": (pl.col("cart") > 0, True),
    "long": (pl.col("stay") > 30, True),
    "returned": (pl.col("returned"), True),
    "bounced": ((pl.col("events") == 1) & pl.col("stay").is_between(0.001, 6), False),
    "removed": (pl.col("remove") > 0, False),
}


def test_what_people_do_says_something_of_what_they_want_but_not_all(looks):
    looks = looks.filter(pl.col("date") > LAST - timedelta(days=6))
    accuracy = {name: (looks.filter(when)["engaged"] == vote).mean() for name, (when, vote) in VOTES.items()}
    ballots = looks.with_columns(
        sum=sum(pl.when(when).then(1 if vote else -1).otherwise(0) for when, vote in VOTES.values()),
        pattern=pl.concat_str([when.cast(pl.Int8) for when, _ in VOTES.values()]),
    )
    base = max(looks["engaged"].mean(), 1 - looks["engaged"].mean())
    majority = ((ballots["sum"] > 0) == ballots["engaged"]).mean()
    # What is best to say of each pattern of votes is as far as a model of the votes can come.
    best = ballots.with_columns(best=pl.col("engaged").mean().over("pattern") > 0.5)
    possible = (best["best"] == best["engaged"]).mean()
    print({name: round(value, 3) for name, value in accuracy.items()}, f"{base:.3f} {majority:.3f} {possible:.3f}")

    for name, (when, vote) in VOTES.items():
        assert looks.filter(when).height > 0.02 * looks.height, name
        assert accuracy[name] > (looks["engaged"] == vote).mean() + 0.1, name
    assert max(accuracy.values()) - min(accuracy.values()) > 0.15
    assert 0.3 < looks["engaged"].mean() < 0.6
    assert base + 0.1 < majority < 0.9
    assert majority + 0.015 < possible < 0.95
