"""A column that is declared under a name which the site does not send is reported by raw, and does not stop the day."""

import datetime as dt
import hashlib

import pytest

from assets.lake import Lake
from assets.stages import raw
from crawlers.landing import LandedFile, Manifest, landing_folder
from crawlers.spec import SourceSpec

DAY = dt.date(2021, 3, 3)
NOW = dt.datetime(2021, 3, 4, 1, tzinfo=dt.UTC)
BODY = b'{"id":"a","ts":"2021-03-03T10:00:00Z","device":{"category":"mobile"},"items":[{"item_id":"A1"}]}\n'


@pytest.mark.parametrize(("source", "occurs"), [("device.category", True), ("device.kind", False), ("category", False)])
def test_a_declared_name_that_never_occurs_is_a_warning(tmp_path, source, occurs):
    lake = Lake(str(tmp_path / "lake"))
    folder = tmp_path / "lake" / landing_folder("site", DAY)
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(BODY)
    digest = hashlib.sha256(BODY).hexdigest()
    file = LandedFile(path="a.jsonl", url="u", status=200, bytes=len(BODY), sha256=digest, fetched_at=NOW)
    manifest = Manifest(
        source="site", partition=DAY, finish_reason="finished", started_at=NOW, finished_at=NOW, files=(file,)
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    spec = SourceSpec.model_validate(
        {
            "name": "site",
            "crawl": {"kind": "files", "start": "http://s.example/{date}/", "follow": "."},
            "format": {"kind": "jsonl"},
            "contract": {"columns": {"id": {"type": "string"}, "device": {"type": "string", "from": source}}},
        }
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    result = raw.materialize(lake, spec, DAY, secret=None, scratch=scratch, run_id="r")
    check = next(one for one in result.checks if one.name == "all_declared_occur")
    assert (result.status, check.passed, check.severity) == ("published", occurs, "warning")
    assert check.metadata == {"absent": [] if occurs else ["device"]}
    assert lake.scan("site__raw").collect()["device"].to_list() == ["mobile" if occurs else None]
    if not occurs:
        assert "'device'" in check.description
