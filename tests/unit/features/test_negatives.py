"""Negatives: which items can be drawn, how often, and that nothing but the positive decides."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from assets.features import examples
from assets.features.history import known_before
from assets.features.negatives import candidates, negatives

TIME = datetime(2024, 5, 20, 12, tzinfo=UTC)


def positives(count, user="ann"):
    moment = pl.lit(TIME, dtype=pl.Datetime("us", "UTC")) + pl.duration(seconds=pl.int_range(count))
    return pl.select(user_id=pl.lit(user), item_id=pl.lit("lamp"), time=moment).lazy()


def pool(**masses):
    frame = pl.LazyFrame({"item_id": list(masses), "mass": list(masses.values())}, schema_overrides={"mass": pl.UInt64})
    return frame.sort("item_id")


NOTHING = pl.LazyFrame(schema={"user_id": pl.String, "item_id": pl.String})


def test_items_are_drawn_in_proportion_to_their_mass(declare):
    spec = declare(negatives={"per_positive": 1})
    drawn = negatives(positives(8000), NOTHING, pool(cup=700, lamp=0, rug=300), spec).collect()
    shares = {item: n / 8000 for item, n in drawn["item_id"].value_counts().rows()}
    assert set(shares) == {"cup", "rug"}
    # The standard deviation of a share is 0.005.
    assert shares["cup"] == pytest.approx(0.7, abs=0.02)


def test_each_positive_gets_its_number_of_different_items(declare):
    spec = declare(negatives={"per_positive": 3})
    many = pool(**{f"i{n}": 1 for n in range(500)})
    drawn = negatives(positives(50), NOTHING, many, spec).collect()
    assert drawn.is_unique().all()
    assert drawn.group_by("time").len()["len"].to_list() == [3] * 50


def test_what_the_user_touched_is_not_drawn(declare):
    touched = pl.LazyFrame({"user_id": ["ann", "bob"], "item_id": ["cup", "rug"]})
    drawn = negatives(positives(100), touched, pool(cup=1, rug=1), declare()).collect()
    assert drawn["item_id"].unique().to_list() == ["rug"]


def test_a_user_who_touched_everything_gets_none(declare):
    touched = pl.LazyFrame({"user_id": ["ann", "ann"], "item_id": ["cup", "rug"]})
    assert negatives(positives(10), touched, pool(cup=1, rug=1), declare()).collect().height == 0


def test_the_seed_changes_the_draws_and_the_order_of_positives_does_not(declare):
    many = pool(**{f"i{n}": n + 1 for n in range(300)})
    keys = ["time", "item_id"]
    first = negatives(positives(40), NOTHING, many, declare()).collect().sort(keys)
    again = negatives(positives(40).reverse(), NOTHING, many, declare()).collect().sort(keys)
    other = negatives(positives(40), NOTHING, many, declare(negatives={"seed": 1})).collect().sort(keys)
    assert first.equals(again)
    assert not first.equals(other)


def test_the_draws_of_one_positive_do_not_depend_on_the_others(declare):
    many = pool(**{f"i{n}": n + 1 for n in range(300)})
    together = negatives(positives(40), NOTHING, many, declare()).collect().filter(pl.col("time") == TIME)
    alone = negatives(positives(1), NOTHING, many, declare()).collect()
    assert set(alone["item_id"]) == set(together["item_id"])


def labels():
    return pl.LazyFrame(
        {"user_id": ["ann"], "item_id": ["i1"], "time": [TIME], "covered": [True], "probability": [0.9]},
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    )


def test_without_history_the_catalogue_is_drawn_from_uniformly(declare, shop):
    day = TIME.date()
    found = examples(labels(), None, shop.catalogue.lazy(), declare(), day=day).collect()
    drawn = found.filter(origin="negative")
    assert drawn.height == 4
    assert "i1" not in drawn["item_id"]
    assert drawn.select("label", "weight").unique().rows() == [(0.0, 1.0)]
    assert drawn["time"].unique().to_list() == [TIME]


def test_without_history_and_catalogue_there_are_no_negatives(declare):
    spec = declare(catalogue=None, features=[{"count": {"by": "user_id"}}])
    assert examples(labels(), None, None, spec, day=TIME.date()).collect()["origin"].to_list() == ["labelled"]


def test_by_uniform_the_popular_are_drawn_no_more_than_others(declare, shop):
    def popular_share(by):
        found = shop.examples(declare(negatives={"per_positive": 4, "by": by})).filter(origin="negative")
        return found["item_id"].is_in([f"i{n}" for n in range(8)]).mean()

    assert popular_share("popularity") > 1.5 * popular_share("uniform")
    assert popular_share("popularity") > popular_share("mixed") > popular_share("uniform")
    assert popular_share("uniform") == pytest.approx(0.09, abs=0.04)


def test_mixed_gives_each_half_the_same_mass(declare, shop):
    spec = declare(negatives={"by": "mixed"})
    plain = declare(negatives={"by": "popularity"})
    history = known_before(date(2024, 3, 8), shop.daily(spec).lazy(), shop.catalogue.lazy(), spec)
    mixed = candidates(history, shop.catalogue.lazy(), spec).collect()
    by_popularity = candidates(history, shop.catalogue.lazy(), plain).collect()
    uniform = mixed["mass"] - 2 * by_popularity["mass"]
    assert uniform.n_unique() == 1
    assert uniform.sum() == pytest.approx(2 * by_popularity["mass"].sum(), rel=0.01)
