"""Through the stages: whatever happened or landed from a day on may be anything at all, and its examples stay.

Events may be late, days corrected, snapshots crawled after their day; each world is made twice, the second time with
everything changed that was not known before the day.
"""

import random
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from assets.features import FeaturesSpec
from assets.lake import Lake
from assets.stages import features
from assets.stages.features import Inputs
from crawlers.known import known_on
from foundation.digest import digest

FIRST, DAYS = date(2026, 3, 2), 6
ITEMS, USERS = [f"i{n}" for n in range(6)], ["ann", "bob", "cat"]
SPEC = FeaturesSpec.model_validate(
    {
        "name": "shop_examples",
        "labels": "shop_engagement",
        "events": "shop_events",
        "catalogue": "shop_catalogue",
        "windows": ["1d", "3d"],
        "attributes": {"device": "user_id"},
        "features": [
            {"count": {"by": "item_id", "of": ["view", "purchase"]}},
            {"count": {"by": ["user_id", "category"]}},
            {"recency": {"by": "user_id"}},
            {"vocabulary": {"column": "category"}},
            {"tokens": {"column": "title"}},
            {"column": {"column": "price"}},
        ],
        "negatives": {"per_positive": 2},
    }
)
INPUTS = Inputs("shop_events", "shop_engagement", "shop_catalogue__raw", "shop_catalogue__raw")
RUN = {"run_id": "test"}


def day_of(number):
    return FIRST + timedelta(days=number)


class World:
    """Rows by day, each with the day on which it became known."""

    def __init__(self, seed):
        rng = random.Random(seed)
        self.events = [self.events_of(rng, number) for number in range(DAYS)]
        self.labels = [[(rng.choice(USERS), rng.choice(ITEMS), rng.random()) for _ in range(5)] for _ in range(DAYS)]
        # Some snapshots are dated by their site, some are crawled in the night after their day, some much later.
        self.snapshots = [(day_of(number + rng.choice([0, 0, 1, 1, 3])), self.rows(rng)) for number in range(DAYS)]

    @staticmethod
    def events_of(rng, number):
        return [
            (
                rng.choice(USERS),
                rng.choice(ITEMS),
                rng.choice(["view", "purchase"]),
                rng.choice(["phone", "laptop"]),
                datetime.combine(day_of(number), datetime.min.time(), UTC) + timedelta(seconds=rng.randrange(86_400)),
                day_of(number + rng.choice([0, 0, 0, 1, 2, 4])),
            )
            for _ in range(rng.randint(3, 9))
        ]

    @staticmethod
    def rows(rng):
        return [(item, rng.choice("abc"), rng.choice(["x y", "y", "z"]), rng.random()) for item in ITEMS]

    def changed_from(self, day, seed):
        """Another world that is the same for whoever lives before a day."""
        other, rng = World(seed), random.Random(seed)
        world = World.__new__(World)
        world.labels = [rows if day_of(at) <= day else other.labels[at] for at, rows in enumerate(self.labels)]
        world.snapshots = [
            each if max(each[0], day_of(at)) < day else (max(each[0], day), self.rows(rng))
            for at, each in enumerate(self.snapshots)
        ]
        world.events = []
        for at, rows in enumerate(self.events):
            kept = [row for row in rows if row[5] < day and day_of(at) < day]
            world.events.append(kept + [(*row[:5], max(row[5], day)) for row in other.events[at]])
        return world

    def publish(self, lake):
        events = {"user_id": pl.String, "item_id": pl.String, "event_type": pl.String, "device": pl.String}
        events |= {"ts": pl.Datetime("us", "UTC"), "known_on": pl.Date}
        for number in range(DAYS):
            day = day_of(number)
            self.put(lake, "shop_events", day, pl.LazyFrame(self.events[number], schema=events, orient="row"))
            known, rows = self.snapshots[number]
            names = ["item_id", "category", "title", "price"]
            snapshot = pl.LazyFrame(rows, schema=names, orient="row").with_columns(known_on=pl.lit(known))
            self.put(lake, "shop_catalogue__raw", day, snapshot)
            noon = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)
            labels = [(user, item, noon, True, p) for user, item, p in self.labels[number]]
            schema = ["user_id", "item_id", "time", "covered", "probability"]
            self.put(lake, "shop_engagement", day, pl.LazyFrame(labels, schema=schema, orient="row"))

    @staticmethod
    def put(lake, table, day, frame):
        content = digest(frame.collect().write_json())
        lake.publish(lake.stage(table, day, frame, digest=content, run_id="test"))


