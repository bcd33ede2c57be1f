"""Daily partial aggregates and the features of examples, worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from math import log1p

import polars as pl
import pytest

from assets.features import FeaturesError, MissingCatalogueError, daily, daily_schema, examples, examples_schema

DAY = date(2024, 5, 20)


def at(days_before, hour=12, minute=0):
    return datetime(DAY.year, DAY.month, DAY.day, hour, minute, tzinfo=UTC) - timedelta(days=days_before)


def events(*rows):
    columns = {"user_id": pl.String, "item_id": pl.String, "event_type": pl.String, "ts": pl.Datetime("us", "UTC")}
    frame = pl.DataFrame(rows, schema={**columns, "device": pl.String}, orient="row")
    return frame.with_columns(date=pl.col("ts").dt.date())


def labels(*rows):
    schema = {
        "user_id": pl.String,
        "item_id": pl.String,
        "time": pl.Datetime("us", "UTC"),
        "covered": pl.Boolean,
        "probability": pl.Float64,
    }
    return pl.LazyFrame(rows, schema=schema, orient="row")


CATALOGUE = pl.LazyFrame(
    {
        "item_id": ["lamp", "cup", "rug", "lamp", None],
        "title": ["Red LAMP, the 2nd!", "", None, "Z other row", "no key"],
        "category": ["light", "kitchen", None, "light", "none"],
        "price": [9.0, float("nan"), None, 9.5, 1.0],
        "added_at": [date(2024, 5, 10), None, date(2024, 5, 21), date(2024, 5, 11), None],
    }
)


def window(frame, spec):
    days = frame["date"].unique().sort()
    parts = [
        daily(frame.lazy().filter(date=day), spec, catalogue=CATALOGUE).with_columns(date=pl.lit(day)) for day in days
    ]
    return pl.concat(parts)


def one(frame):
    rows = frame.collect().to_dicts()
    assert len(rows) == 1
    return rows[0]


def test_a_day_is_counted_by_grouping_key_and_type_with_its_last_time(declare):
    spec = declare(features=[{"count": {"by": ["user_id", "category"], "of": ["view"]}}])
    frame = events(
        ("ann", "lamp", "view", at(0, 7), "phone"),
        ("ann", "lamp", "view", at(0, 9), "phone"),
        ("ann", "lamp", "view", at(0, 8), "phone"),
        ("ann", "cup", "buy", at(0, 10), "phone"),
        ("ann", "rug", "view", at(0, 11), "phone"),
        ("ann", "unlisted", "view", at(0, 12), "phone"),
        (None, "lamp", "view", at(0, 13), "phone"),
    )
    found = daily(frame.lazy(), spec, catalogue=CATALOGUE).collect()
    assert found.schema == daily_schema(spec)
    assert found.select("grouping", "user_id", "item_id", "category", "event_type", "count", "last").rows() == [
        ("item_id", None, "cup", None, "buy", 1, at(0, 10)),
        ("item_id", None, "lamp", None, "view", 4, at(0, 13)),
        ("item_id", None, "rug", None, "view", 1, at(0, 11)),
        ("item_id", None, "unlisted", None, "view", 1, at(0, 12)),
        ("user_id,category", "ann", None, "kitchen", "buy", 1, at(0, 10)),
        ("user_id,category", "ann", None, "light", "view", 3, at(0, 9)),
    ]


def test_windows_are_the_days_before_and_end_at_midnight(declare):
    spec = declare(windows=["1d", "7d"], features=[{"count": {"by": "user_id", "of": "view"}}])
    frame = events(
        ("ann", "lamp", "view", at(-1), "phone"),
        ("ann", "lamp", "view", at(0, 0), "phone"),
        ("ann", "lamp", "view", at(1, 23, 59), "phone"),
        ("ann", "lamp", "view", at(1, 0), "phone"),
        ("ann", "lamp", "view", at(2, 23, 59), "phone"),
        ("ann", "lamp", "buy", at(2), "phone"),
        ("ann", "lamp", "view", at(7, 0), "phone"),
        ("ann", "lamp", "view", at(8, 23, 59), "phone"),
    )
    row = one(examples(labels(("ann", "cup", at(0), True, 0.1)), window(frame, spec), CATALOGUE, spec, day=DAY))
    assert row["user_id__view__1d"] == pytest.approx(log1p(2))
    assert row["user_id__view__7d"] == pytest.approx(log1p(4))


def test_a_share_is_of_all_the_events_of_the_wider_grouping(declare):
    count = {"by": ["user_id", "category"], "of": "view", "share_of": "user_id"}
    spec = declare(windows=["7d"], features=[{"count": count}], negatives={"per_positive": 0})
    frame = events(
        *[("ann", "lamp", "view", at(1, hour), "phone") for hour in (1, 2, 3)], ("ann", "cup", "view", at(2), "phone")
    )
    rows = labels(("ann", "lamp", at(0), True, 0.1), ("ann", "rug", at(0), True, 0.1), ("bob", "cup", at(0), True, 0.1))
    found = examples(rows, window(frame, spec), CATALOGUE, spec, day=DAY).collect()
    assert found["user_id_category__view__7d__share"].to_list() == [0.75, 0.0, 0.0]
    assert found["user_id_category__view__7d"].to_list() == pytest.approx([log1p(3), 0, 0])


def test_recency_runs_from_the_last_event_before_the_day_to_the_examples_time(declare):
    spec = declare(windows=["7d"], features=[{"recency": {"by": ["user_id", "item_id"], "of": "view"}}])
    frame = events(
        ("ann", "lamp", "view", at(0, 11), "phone"),
        ("ann", "lamp", "buy", at(1, 23), "phone"),
        ("ann", "lamp", "view", at(1, 6), "phone"),
        ("ann", "lamp", "view", at(3), "phone"),
        ("ann", "rug", "view", at(8), "phone"),
    )
    rows = labels(("ann", "lamp", at(0), True, 0.1), ("ann", "rug", at(0), True, 0.1))
    found = examples(rows, window(frame, spec), CATALOGUE, spec, day=DAY).collect()
    name = "user_id_item_id__view__recency"
    assert found[name].to_list() == pytest.approx([log1p(30 * 3600), 0.0])
    assert found[f"{name}__missing"].to_list() == [0.0, 1.0]


def test_recency_is_bounded_by_the_longest_window(declare):
    spec = declare(windows=["1d", "2d"], features=[{"recency": {"by": "user_id"}}])
    frame = events(("ann", "lamp", "view", at(2, 0), "phone"))
    row = one(examples(labels(("ann", "cup", at(0, 20), True, 0.1)), window(frame, spec), CATALOGUE, spec, day=DAY))
    assert row["user_id__recency"] == pytest.approx(log1p(2 * 86_400))


def test_columns_and_tokens_of_the_catalogue_have_flags_and_hashes_for_what_is_missing(declare):
    spec = declare(
        features=[
            {"column": {"column": "price", "log": True}},
            {"column": {"column": "added_at", "as": "age"}},
            {"tokens": {"column": "title", "buckets": 1000, "length": 3}},
            {"vocabulary": {"column": "category"}},
        ],
        negatives={"per_positive": 0},
    )
    rows = labels(*[("ann", item, at(0), True, 0.1) for item in ("cup", "lamp", "rug", "unlisted")])
    found = examples(rows, None, CATALOGUE, spec, day=DAY).collect()
    assert found.schema == examples_schema(spec)
    assert found["item_id"].to_list() == ["cup", "lamp", "rug", "unlisted"]
    assert found["price__number"].to_list() == pytest.approx([0, log1p(9.0), 0, 0])
    assert found["price__number__missing"].to_list() == [1, 0, 1, 1]
    # A date after the example's day is an age of 0, not a negative one.
    assert found["added_at__age"].to_list() == pytest.approx([0, log1p(10.5), 0, 0])
    assert found["added_at__age__missing"].to_list() == [1, 0, 0, 1]
    assert found["category"].to_list() == ["kitchen", "light", None, None]
    assert [len(tokens) for tokens in found["title__tokens"]] == [0, 3, 0, 0]


def test_words_are_lower_cased_runs_of_letters_and_digits(declare):
    spec = declare(
        features=[{"tokens": {"column": "title", "buckets": 100_000, "length": 9}}], negatives={"per_positive": 0}
    )
    catalogue = pl.LazyFrame({"item_id": ["a", "b"], "title": ["Red LAMP, the 2nd!", "red-lamp the... 2ND"]})
    rows = labels(("ann", "a", at(0), True, 0.1), ("ann", "b", at(0), True, 0.1))
    found = examples(rows, None, catalogue, spec, day=DAY).collect()["title__tokens"].to_list()
    assert found[0] == found[1]
    assert len(set(found[0])) == 4


def test_an_attribute_is_the_last_value_seen_in_the_days_before(declare):
    spec = declare(
        attributes={"device": "user_id"},
        features=[{"vocabulary": {"column": "device"}}, {"count": {"by": ["device", "category"]}}],
        windows=["7d"],
        negatives={"per_positive": 0},
    )
    frame = events(
        ("ann", "lamp", "view", at(0, 1), "tablet"),
        ("ann", "lamp", "view", at(1), "phone"),
        ("ann", "lamp", "view", at(2), "laptop"),
        ("bob", "lamp", "view", at(1), "phone"),
        ("bob", "lamp", "view", at(1), "laptop"),
        ("cat", "lamp", "view", at(9), "phone"),
    )
    rows = labels(*[(user, "lamp", at(0), True, 0.1) for user in ("ann", "bob", "cat")])
    found = examples(rows, window(frame, spec), CATALOGUE, spec, day=DAY).collect()
    assert found["device"].to_list() == ["phone", "laptop", None]
    assert found["device_category__events__7d"].to_list() == pytest.approx([log1p(2), log1p(2), 0])


def test_only_covered_labels_become_examples_and_weigh_what_they_are_sure_of(declare):
    spec = declare(negatives={"per_positive": 0}, weight_floor=0.1)
    rows = labels(
        ("a", "lamp", at(0), True, 0.9),
        ("b", "lamp", at(0), True, 0.5),
        ("c", "lamp", at(0), True, 0.0),
        ("d", "lamp", at(0), False, 0.9),
        ("e", "lamp", at(0), True, None),
        ("f", "lamp", at(0), None, 0.7),
    )
    found = examples(rows, None, CATALOGUE, spec, day=DAY).collect()
    assert found["user_id"].to_list() == ["a", "b", "c"]
    assert found["label"].to_list() == pytest.approx([0.9, 0.5, 0.0])
    assert found["weight"].to_list() == pytest.approx([0.8, 0.1, 1.0])
    assert found["origin"].unique().to_list() == ["labelled"]


def test_labels_of_other_days_are_left_out(declare):
    rows = labels(("a", "lamp", at(0), True, 0.1), ("b", "lamp", at(1), True, 0.1)).with_columns(
        date=pl.col("time").dt.date()
    )
    assert one(examples(rows, None, CATALOGUE, declare(), day=DAY))["user_id"] == "a"


def test_a_day_without_labels_gives_no_rows_and_the_whole_schema(declare):
    spec = declare()
    found = examples(labels(), None, CATALOGUE, spec, day=DAY).collect()
    assert found.height == 0
    assert found.schema == examples_schema(spec)
    empty = daily(events().lazy(), spec, catalogue=CATALOGUE).collect()
    assert empty.height == 0
    assert empty.schema == daily_schema(spec)


def test_a_missing_catalogue_key_or_column_names_itself(declare):
    spec = declare()
    with pytest.raises(MissingCatalogueError, match="has no key 'item_id'; did you mean 'itemid'"):
        examples(labels(), None, CATALOGUE.rename({"item_id": "itemid"}), spec, day=DAY)
    with pytest.raises(MissingCatalogueError, match="has no column 'category'"):
        daily(events().lazy(), spec, catalogue=CATALOGUE.drop("category"))
    with pytest.raises(MissingCatalogueError, match="was given none; materialise 'shop_catalogue'"):
        examples(labels(), None, None, spec, day=DAY)


def test_aggregates_of_an_earlier_declaration_are_refused_with_the_days_to_make_again(declare):
    old = window(events(("ann", "lamp", "view", at(1), "phone")), declare()).drop("category")
    with pytest.raises(
        FeaturesError, match="materialise 'shop_examples__daily' again for the 28 days before 2024-05-20"
    ):
        examples(labels(), old, CATALOGUE, declare(), day=DAY)
