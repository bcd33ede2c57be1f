"""The README says what is so: its commands run, its examples are valid, its links lead somewhere."""

import re
import shutil
import subprocess

import pytest
import yaml
from pydantic import TypeAdapter

from foundation.store import open_store
from training.publish import publish

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/backfills.md",
    "docs/comparison.md",
    "docs/glossary.md",
    "docs/history.md",
    "docs/layout.md",
    "docs/refusals.md",
    "docs/rollback.md",
    "docs/storage.md",
    "docs/decisions/README.md",
    "docs/reference/README.md",
)
CARD = {
    "model": {"name": "shop_ranker", "family": {"kind": "ranker"}, "seed": 7, "description": ""},
    "as_of": "2026-01-31",
    "verdict": {"reasons": []},
    "evaluation": {"k": 10, "candidates": []},
    "data": {"table": "shop_examples", "version": 1, "days": {}, "parts": {}},
}


def test_it_opens_with_what_sluice_is_the_two_commands_and_a_picture(root):
    opening = (root / "README.md").read_text(encoding="utf-8")[:1500]
    places = [opening.index(text) for text in ("# Sluice\n\nSluice ", "make demo", "make test", 'src="docs/graph.png"')]
    assert places == sorted(places)


def test_the_picture_is_a_small_png(root):
    content = (root / "docs/graph.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert 20_000 < len(content) < 300_000


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_project_lead_somewhere(root, page):
    text = (root / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    missing = [t for t in targets if "://" not in t and not (root / page).parent.joinpath(t).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_is_named_exists(root, page):
    text = (root / page).read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z][a-z-]+)\b(?=[`\s.,;:])", "\n".join(_code(text))))
    known = set(re.findall(r"^([a-z-]+):.*## ", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert targets <= known


def _code(text):
    return re.findall(r"```\w*[^\n]*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/history.md"])
def test_the_declarations_are_valid(blocks, page):
    from assets import components

    declared = [yaml.safe_load(block.text) for block in blocks(page) if block.language == "yaml"]
    assert declared
    for one in declared:
        component = getattr(components, one["type"].rsplit(".", 1)[-1])
        TypeAdapter(component.spec_class).validate_python(one["attributes"])


def test_make_understands_every_target(root):
    make = shutil.which("make")
    assert make
    targets = re.findall(r"^([a-z-]+):.*## ", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    dry = subprocess.run([make, "-n", *targets], cwd=root, capture_output=True, text=True, check=False, timeout=60)
    assert dry.returncode == 0, dry.stderr


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_its_commands_run_from_the_top_to_the_bottom(run, blocks):
    pages = ("README.md", "docs/backfills.md", "docs/refusals.md", "docs/layout.md")
    parts = [block for page in pages for block in blocks(page) if block.language in ("bash", "python")]
    output = " ".join(run(parts).split())
    assert "orchestration.demo" in output
    assert "Creating defs at" in output
    assert "The gate of shop_events refused 2026-01-10" in output
    assert "shop_events 2026-01-24 is published, by ana: the shop renamed its items on purpose" in output
    assert "expect_column_values_to_be_in_set: {column: event_type" in output, "no gate was proposed"
    for day in ("2026-01-06", "2026-01-09", "2026-01-10", "2026-01-11"):
        assert re.search(rf"{day} ┆ \d+", output), f"{day} is not in the table at the end"


def test_a_champion_is_rolled_back(run, blocks, project):
    made = project / "data/run"
    (made / "candidates/int8").mkdir(parents=True)
    (made / "float").mkdir()
    (made / "encoding").mkdir()
    for version in ("first", "second"):
        (made / "candidates/int8/model.tflite").write_text(version)
        models = project / "data/lake/models/shop_ranker"
        inputs = {"run": made, "encoding": made / "encoding", "candidate": "int8", "card": CARD}
        publish(open_store(models), version=version, by="run 1", reason="the smallest", **inputs)
    output = run([block for block in blocks("docs/rollback.md") if "rollback" in block.options])
    assert "The champion is second" in output
    assert "Rolled back. The champion is first" in output
