"""What every shape of examples keeps to; one that is registered elsewhere is declared, made, shown and forgotten."""

from datetime import UTC, date, datetime
from typing import ClassVar

import polars as pl
import pytest
from pydantic import ValidationError

from assets.features import SHAPES, FeaturesSpec, Shape, check_features
from assets.lake import Lake, digest
from assets.stages import features
from assets.stages.features import Inputs
from orchestration.reference import pages

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVENTS = pl.LazyFrame({"user_id": ["ann", "bob"], "item_id": ["x", "y"], "event_type": ["view"] * 2, "ts": [NOON] * 2})
LABELS = pl.LazyFrame(
    {
        "user_id": ["bob", "ann"],
        "item_id": ["y", "x"],
        "time": [NOON] * 2,
        "covered": [True] * 2,
        "probability": [1.0, 0.2],
    }
)
DECLARED = {"name": "shop_examples", "labels": "shop_likes", "features": [{"count": {"by": "user_id"}}]}
INPUTS = Inputs("shop_events", "shop_likes")


class Moments(Shape):
    """A moment at which somebody did something."""

    name: ClassVar[str] = "moments"
    example: ClassVar = {"shape": "moments"}

    def of_events(self, spec):
        return (spec.user, spec.event_time)

    def of_labels(self, spec):
        return (spec.user, "time")

    def schema(self, spec):
        return pl.Schema(
            {spec.user: pl.String(), "time": pl.Datetime("us", "UTC"), "label": pl.Float32(), "origin": pl.String()}
        )

    def make(self, labels_day, daily_window, catalogue_day, spec, *, day):
        del daily_window, catalogue_day, day
        rows = labels_day.select(spec.user, "time", pl.col("probability").cast(pl.Float32).alias("label"))
        return rows.with_columns(origin=pl.lit("labelled")).sort(spec.user)


def made(lake, spec, day=DAY):
    for table, frame in (("shop_events", EVENTS), ("shop_likes", LABELS)):
        lake.publish(lake.stage(table, DAY, frame, digest=digest(table), run_id="test"))
    assert features.materialize_daily(lake, spec, INPUTS, day, run_id="test").status == "published"
    result = features.materialize_examples(lake, spec, INPUTS, day, run_id="test")
    assert result.status == "published"
    return lake.scan(spec.name).drop("date").collect()


@pytest.mark.parametrize("name", SHAPES.names())
def test_each_shape_is_declared_by_its_example_and_makes_its_schema(tmp_path, name):
    shape = SHAPES[name]
    spec = FeaturesSpec.model_validate({**DECLARED, **shape.example})
    assert (shape.name, spec.shape, bool(type(shape).__doc__)) == (name, name, True)
    events, labels = EVENTS.collect_schema(), LABELS.collect_schema()
    assert set(shape.of_events(spec)) <= set(events)
    assert set(shape.of_labels(spec)) <= set(labels)
    promised = check_features(spec, events, labels)
    found = made(Lake(str(tmp_path)), spec)
    assert found.schema == promised
    assert found.height > 0


@pytest.mark.parametrize("name", SHAPES.names())
def test_each_shape_names_the_column_that_is_missing(name):
    spec = FeaturesSpec.model_validate({**DECLARED, **SHAPES[name].example})
    for needed, role in ((SHAPES[name].of_events(spec), "events"), (SHAPES[name].of_labels(spec), "labels")):
        for column in needed:
            schemas = {"events": dict(EVENTS.collect_schema()), "labels": dict(LABELS.collect_schema())}
            del schemas[role][column]
            with pytest.raises(ValueError, match=f"'{column}' of its {role}"):
                check_features(spec, schemas["events"], schemas["labels"])


def test_a_shape_registered_elsewhere_is_declared_made_shown_and_forgotten(tmp_path):
    with SHAPES.temporarily("moments", Moments()):
        spec = FeaturesSpec.model_validate({**DECLARED, "shape": "moments"})
        assert FeaturesSpec.model_validate_json(spec.model_dump_json(by_alias=True)) == spec
        assert FeaturesSpec.model_json_schema()["properties"]["shape"]["enum"] == ["moments", "pairs"]
        found = made(Lake(str(tmp_path)), spec)
        assert found.select("user_id", "label").rows() == [("ann", pytest.approx(0.2)), ("bob", 1.0)]
        assert "## `moments`\n\nA moment at which somebody did something." in pages()["example-shape.md"]
        with pytest.raises(ValidationError, match="Example shape 'moment' is unknown; did you mean 'moments'"):
            FeaturesSpec.model_validate({**DECLARED, "shape": "moment"})
    with pytest.raises(ValidationError, match="Example shape 'moments' is unknown"):
        FeaturesSpec.model_validate({**DECLARED, "shape": "moments"})
