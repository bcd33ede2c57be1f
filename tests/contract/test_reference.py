"""The reference says what is so: it is not stale, each registry and each kind is in it, and its examples load."""

import re
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from assets import components
from assets.cleaning import make_step
from assets.cleaning.registry import STEPS
from assets.cleaning.step import Step
from assets.features.registry import FEATURES, parse_feature
from assets.labeling.function import FUNCTIONS
from crawlers.crawl import CRAWL_KINDS
from orchestration.environment import VARIABLES
from orchestration.reference import PAGES, _public_registries, pages, stale

ROOT = Path(__file__).parents[2]
OWN = ("assets", "crawlers", "expectations", "foundation", "orchestration", "training")
#: Between a launcher and its own workers: nobody sets them.
INTERNAL = {"SLUICE_TRAINING_FOLDER", "SLUICE_TRAINING_SUPERVISED", "SLUICE_TRAINING_THREADS"}


def test_no_page_is_stale():
    assert stale() == []


def test_a_stale_page_is_named(tmp_path):
    (tmp_path / "step.md").write_text("something else")
    (tmp_path / "gone.md").write_text("")
    found = stale(tmp_path)
    assert {"step.md", "gone.md", "README.md"} <= set(found)


@pytest.mark.parametrize("noun", sorted(_public_registries()))
def test_every_kind_of_every_registry_is_described(noun):
    text = (PAGES / f"{re.sub('[^a-z0-9]+', '-', noun)}.md").read_text(encoding="utf-8")
    for name in _public_registries()[noun]:
        _, _, section = text.partition(f"## `{name}`\n")
        assert section.strip(), f"{noun} '{name}' is missing"
        first = section.strip().splitlines()[0]
        assert len(first) > 10, f"{noun} '{name}' is not described; give it a docstring"


@pytest.mark.parametrize("name", components.__all__)
def test_every_key_of_every_component_is_described(name):
    text = (PAGES / f"{name.lower()}.md").read_text(encoding="utf-8")
    missing = []
    for field, info in getattr(components, name).spec_class.model_fields.items():
        row = re.search(rf"^\| `{info.alias or field}` \|.*\| (.*) \|$", text, re.MULTILINE)
        if row is None or not row[1].strip():
            missing.append(info.alias or field)
    assert missing == []


def examples(page):
    text = (PAGES / page).read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def test_the_examples_of_steps_load():
    made = [make_step(entry) for example in examples("step.md") for entry in example]
    assert sorted(step.step for step in made) == list(STEPS.names())


def test_the_examples_of_features_load():
    made = [parse_feature(entry) for example in examples("feature-kind.md") for entry in example]
    assert sorted(feature.kind for feature in made) == list(FEATURES.names())


def test_the_examples_of_crawls_load():
    for example in examples("crawl-kind.md"):
        CRAWL_KINDS[example["crawl"]["kind"]].model_validate(example["crawl"])


def test_the_examples_of_labelling_functions_load():
    for example in examples("labelling-function.md"):
        (entry,) = example
        (key,) = [key for key in FUNCTIONS.names() if key in entry]
        FUNCTIONS[key].model_validate(entry)


def test_a_step_that_is_registered_appears_without_another_line():
    class Twice(Step):
        """Every row once more.

        Attributes:
            times: how often.
        """

        example: ClassVar = {"times": 2}
        times: int = 2

        def check(self, schema):
            """Anything will do."""

        def transform(self, frame):
            """The rows as they are."""
            return frame

    with STEPS.temporarily("twice", Twice):
        text = pages()["step.md"]
    assert "## `twice`\n\nEvery row once more." in text
    assert "| `times` | whole number | `2` | how often. |" in text


def test_every_variable_that_is_read_is_listed_and_the_other_way_round():
    read = set()
    for package in OWN:
        for path in (ROOT / package).rglob("*"):
            if path.suffix in (".py", ".sh", ".yaml") and path.name != "environment.py" and path.is_file():
                read |= set(re.findall(r"\bSLUICE_[A-Z_]+\b", path.read_text(encoding="utf-8")))
    listed = {one.name for one in VARIABLES if one.name.startswith("SLUICE_")}
    assert listed == read - INTERNAL
