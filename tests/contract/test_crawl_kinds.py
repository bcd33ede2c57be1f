"""What every kind of crawl owes: it loads without Scrapy, says where it begins, and names what runs it."""

import asyncio
import inspect
import subprocess
import sys
from types import SimpleNamespace
from typing import ClassVar, Literal

import pytest

from crawlers.address import Site
from crawlers.crawl import Crawl
from crawlers.days import crawl_days
from crawlers.job import CrawlRequest
from crawlers.kinds import CRAWL_KINDS
from crawlers.run import run
from crawlers.spec import SourceSpec
from foundation.importing import load


@pytest.mark.parametrize("kind", CRAWL_KINDS)
def test_a_kind_is_declared_under_its_own_name_and_runs_something(kind):
    model = CRAWL_KINDS[kind]
    assert model.model_fields["kind"].default == kind
    assert model.tools
    assert model.__doc__
    runs = load(model.runs)
    if isinstance(runs, type):
        from crawlers.spiders.days import DaySpider

        assert issubclass(runs, DaySpider)
    else:
        assert list(inspect.signature(runs).parameters) == ["job"]


def test_kinds_load_without_scrapy():
    code = (
        "import sys, crawlers.spec, crawlers.landing, crawlers.job, crawlers.run, crawlers.days; "
        "print([m for m in sys.modules if m.split('.')[0] in {'scrapy', 'twisted', 'dagster', 'lxml', 'obstore'}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class NowhereCrawl(Crawl):
    """A throw-away kind: all that a new one has to be."""

    runs: ClassVar[str] = "throw_away:crawl_nowhere"
    tools: ClassVar[frozenset[str]] = frozenset({"file"})

    kind: Literal["nowhere"] = "nowhere"
    place_name: str

    @property
    def address(self):
        return self.place_name

    def expand(self, environment, *, source):
        del environment, source
        return Site(self.place_name, self.place_name, None, ())


async def find_nothing(crawl):
    del crawl
    return []


def crawl_nowhere(job):
    asyncio.run(crawl_days(job, find_nothing))


SPEC = {
    "name": "shop",
    "crawl": {"kind": "nowhere", "place_name": "there"},
    "format": {"kind": "jsonl"},
    "contract": {"columns": {"a": {"type": "string"}}},
}


def test_a_new_kind_is_declared_runs_and_is_named_by_messages_and_schema(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "throw_away", SimpleNamespace(crawl_nowhere=crawl_nowhere))
    with CRAWL_KINDS.temporarily("nowhere", NowhereCrawl):
        spec = SourceSpec.model_validate(SPEC)
        request = CrawlRequest(spec=spec, days=("2026-03-01",), root=str(tmp_path))
        request = CrawlRequest.model_validate_json(request.model_dump_json())
        messages = []
        run(request, report=messages.append, log=lambda _: None)
        assert "'nowhere'" in str(SourceSpec.model_json_schema())
        with pytest.raises(ValueError, match=r"Crawl kind 'nowere' is unknown; did you mean 'nowhere'"):
            SourceSpec.model_validate(SPEC | {"crawl": {"kind": "nowere"}})
    (message,) = messages
    assert message["status"] == "failed"
    assert "there are no files for this day; set crawl.missing: empty" in message["error"]
    assert message["transient"] is False


def test_a_manifest_of_before_the_new_fields_still_loads():
    from crawlers.landing import Manifest

    old = (
        '{"source": "shop", "partition": "2026-03-01", "complete": true, "finish_reason": "no_files",'
        ' "started_at": "2026-03-02T00:00:00Z", "finished_at": "2026-03-02T00:00:01Z", "files": [],'
        ' "stats": {"requests": 1}, "demo": false, "origin": ""}'
    )
    assert Manifest.model_validate_json(old).continuation == {}
