"""A feature of an example uses only what was known before the example's day: the future may be anything at all."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.features import FeaturesSpec, daily, examples, feature_kinds, split_days
from assets.features.encode import fit_encoding

FIRST, DAYS = date(2024, 12, 30), 5
DATETIME = pl.Datetime("us", "UTC")
ITEMS = [f"i{n}" for n in range(6)]
CATALOGUE = pl.LazyFrame(
    {
        "item_id": ITEMS,
        "category": ["a", "a", "b", "b", None, "c"],
        "title": ["x y", "x", "y", "", None, "z"],
        "price": [1.0, 2.0, None, 4.0, 5.0, 6.0],
    }
)
SPEC = FeaturesSpec.model_validate(
    {
        "name": "shop_examples",
        "labels": "shop_engagement",
        "catalogue": "shop_catalogue",
        "windows": ["1d", "2d", "28d"],
        "attributes": {"device": "user_id"},
        # Every registered kind, and every side of the counting ones.
        "features": [
            *({kind: feature.example} for kind, feature in sorted(feature_kinds().items())),
            {"count": {"by": "item_id", "of": ["view", "purchase"]}},
            {"count": {"by": ["user_id", "item_id"]}},
            {"recency": {"by": "user_id"}},
            {"recency": {"by": ["device", "category"]}},
            {"vocabulary": {"column": "device", "min_count": 1}},
        ],
        "negatives": {"per_positive": 2},
    }
)

rows_of_a_day = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cat"]),
        st.sampled_from(ITEMS),
        st.sampled_from(["view", "purchase"]),
        st.sampled_from(["phone", "laptop"]),
        st.integers(0, 86_399),
        st.sampled_from([0.1, 0.5, 0.95]),
    ),
    max_size=8,
)
history = st.lists(rows_of_a_day, min_size=DAYS, max_size=DAYS)
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def day_of(number):
    return FIRST + timedelta(days=number)


def events_of(number, rows):
    start = datetime.combine(day_of(number), datetime.min.time(), UTC)
    return pl.LazyFrame(
        [(user, item, kind, device, start + timedelta(seconds=at)) for user, item, kind, device, at, _ in rows],
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "event_type": pl.String,
            "device": pl.String,
            "ts": DATETIME,
        },
        orient="row",
    )


def labels_of(number, rows):
    start = datetime.combine(day_of(number), datetime.min.time(), UTC)
    return pl.LazyFrame(
        [(user, item, start + timedelta(seconds=at), True, p) for user, item, _, _, at, p in rows],
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "time": DATETIME,
            "covered": pl.Boolean,
            "probability": pl.Float64,
        },
        orient="row",
    )


def window_of(days):
    parts = [
        daily(events_of(number, rows), SPEC, catalogue=CATALOGUE).with_columns(date=pl.lit(day_of(number)))
        for number, rows in enumerate(days)
    ]
    return pl.concat(pl.collect_all(parts)).lazy()


def examples_of(number, rows, window):
    return examples(labels_of(number, rows), window, CATALOGUE, SPEC, day=day_of(number)).collect()


@given(history, history, st.integers(0, DAYS - 1))
@few
def test_events_of_the_day_and_after_it_change_no_example_up_to_it(past, other, number):
    changed = [*past[:number], *other[number:]]
    before, after = window_of(past), window_of(changed)
    for each in range(number + 1):
        assert examples_of(each, past[each], after).equals(examples_of(each, past[each], before))


delays = st.lists(st.integers(0, 3), min_size=8, max_size=8)


def arriving(days, late):
    """The window of days whose events became known some days after they happened."""
    parts = []
    for number, (rows, delay) in enumerate(zip(days, late, strict=True)):
        known = pl.Series("known_on", [day_of(number + each) for each in delay[: len(rows)]], dtype=pl.Date)
        events = events_of(number, rows).with_columns(known)
        parts.append(daily(events, SPEC, catalogue=CATALOGUE).with_columns(date=pl.lit(day_of(number))))
    return pl.concat(pl.collect_all(parts)).lazy()


@given(history, history, st.lists(delays, min_size=DAYS, max_size=DAYS), st.integers(0, DAYS - 1))
@few
def test_what_became_known_on_the_day_or_later_changes_no_example_up_to_it(past, other, late, number):
    def known(at, place):
        return at + late[at][place] < number

    kept = [[row for place, row in enumerate(rows) if known(at, place)] for at, rows in enumerate(past)]
    soon = [[late[at][place] for place in range(len(past[at])) if known(at, place)] for at in range(DAYS)]
    # Instead of all that was not known yet, something else that was not known yet either.
    then = [DAYS + number] * 8
    changed = [(rows + other[at])[:8] for at, rows in enumerate(kept)]
    window = arriving(changed, [(each + then)[:8] for each in soon])
    expected = examples_of(number, past[number], arriving(past, late))
    assert examples_of(number, past[number], window).equals(expected)


@given(
    history,
    rows_of_a_day,
    st.integers(0, DAYS - 1),
    st.lists(st.sampled_from([0.0, 0.4, 0.6, 1.0]), min_size=8, max_size=8),
)
@few
def test_other_labels_of_the_day_change_no_feature_of_its_labelled_examples(past, extra, number, others):
    window = window_of(past)
    rows = past[number]
    relabelled = [(*row[:5], p) for row, p in zip(rows, others, strict=False)]
    label = ["label", "weight", "origin"]
    before = examples_of(number, rows, window).filter(origin="labelled").drop(label)
    after = examples_of(number, [*relabelled, *extra], window).filter(origin="labelled").drop(label)
    keys = ["user_id", "item_id", "time"]
    found = before.unique().join(after.unique(), on=before.columns, how="semi", nulls_equal=True)
    assert found.sort(keys).equals(before.unique().sort(keys))


@given(history, st.integers(1, DAYS - 1))
@few
def test_only_the_days_before_matter_not_how_they_are_batched(past, number):
    window = window_of(past)
    expected = examples_of(number, past[number], window)
    assert examples_of(number, past[number], window.filter(pl.col("date") < day_of(number))).equals(expected)
    assert examples_of(number, past[number][::-1], window.reverse()).equals(expected)


@given(st.sets(st.dates(date(2024, 1, 1), date(2024, 3, 1)), min_size=6), st.integers(1, 3), st.integers(1, 2))
@settings(deadline=None)
def test_training_days_come_before_validation_days_and_those_before_test_days(present, validation, test):
    spec = SPEC.model_copy(
        update={"split": SPEC.split.model_copy(update={"validation": f"{validation}d", "test": f"{test}d"})}
    )
    split = split_days(sorted(present), spec)
    assert max(split.train) < min(split.validation) <= max(split.validation) < min(split.test)
    assert sorted([*split.train, *split.validation, *split.test]) == sorted(present)
    assert (len(split.validation), len(split.test)) == (validation, test)


@given(history)
@few
def test_vocabularies_do_not_depend_on_the_order_of_training_rows(past):
    window = window_of(past)
    rows = pl.concat(examples_of(number, past[number], window) for number in range(DAYS))
    first, again = fit_encoding(rows.lazy(), SPEC), fit_encoding(rows.reverse().lazy(), SPEC)
    assert all(first.vocabularies[name].equals(again.vocabularies[name]) for name in first.vocabularies)
