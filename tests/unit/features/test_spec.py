"""A declaration is checked before anything runs, and its errors say what to write instead."""

import subprocess
import sys

import polars as pl
import pytest
from pydantic import ValidationError

from assets.features import FeaturesError, FeaturesSpec, MissingCatalogueError, check_features, examples_schema, inputs
from assets.features.registry import Feature, parse_feature, register_feature

EVENTS = pl.Schema(
    {
        "user_id": pl.String(),
        "item_id": pl.String(),
        "event_type": pl.String(),
        "ts": pl.Datetime("us", "UTC"),
        "device": pl.String(),
    }
)
LABELS = pl.Schema(
    {
        "user_id": pl.String(),
        "item_id": pl.String(),
        "time": pl.Datetime("us", "UTC"),
        "covered": pl.Boolean(),
        "probability": pl.Float64(),
    }
)
CATALOGUE = pl.Schema(
    {
        "item_id": pl.String(),
        "title": pl.String(),
        "category": pl.String(),
        "price": pl.Float64(),
        "added_at": pl.Date(),
    }
)


def without(schema, column):
    return pl.Schema({name: dtype for name, dtype in schema.items() if name != column})


def test_a_declaration_survives_being_dumped(declare):
    spec = declare(attributes={"device": "user_id"}, windows=["28d", "1d"])
    assert FeaturesSpec.model_validate(spec.model_dump(mode="json", by_alias=True)) == spec
    assert spec.windows == ("1d", "28d")
    dumped = spec.model_dump(mode="json")["features"]
    assert dumped[0] == {"count": {"by": ["user_id"], "of": ["view", "purchase"], "share_of": []}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": [{"cuont": {"by": "user_id"}}]}, "Feature kind 'cuont' is unknown; did you mean 'count'?"),
        (
            {"features": [{"count": {"bye": "user_id"}}]},
            "unknown key 'bye' of Count; did you mean 'by'?",
        ),
        (
            {"features": [{"count": {"by": "user_id", "share_of": "item_id"}}]},
            "share_of must name some, not all, of by",
        ),
        ({"features": [{"count": {"by": "user_id"}, "recency": {"by": "user_id"}}]}, "a feature is one kind"),
        ({"features": ["count"]}, "a feature is one kind with its parameters"),
        ({"features": [{"count": {"by": "user_id"}}] * 2}, "declares the feature 'user_id__events__1d' twice"),
        ({"features": []}, "declare at least one"),
        (
            {"features": [{"vocabulary": {"column": "label"}}]},
            "uses a column named 'label', which examples have of their own",
        ),
        (
            {"attributes": {"device": "user"}},
            "must describe 'user_id' or 'item_id', not 'user'; did you mean 'user_id'?",
        ),
        ({"windows": ["1d", "1d"]}, "a window is listed twice"),
        ({"windows": ["36h"]}, "windows"),
        ({"windows": ["0d"]}, "windows"),
        ({"negative": {}}, "negative"),
        ({"split": {"tset": "1d"}}, "tset"),
    ],
)
def test_a_slip_in_a_declaration_is_told_with_its_fix(declare, changes, message):
    with pytest.raises(ValidationError) as raised:
        declare(**changes)
    assert message in str(raised.value)


def test_the_check_returns_the_schema_of_the_examples(declare):
    spec = declare()
    assert check_features(spec, EVENTS, LABELS, CATALOGUE) == examples_schema(spec)


@pytest.mark.parametrize(
    ("changes", "events", "labels", "catalogue", "message"),
    [
        ({}, without(EVENTS, "event_type"), LABELS, CATALOGUE, "reads 'event_type' of its events"),
        ({}, without(EVENTS, "ts"), LABELS, CATALOGUE, "reads 'ts' of its events"),
        ({"event_time": "device"}, EVENTS, LABELS, CATALOGUE, "'device', which is String, not a datetime"),
        ({}, EVENTS, without(LABELS, "probability"), CATALOGUE, "reads 'probability' of its labels 'shop_engagement'"),
        ({}, EVENTS, LABELS, without(CATALOGUE, "item_id"), "has no key 'item_id'; set 'catalogue_key'"),
        ({}, EVENTS, LABELS, None, "needs the schema of its catalogue"),
        (
            {"features": [{"vocabulary": {"column": "categry"}}]},
            EVENTS,
            LABELS,
            CATALOGUE,
            (
                "Feature 1 ('vocabulary') of 'shop_examples' reads 'categry', which is neither user, item nor "
                "attribute, nor a column of the catalogue 'shop_catalogue'; did you mean 'category'?"
            ),
        ),
        (
            {"features": [{"count": {"by": ["user_id", "device"]}}]},
            EVENTS,
            LABELS,
            CATALOGUE,
            "declare 'attributes: {device: user_id}'",
        ),
        (
            {"features": [{"tokens": {"column": "price"}}]},
            EVENTS,
            LABELS,
            CATALOGUE,
            "is Float64, not text; use 'column'",
        ),
        ({"features": [{"tokens": {"column": "item_id"}}]}, EVENTS, LABELS, CATALOGUE, "names and does not describe"),
        ({"features": [{"column": {"column": "title"}}]}, EVENTS, LABELS, CATALOGUE, "not a number; use 'vocabulary'"),
        ({"features": [{"column": {"column": "added_at"}}]}, EVENTS, LABELS, CATALOGUE, "not a number; use 'as: age'"),
        (
            {"features": [{"column": {"column": "price", "as": "age"}}]},
            EVENTS,
            LABELS,
            CATALOGUE,
            "is Float64, not a date or time; leave out 'as: age'",
        ),
        ({"catalogue": None}, EVENTS, LABELS, None, "and no catalogue is declared"),
        ({"attributes": {"brand": "item_id"}}, EVENTS, LABELS, CATALOGUE, "reads 'brand' of its events"),
    ],
)
def test_a_declaration_that_does_not_fit_its_tables_is_told_with_its_fix(
    declare, changes, events, labels, catalogue, message
):
    with pytest.raises(FeaturesError) as raised:
        check_features(declare(**changes), events, labels, catalogue)
    assert message in str(raised.value)


def test_a_missing_key_is_an_error_of_its_own_kind(declare):
    with pytest.raises(MissingCatalogueError):
        check_features(declare(catalogue_key="sku"), EVENTS, LABELS, CATALOGUE)


def test_the_inputs_come_as_categories_then_numbers_then_tokens(declare):
    kinds = [type(entry).__name__ for entry in inputs(declare())]
    assert kinds == sorted(kinds, key=["Category", "Dense", "Tokens"].index)


def test_a_kind_cannot_be_registered_twice():
    with pytest.raises(ValueError, match=r"Feature kind 'count' is registered already, by assets.features.count"):

        @register_feature("count")
        class Other(Feature):
            pass


def test_parsing_a_feature_again_changes_nothing():
    feature = parse_feature({"count": {"by": "user_id"}})
    assert parse_feature(feature) is feature


def test_the_package_imports_no_framework():
    heavy = ["tensorflow", "torch", "snorkel", "scrapy", "great_expectations", "dagster", "matplotlib"]
    code = f"import sys, assets.features; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
