"""A code version changes with what changes the content, and with nothing else."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from assets.cleaning import TableSpec
from assets.features import FeaturesSpec
from assets.labeling import LabelsError, LabelsSpec
from assets.stages import features, labels, raw, table
from assets.stages.day import DayResult
from assets.stages.model.inputs import ModelInputs, code_version
from assets.stages.past import Audit
from crawlers.spec import SourceSpec
from training.spec import ModelSpec

SHOP = Path(__file__).parents[1] / "components" / "shop"


def declared(folder):
    return yaml.safe_load((SHOP / folder / "defs.yaml").read_text())["attributes"]


def examples(**changes):
    return FeaturesSpec.model_validate(declared("examples") | changes)


def model_inputs(**changes):
    tables = features.Inputs("shop_events", "shop_engagement")
    return ModelInputs(ModelSpec.model_validate(declared("ranker") | changes), examples(), tables)


VERSIONS = {
    "source": lambda **changes: raw.code_version(SourceSpec.model_validate(declared("clickstream") | changes)),
    "table": lambda **changes: table.code_version(TableSpec.model_validate(declared("events") | changes), Audit()),
    "labels": lambda **changes: labels.code_version(LabelsSpec.model_validate(declared("engagement") | changes)),
    "features": lambda **changes: features.code_version(examples(**changes)),
    "model": lambda **changes: code_version(model_inputs(**changes), "train"),
    "candidates": lambda **changes: code_version(model_inputs(**changes), "compress", "evaluate"),
    "champion": lambda **changes: code_version(model_inputs(**changes), "decide"),
    "recommendations": lambda **changes: code_version(model_inputs(**changes), "recommend"),
}


@pytest.mark.parametrize("stage", VERSIONS)
def test_words_for_people_change_no_content(stage):
    version = VERSIONS[stage]
    assert version() == version(description="Told better", owners=["team:others"], tags={"cost": "low"})


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("source", {"contract": {"columns": {"event_id": {"type": "string"}}}}),
        ("source", {"format": {"kind": "csv"}}),
        ("table", {"steps": [{"deduplicate": {"by": ["event_id"]}}]}),
        ("table", {"gate": []}),
        ("table", {"lateness": "2d"}),
        ("labels", {"seed": 8}),
        ("labels", {"aggregate": declared("engagement")["aggregate"] | {"events": "count(item_id)"}}),
        ("features", {"windows": ["1d"]}),
        ("features", {"negatives": {"per_positive": 1, "by": "uniform", "seed": 7}}),
        ("model", {"seed": 8}),
        ("model", {"family": {"kind": "ranker", "hidden": [64, 32]}}),
    ],
)
def test_what_decides_about_content_changes_the_version(stage, changes):
    assert VERSIONS[stage]() != VERSIONS[stage](**changes)


SPECS = {
    "source": lambda: SourceSpec.model_validate(declared("clickstream")),
    "table": lambda: TableSpec.model_validate(declared("events")),
    "labels": lambda: LabelsSpec.model_validate(declared("engagement")),
    "features": examples,
    "model": lambda: ModelSpec.model_validate(declared("ranker")),
}
IDENTITY = {
    "source": raw.code_version,
    "table": lambda spec: table.code_version(spec, Audit()),
    "labels": labels.code_version,
    "features": features.code_version,
    "model": lambda spec: code_version(
        ModelInputs(spec, examples(), features.Inputs("shop_events", "shop_engagement")),
        *("train", "compress", "evaluate", "decide", "recommend"),
    ),
}
WORDS = {"description", "owners", "tags"}
# What decides about no content, or is looked at elsewhere.
ASIDE = {
    "source": {
        "name",  # another name is another table
        "crawl",  # what it brings is in the landing's digest
        "retention",
    },
    "table": set(),
    "labels": set(),
    "features": {"split"},  # the model's
    "model": {"launcher", "start_deadline", "freeze_deadline", "max_restarts"},
}


def other(value):
    """A value of the same kind that is not this one."""
    if isinstance(value, BaseModel):
        name = next(name for name in type(value).model_fields if name != "kind")
        return value.model_copy(update={name: other(getattr(value, name))})
    if isinstance(value, Mapping):
        return {**value, "another": "x"} if all(isinstance(one, str) for one in value.values()) else {}
    if isinstance(value, bool | tuple):
        return value[:-1] if value and isinstance(value, tuple) else not value if isinstance(value, bool) else ("x",)
    if isinstance(value, int | float | str | timedelta):
        return value + {str: "x", timedelta: timedelta(days=1)}.get(type(value), 1)
    return 1


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize(("stage", "key"), [(s, k) for s, make in SPECS.items() for k in type(make()).model_fields])
def test_every_key_decides_about_content_or_is_known_not_to(stage, key):
    spec = SPECS[stage]()
    changed = spec.model_copy(update={key: other(getattr(spec, key))})
    assert changed != spec
    same = IDENTITY[stage](changed) == IDENTITY[stage](spec)
    assert same == (key in WORDS | ASIDE[stage])


def test_where_a_source_is_crawled_does_not_change_how_it_is_parsed():
    crawl = declared("clickstream")["crawl"] | {"start": "https://elsewhere.example/{date}/"}
    assert VERSIONS["source"]() == VERSIONS["source"](crawl=crawl)


def test_the_split_decides_about_the_model_and_not_about_the_examples():
    other = {"validation": "2d", "test": "1d"}
    assert VERSIONS["features"]() == VERSIONS["features"](split=other)
    mine = model_inputs()
    theirs = ModelInputs(mine.model, examples(split=other), mine.tables)
    assert code_version(mine, "train") != code_version(theirs, "train")


@pytest.mark.parametrize(
    ("changes", "made_anew"),
    [
        ({"bless": {"minimum": 0.7}}, {"champion"}),
        ({"recommend": {"k": 3}}, {"recommendations"}),
        ({"evaluate": {"users": 50}}, {"candidates"}),
        ({"compress": {"prune": None}}, {"candidates"}),
        ({"epochs": 9}, {"model"}),
        ({"warm_start": True}, {"model"}),
        ({"max_restarts": 0, "start_deadline": "9m", "freeze_deadline": "9m"}, set()),
    ],
)
def test_a_change_of_a_model_makes_only_the_phases_anew_that_read_it(changes, made_anew):
    phases = ("model", "candidates", "champion", "recommendations")
    assert {phase for phase in phases if VERSIONS[phase]() != VERSIONS[phase](**changes)} == made_anew


def test_editing_a_labelling_function_changes_the_version(tmp_path, monkeypatch):
    source = tmp_path / "votes_for_this_test.py"
    monkeypatch.syspath_prepend(str(tmp_path))
    functions = [*declared("engagement")["functions"][:3], {"name": "mine", "python": f"{source.stem}:mine"}]
    source.write_text("def mine(): ...\n")
    before = VERSIONS["labels"](functions=functions)
    source.write_text("def mine(): return 1\n")
    assert VERSIONS["labels"](functions=functions) != before


def test_a_module_that_is_not_there_is_named_with_its_function():
    functions = [*declared("engagement")["functions"][:3], {"name": "mine", "python": "nowhere.to_be.found:mine"}]
    spec = LabelsSpec.model_validate(declared("engagement") | {"functions": functions})
    with pytest.raises(LabelsError, match=r"'mine': there is no Python module 'nowhere\.to_be\.found'") as raised:
        labels.check_modules(spec)
    assert raised.value.location[0] == "functions"
    labels.check_modules(LabelsSpec.model_validate(declared("engagement")))


@pytest.mark.parametrize(
    ("history", "fit_window", "expected"), [(None, "1d", 0), ({"window": "3d", "by": ["user_id"]}, "1d", 3)]
)
def test_labels_say_how_far_back_they_read(history, fit_window, expected):
    changes = {"fit_window": fit_window} | ({"history": history} if history else {})
    assert labels.days_read_before(LabelsSpec.model_validate(declared("engagement") | changes)) == expected


@pytest.mark.parametrize(
    ("status", "visible"),
    [("published", True), ("unchanged", True), ("refused", False), ("blocked", False), ("failed", False)],
)
def test_a_day_is_visible_when_it_has_content_after_the_stage(status, visible):
    assert DayResult(date(2026, 1, 1) + timedelta(days=1), status).visible is visible