def examples_of(folder, world, last):
    """The examples of the days up to one, made in order by the stages."""
    lake = Lake(str(folder))
    world.publish(lake)
    for number in range(DAYS):
        assert features.materialize_daily(lake, SPEC, INPUTS, day_of(number), **RUN).status == "published"
    assert features.materialize_examples(lake, SPEC, INPUTS, last, **RUN).status == "published"
    return lake.scan("shop_examples", start=last, end=last).collect(), lake


@pytest.mark.parametrize("seed", range(8))
def test_no_example_knows_what_happened_or_landed_from_its_day_on(tmp_path, seed):
    day = day_of(1 + seed % (DAYS - 1))
    world = World(seed)
    before, lake = examples_of(tmp_path / "one", world, day)
    after, other = examples_of(tmp_path / "other", world.changed_from(day, 1000 + seed), day)
    assert before.height > 0
    assert after.equals(before)
    # Serving reads by the same rule.
    one, two = (features.snapshot_frame(each, INPUTS.catalogue, day) for each in (lake, other))
    assert one.collect().equals(two.collect())


def publish_snapshot(lake, day, rule, fetched):
    rows = pl.LazyFrame(
        {"item_id": ["i1"], "crawled_at": [fetched]}, schema_overrides={"crawled_at": pl.Datetime("us", "UTC")}
    )
    World.put(lake, "shop_catalogue__raw", day, rows.with_columns(known_on(rule, day), pl.lit(str(day)).alias("of")))


@pytest.mark.parametrize(("rule", "newest"), [("dated", 4), ("landed", 4), ("crawled", 3)])
def test_a_snapshot_crawled_at_two_at_night_is_known_on_the_next_day_unless_its_site_dates_it(tmp_path, rule, newest):
    lake = Lake(str(tmp_path))
    for number in range(DAYS):
        night = datetime.combine(day_of(number + 1), datetime.min.time(), UTC) + timedelta(hours=2)
        publish_snapshot(lake, day_of(number), rule, night)
    assert features.known_snapshot(lake, "shop_catalogue__raw", day_of(5)) == day_of(newest)


def test_a_correction_is_known_from_when_it_came():
    landed = datetime(2026, 3, 3, 2, tzinfo=UTC)
    rows = pl.DataFrame({"crawled_at": [landed - timedelta(hours=1), landed + timedelta(days=6)]})
    corrected = rows.with_columns(known_on("landed", date(2026, 3, 2), landed))
    assert corrected["known_on"].to_list() == [date(2026, 3, 2), date(2026, 3, 9)]
    first = rows.with_columns(known_on("landed", date(2026, 3, 2)))
    assert first["known_on"].to_list() == [date(2026, 3, 2)] * 2


def test_without_a_snapshot_that_was_known_items_are_unknown_and_the_day_is_made(tmp_path):
    lake = Lake(str(tmp_path))
    world = World(1)
    world.snapshots = [(day_of(DAYS), rows) for _, rows in world.snapshots]
    world.publish(lake)
    assert features.materialize_daily(lake, SPEC, INPUTS, day_of(0), **RUN).status == "published"
    result = features.materialize_examples(lake, SPEC, INPUTS, day_of(0), **RUN)
    assert result.status == "published"
    assert result.report["catalogue_snapshot"] is None
    assert lake.scan("shop_examples").collect()["category"].null_count() == result.report["rows"]


def test_a_catalogue_that_was_never_crawled_blocks(tmp_path):
    lake = Lake(str(tmp_path))
    world = World(1)
    world.publish(lake)
    inputs = Inputs("shop_events", "shop_engagement", "nothing__raw", "nothing__raw")
    result = features.materialize_examples(lake, SPEC, inputs, day_of(0), **RUN)
    assert (result.status, "nothing__raw" in result.message) == ("blocked", True)
