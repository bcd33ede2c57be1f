"""People come in visits, like some things better than others, and behave accordingly."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from crawlers import demo
from crawlers.demo.world import USERS

DAY = date(2026, 3, 12)


def visits(day, seed=7):
    """Events with the truth and a visit number, cut at pauses of more than half an hour."""
    events = demo.events(day, seed).join(demo.truth(day, seed).select("event_id", "engaged"), on="event_id")
    return events.sort("user_id", "ts").with_columns(
        visit=(pl.col("ts").diff().over("user_id") > timedelta(minutes=30))
        .fill_null(value=False)
        .cum_sum()
        .over("user_id")
    )


@pytest.mark.parametrize("seed", [1, 7, 99])
def test_a_day_has_some_fifteen_to_twenty_five_thousand_events_of_most_users(seed):
    for back in range(3):
        events = demo.events(DAY + timedelta(days=back), seed)
        assert 13_000 < events.height < 27_000
        assert 0.7 * USERS < events["user_id"].n_unique() <= USERS
        assert set(events["event_type"]) == {"view", "click", "cart", "purchase", "remove"}


def test_events_lie_within_their_day_and_have_one_id_each():
    events = demo.events(DAY)

    assert events["event_id"].n_unique() == events.height
    assert events["ts"].dt.date().unique().to_list() == [DAY]
    assert events["ts"].is_sorted()


def test_people_care_or_not_for_an_item_throughout_a_visit():
    answers = visits(DAY).group_by("user_id", "visit", "item_id").agg(pl.col("engaged").n_unique())

    assert answers["engaged"].max() == 1
    assert answers.height > 3000


def test_visits_are_short_and_mostly_in_the_evening():
    seen = visits(DAY)
    lengths = seen.group_by("user_id", "visit").agg(length=pl.col("ts").max() - pl.col("ts").min())["length"]
    hours = seen.group_by("user_id", "visit").agg(pl.col("ts").min().dt.hour())["ts"]

    assert lengths.median() < timedelta(minutes=15)
    assert lengths.quantile(0.999) < timedelta(hours=3)
    assert hours.is_between(17, 23).mean() > 0.45
    assert hours.is_between(0, 5).mean() < 0.05


def test_who_cares_stays_longer_and_comes_back():
    before, seen = visits(DAY - timedelta(days=1)), visits(DAY)
    stay = seen.with_columns(stay=(pl.col("ts").shift(-1) - pl.col("ts")).over("user_id", "visit"))
    looks = stay.group_by("user_id", "visit", "item_id").agg(pl.col("engaged").first(), pl.col("stay").sum())
    medians = dict(looks.group_by("engaged").agg(pl.col("stay").median()).iter_rows())
    pairs = before.group_by("user_id", "item_id").agg(pl.col("engaged").any())
    returned = dict(
        pairs.join(seen.select("user_id", "item_id", again=True).unique(), on=["user_id", "item_id"], how="left")
        .group_by("engaged")
        .agg(pl.col("again").fill_null(value=False).mean())
        .iter_rows()
    )

    assert medians[True] > 2 * medians[False]
    assert returned[True] > 2 * returned[False]


def test_new_items_are_announced_before_they_are_looked_at_and_shown_off():
    days = [DAY + timedelta(days=back) for back in range(8)]
    first, last = demo.catalogue(days[0]), demo.catalogue(days[-1])
    fresh = last.filter(pl.col("added_at") > days[0])
    seen = demo.events(days[-1]).group_by("item_id").len()

    assert last.head(first.height).equals(first)
    assert fresh.height >= 1
    assert fresh["added_at"].max() <= days[-1]
    assert set(demo.events(days[0])["item_id"]) <= set(first["item_id"])
    assert seen.join(fresh, on="item_id")["len"].mean() > seen["len"].mean()


def test_the_catalogue_has_plausible_goods():
    goods = demo.catalogue(DAY)

    assert 240 <= goods.height <= 300
    assert goods["category"].n_unique() == 8
    assert goods["price"].min() >= 1
    assert goods["item_id"].n_unique() == goods.height
    assert goods.select(pl.col("title").str.starts_with(pl.col("brand")).all()).item()
    assert goods["title"].str.split(" ").list.len().min() >= 3


@pytest.mark.parametrize("day", [date(1969, 7, 20), date(2015, 2, 28), date(2024, 2, 29), date(2031, 1, 1)])
def test_any_day_works(day):
    assert demo.truth(day).height > 10_000
    assert demo.truth(day)["ts"].min() >= datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert demo.planted(day)["lines"] > 10_000
