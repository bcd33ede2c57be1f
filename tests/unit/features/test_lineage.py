"""Where the columns of aggregates and examples come from, and that nobody's plain values reach a model."""

import pytest

from assets.features import FeaturesError, FeaturesSpec, daily_schema, examples_schema, feature_kinds, inputs
from assets.features.lineage import check_personal, daily_lineage, examples_lineage, inputs_lineage

SPEC = FeaturesSpec.model_validate(
    {
        "name": "shop_examples",
        "labels": "shop_engagement",
        "catalogue": "shop_catalogue",
        "catalogue_key": "sku",
        "attributes": {"device": "user_id"},
        "features": [
            {"count": {"by": ["user_id", "category"], "of": "view"}},
            {"recency": {"by": "item_id"}},
            {"vocabulary": {"column": "device"}},
            {"vocabulary": {"column": "category"}},
            {"tokens": {"column": "title"}},
        ],
    }
)


def test_the_columns_of_the_daily_aggregates_come_from_events_and_catalogue():
    found = daily_lineage(SPEC)
    assert set(found) == set(daily_schema(SPEC))
    assert found["user_id"] == {("events", "user_id")}
    assert found["category"] == {("catalogue", "category")}
    assert found["last"] == {("events", "ts")}
    assert found["count"] == frozenset()


def test_the_columns_of_the_examples_come_from_labels_aggregates_and_catalogue():
    found = examples_lineage(SPEC)
    assert set(found) == set(examples_schema(SPEC))
    assert found["label"] == {("labels", "probability")}
    assert found["item_id"] == {("labels", "item_id"), ("daily", "item_id"), ("catalogue", "sku")}
    counted = {("daily", column) for column in ("user_id", "category", "date", "event_type", "count")}
    assert found["user_id_category__view__7d"] == counted
    assert found["item_id__recency"] == {("daily", "item_id"), ("daily", "last")}
    assert found["device"] == {("daily", "device")}
    assert found["category"] == {("catalogue", "category")}
    assert found["title__tokens"] == {("catalogue", "title")}


@pytest.mark.parametrize("kind", sorted(feature_kinds()))
def test_each_kind_says_where_its_inputs_come_from(kind):
    declared = {"name": "e", "labels": "l", "catalogue": "c", "features": [{kind: feature_kinds()[kind].example}]}
    spec = FeaturesSpec.model_validate(declared)
    examples, encoded = examples_lineage(spec), inputs_lineage(spec)
    assert set(encoded) == {entry.name for entry in inputs(spec)}
    assert all(examples[column] for columns in encoded.values() for column in columns)
    read = {column for columns in encoded.values() for name in columns for _, column in examples[name]}
    assert spec.features[0].reads() <= read


@pytest.mark.parametrize(
    ("personal", "message", "location"),
    [
        ({"events": {"user_id"}}, "'user_id' of its events", ("user",)),
        ({"events": {"device"}}, "'device' of its events", ("attributes", "device")),
        ({"labels": {"item_id"}}, "'item_id' of its labels", ("item",)),
        ({"catalogue": {"sku"}}, "'sku' of its catalogue", ("catalogue_key",)),
        ({"catalogue": {"title"}}, r"Feature 5 \('tokens'\)", ("features", 4, "tokens", "column")),
        ({"catalogue": {"category"}}, r"Feature 1 \('count'\)", ("features", 0, "count", "by")),
    ],
)
def test_what_may_hold_plain_personal_values_is_refused_with_its_place(personal, message, location):
    with pytest.raises(FeaturesError, match=message) as raised:
        check_personal(SPEC, personal)
    assert raised.value.location == location


def test_what_no_feature_reads_may_be_there():
    check_personal(SPEC, {"events": {"note"}, "labels": {"device"}, "catalogue": {"description"}})
