"""Data Docs of many partitions: whole pages, each template compiled once, fonts and pictures kept once."""

import re
from pathlib import Path

import polars as pl
import pytest

from expectations.gate import GateReport, parse_gate, run_gate

GATE = parse_gate([{"expect_column_values_to_not_be_null": {"column": "item_id"}}])


def audit(folder: Path, partition: str, **options: Path) -> GateReport:
    frame = pl.LazyFrame({"item_id": ["a", None]})
    return run_gate(
        GATE, frame, name="shop_events", partition=partition, docs_dir=folder / partition / "docs", **options
    )


def pages(docs: Path) -> dict[str, str]:
    # Names of runs and addresses hold the time, and elements a random id; the rest of a page is the same every time.
    changing = re.compile(
        r"\d{8}T\d{6}\.\d+Z|[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\d[T ][\d:.+ ]+(UTC|Z)?|[0-9a-f]{32}"
    )
    found = {changing.sub("…", str(page.relative_to(docs))): page for page in docs.rglob("*.html")}
    return {name: changing.sub("…", page.read_text(encoding="utf-8")) for name, page in found.items()}


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from jinja2 import Environment

    names: list[str] = []
    compile_template = Environment.compile

    def counted(self, source, name=None, *args, **kwargs):
        names.append(str(name))
        return compile_template(self, source, name, *args, **kwargs)

    monkeypatch.setattr(Environment, "compile", counted)
    return names


def test_templates_are_compiled_once_and_pages_stay_the_same(tmp_path, compiled):
    first = audit(tmp_path, "2026-01-01")
    compiled.clear()
    second = audit(tmp_path, "2026-01-02")
    assert compiled == []
    before, after = pages(first.docs_index.parent), pages(second.docs_index.parent)
    assert len(after) == 3
    # The first page tells the time of the validation in words.
    assert "shop_events" in before.pop("index.html")
    assert "shop_events" in after.pop("index.html")
    assert before == after
    assert all("item_id" in page for page in after.values())


def test_pages_share_fonts_styles_and_pictures(tmp_path):
    shared = tmp_path / "docs_static"
    docs = [audit(tmp_path, day, static_dir=shared).docs_index for day in ("2026-01-01", "2026-01-02", "2026-01-02")]
    css = "styles/data_docs_default_styles.css"
    assert (shared / css).stat().st_size > 0
    for index in docs:
        assert (index.parent / "static" / css).samefile(shared / css)
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert (moved / "2026-01-01" / "docs" / "static" / css).is_file()
