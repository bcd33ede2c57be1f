"""What every kind of feature keeps to; a new kind is registered with an `example` and passes this file as it stands."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from assets.features import (
    Category,
    Dense,
    FeaturesSpec,
    Tokens,
    check_features,
    daily,
    examples,
    feature_kinds,
    inputs,
    pair_encoder,
    prepare,
)
from assets.features.registry import FEATURES, Feature
from orchestration.reference import pages

FIRST, DAYS = date(2024, 2, 26), 6
LAST = FIRST + timedelta(days=DAYS - 1)
DATETIME = pl.Datetime("us", "UTC")
CATALOGUE = pl.DataFrame(
    {
        "item_id": [f"i{n}" for n in range(12)],
        "category": [None, "a", "b", "c"] * 3,
        "title": ["", None, "Rød LAMPE nr. 2", "one two three four five"] * 3,
        "price": [0.0, None, float("inf"), 1e300] * 3,
    }
)


def make_events(seed=0):
    random, rows = np.random.default_rng(seed), 240
    seconds = random.integers(0, DAYS * 86_400, rows)
    start = datetime.combine(FIRST, datetime.min.time(), UTC)
    return pl.DataFrame(
        {
            "user_id": [f"u{n}" for n in random.integers(0, 9, rows)],
            # Two items are not in the catalogue.
            "item_id": [f"i{n}" for n in random.integers(0, 14, rows)],
            "event_type": random.choice(["view", "purchase"], rows),
            "ts": [start + timedelta(seconds=int(second)) for second in seconds],
        },
        schema_overrides={"ts": DATETIME},
    ).with_columns(date=pl.col("ts").dt.date())


def make_labels(events):
    units = events.group_by("date", "user_id", "item_id").agg(pl.col("ts").min().alias("time"))
    chance = pl.col("time").dt.second() / 59
    return units.with_columns(covered=pl.lit(True), probability=chance).sort("time", "user_id", "item_id")


def window_of(events, spec):
    parts = [
        daily(events.lazy().filter(date=day), spec, catalogue=CATALOGUE.lazy()).with_columns(date=pl.lit(day))
        for day in events["date"].unique().sort()
    ]
    return pl.concat(parts).collect()


def examples_of(day, window, labels, spec):
    return examples(labels.lazy().filter(date=day), window.lazy(), CATALOGUE.lazy(), spec, day=day).collect()


@pytest.fixture(scope="module", params=sorted(feature_kinds()))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def spec(kind):
    return FeaturesSpec.model_validate(
        {
            "name": "shop_examples",
            "labels": "shop_engagement",
            "catalogue": "shop_catalogue",
            "windows": ["1d", "3d"],
            "features": [{kind: feature_kinds()[kind].example}],
        }
    )


@pytest.fixture(scope="module")
def made(spec):
    events = make_events()
    labels, window = make_labels(events), window_of(events, spec)
    return events, labels, window


def test_its_declaration_survives_being_dumped(spec, kind):
    dumped = spec.model_dump(mode="json", by_alias=True)
    assert list(dumped["features"][0]) == [kind]
    assert FeaturesSpec.model_validate(dumped) == spec


def test_a_slip_in_a_parameter_names_the_kind_and_the_nearest_parameter(spec, kind):
    name = next(iter(feature_kinds()[kind].example))
    raw = {**spec.model_dump(mode="json", by_alias=True), "features": [{kind: {f"{name}x": 1}}]}
    with pytest.raises(ValidationError, match=f"unknown key '{name}x' of .*; did you mean '{name}'"):
        FeaturesSpec.model_validate(raw)


def test_it_documents_itself(kind):
    feature = feature_kinds()[kind]
    assert feature.__doc__
    assert all(f"{field.alias or name}" in feature.__doc__ for name, field in feature.model_fields.items())


def test_it_fits_the_tables_of_its_example(spec, made):
    events, labels, _ = made
    assert check_features(spec, events.schema, labels.schema, CATALOGUE.schema)


def test_examples_have_the_promised_schema_and_finite_numbers(spec, made):
    events, labels, window = made
    promised = check_features(spec, events.schema, labels.schema, CATALOGUE.schema)
    for day in (FIRST, LAST):
        found = examples_of(day, window, labels, spec)
        assert found.schema == promised
        assert found.height > 0
        for entry in inputs(spec):
            if isinstance(entry, Dense):
                assert found[entry.name].is_finite().all()
                assert found[entry.name].null_count() == 0
            elif isinstance(entry, Tokens):
                assert found[entry.name].null_count() == 0
                assert (found[entry.name].list.len() <= entry.length).all()


def test_its_inputs_are_not_the_same_for_all_examples(spec, made):
    _, labels, window = made
    found = examples_of(LAST, window, labels, spec)
    columns = [entry.source if isinstance(entry, Category) else entry.name for entry in inputs(spec)]
    assert any(found[column].n_unique() > 1 for column in columns)


def test_nothing_of_the_day_or_after_it_is_read(spec, made):
    events, labels, _ = made
    day = FIRST + timedelta(days=3)
    before = pl.col("date") < day
    other = make_events(seed=1).filter(~before)
    assert not other.equals(events.filter(~before))
    changed = window_of(pl.concat([events.filter(before), other]), spec)
    expected = examples_of(day, window_of(events, spec), labels, spec)
    assert examples_of(day, changed, labels, spec).equals(expected)


def test_the_days_before_are_read_in_any_order_of_rows(spec, made):
    events, labels, window = made
    shuffled = window_of(events.sample(fraction=1, shuffle=True, seed=3), spec).sample(fraction=1, shuffle=True, seed=4)
    expected = examples_of(LAST, window, labels, spec)
    assert examples_of(LAST, shuffled, labels.sample(fraction=1, shuffle=True, seed=5), spec).equals(expected)


def test_a_first_day_without_history_has_all_columns(spec, made):
    _, labels, window = made
    found = examples(labels.lazy().filter(date=FIRST), None, CATALOGUE.lazy(), spec, day=FIRST).collect()
    assert found.equals(examples_of(FIRST, window, labels, spec))


def test_its_encoding_is_within_bounds_and_pairs_have_it_too(spec, made, tmp_path):
    _, labels, window = made
    found = pl.concat(
        examples_of(day, window, labels, spec).with_columns(date=pl.lit(day)) for day in window["date"].unique().sort()
    )
    done = prepare(found.lazy(), spec, as_of=LAST, window_days=DAYS, out=tmp_path)
    train = pl.read_parquet(tmp_path / "train" / "*.parquet")
    encoder = pair_encoder(
        None, window.lazy(), CATALOGUE.lazy(), spec, tmp_path / "encoding", day=LAST + timedelta(days=1)
    )
    pairs = encoder.encoded(pl.DataFrame({"user_id": ["u1", "stranger"]})).collect()
    assert pairs.height == 2 * CATALOGUE.height
    for rows in (train, pairs):
        for entry in done.inputs:
            column = rows[entry["name"]]
            assert column.null_count() == 0
            if entry["kind"] == "dense":
                assert column.dtype == pl.Float32
                assert column.is_finite().all()
            elif entry["kind"] == "category":
                assert column.dtype == pl.Int32
                assert column.is_between(0, entry["size"] - 1).all()
            else:
                assert column.dtype == pl.Array(pl.Int32, entry["length"])
                assert column.explode().is_between(0, entry["size"] - 1).all()


def test_a_feature_registered_elsewhere_is_declared_checked_described_and_forgotten():
    class Rank(Feature):
        """How popular the item was, from the daily counts.

        Attributes:
            column: the item's.
        """

        example: ClassVar[Mapping[str, Any]] = {"column": "item_id"}
        column: str

        def key_columns(self):
            return (self.column,)

        def inputs(self, windows):
            return tuple(Dense(f"{self.column}__rank__{window}") for window in windows)

    def schema():
        return FeaturesSpec.model_json_schema()["properties"]["features"]["items"]["properties"]

    declared = {"name": "e", "labels": "l", "features": [{"rank": {"column": "item_id"}}]}
    with FEATURES.temporarily("rank", Rank):
        Rank.kind = "rank"
        spec = FeaturesSpec.model_validate(declared)
        assert FeaturesSpec.model_validate_json(spec.model_dump_json(by_alias=True)) == spec
        assert next(entry.name for entry in inputs(spec)) == "item_id__rank__1d"
        assert "rank" in schema()
        with pytest.raises(ValidationError, match="Feature kind 'rnak' is unknown; did you mean 'rank'"):
            FeaturesSpec.model_validate(declared | {"features": [{"rnak": {}}]})
        assert "## `rank`\n\nHow popular the item was, from the daily counts." in pages()["feature-kind.md"]
    assert "rank" not in schema()
    with pytest.raises(ValidationError, match="Feature kind 'rank' is unknown"):
        FeaturesSpec.model_validate(declared)
