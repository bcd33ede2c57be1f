"""The recipes of CONTRIBUTING.md are complete: followed to the letter, they work."""

import pytest

PAGE = "CONTRIBUTING.md"
pytestmark = pytest.mark.slow


@pytest.fixture
def follow(run, section, blocks):
    first = section(PAGE, "Add a source")[0]
    set_up = [block for block in blocks(PAGE) if block.line < first.line]

    def recipe(heading):
        return run([*set_up, *section(PAGE, heading)])

    return recipe


def test_add_a_source(follow, project):
    follow("Add a source")
    assert (project / "data/lake/landing/orders/2026-01-05/manifest.json").is_file()
    lake = b"".join(path.read_bytes() for path in (project / "data/lake/tables").rglob("*.parquet"))
    assert b"ann" not in lake


def test_add_a_cleaning_step(follow):
    output = follow("Add a cleaning step")
    assert " passed" in output
    assert " failed" not in output
    assert "All definitions loaded successfully" in output


def test_add_a_model_family(follow):
    output = follow("Add a model family")
    assert " passed" in output
    assert " failed" not in output
    assert "All definitions loaded successfully" in output
