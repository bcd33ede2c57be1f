import subprocess
import sys

import pytest
from pydantic import ValidationError

from crawlers.kinds.files import FilesCrawl
from crawlers.spec import SourceSpec

CRAWL = {"kind": "files", "start": "${SHOP_URL}/logs/{date}/", "follow": r"events-\d+\.jsonl\.gz$"}
SPEC = {
    "name": "shop_clickstream",
    "crawl": CRAWL,
    "format": {"kind": "jsonl"},
    "contract": {"columns": {"event_id": {"type": "string", "required": True}}},
}


def test_the_declared_example_is_accepted_and_survives_json():
    spec = SourceSpec.model_validate(SPEC)
    assert SourceSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crawl": CRAWL | {"folow": "x"}}, "unknown key 'folow' of FilesCrawl; did you mean 'follow'"),
        ({"formt": {}}, "unknown key 'formt' of SourceSpec; did you mean 'format'"),
        ({"crawl": CRAWL | {"limits": {"max_bytes": 1}}}, "unknown key 'max_bytes' of SiteLimits"),
        ({"crawl": CRAWL | {"follow": "events-("}}, "is no regular expression"),
        ({"crawl": CRAWL | {"start": "/logs/"}}, "is no address"),
        ({"crawl": CRAWL | {"start": "http://x/{dat}/"}}, r"unknown placeholder '{dat}'; did you mean 'date'"),
        ({"crawl": CRAWL | {"start": "http://{date}.x/"}}, "in its host"),
        ({"crawl": CRAWL | {"start": "http://x/${MY VAR}/"}}, "names no environment variable"),
        ({"crawl": CRAWL | {"allowed_domains": ["http://x/"]}}, "write a host or host:port"),
        ({"crawl": CRAWL | {"missing": "ignore"}}, "'fail' or 'empty'"),
        ({"name": "Shop-Events"}, "should match pattern"),
        ({"format": {"kind": "xml"}}, "Format 'xml' is unknown; known are: access_log, csv, jsonl"),
        ({"format": {"kind": "jsonl", "delimiter": ";"}}, "unknown key 'delimiter' of JsonlFormat"),
    ],
)
def test_a_mistake_in_a_declaration_is_named(change, message):
    with pytest.raises(ValidationError, match=message):
        SourceSpec.model_validate(SPEC | change)


def test_sizes_are_written_as_people_do():
    limits = FilesCrawl.model_validate(CRAWL | {"limits": {"max_file_bytes": "200MiB"}}).limits
    assert limits.max_file_bytes == 200 * 1024**2


def test_declarations_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        SourceSpec.model_validate(SPEC).name = "other"


def test_specs_load_without_scrapy():
    code = (
        "import sys, crawlers.spec, crawlers.landing, crawlers.job, crawlers.run, crawlers.kinds; "
        "print([m for m in sys.modules if m.split('.')[0] in {'scrapy', 'twisted', 'dagster', 'lxml'}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
