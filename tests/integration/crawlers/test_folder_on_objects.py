"""The folder kind on a real S3 server: what a prefix lands, recognises and refuses."""

import json

from crawlers.job import CrawlRequest
from crawlers.run import run
from foundation.store import open_store

DAY = "2026-03-01"


def crawl(lake, path, **declared):
    declared = {"kind": "folder", "path": path, "files": "**/*.csv"} | declared
    spec = {
        "name": "shop",
        "crawl": declared,
        "format": {"kind": "csv"},
        "contract": {"columns": {"a": {"type": "string"}}},
    }
    messages = []
    request = CrawlRequest.model_validate({"spec": spec, "days": [DAY], "root": str(lake)})
    run(request, report=messages.append, log=lambda _: None)
    (message,) = messages
    return message


def test_a_prefix_lands_is_recognised_and_its_emptiness_replaces_nothing(objects, tmp_path, monkeypatch):
    bucket = objects.place()
    store = open_store(bucket)
    store.write(f"in/{DAY}/a.csv", b"1\n")
    store.write(f"in/{DAY}/below/b.csv", b"2\n" * 1_000_000)
    store.write(f"in/{DAY}/c.txt", b"3\n")
    store.write(f"in/{DAY}0/d.csv", b"4\n")
    monkeypatch.setenv("INBOX", bucket)
    first = crawl(tmp_path, "${INBOX}/in/{date}")
    assert first["status"] == "landed", first["error"]
    assert first["stats"]["bytes"] == 2_000_002
    text = (tmp_path / "landing" / "shop" / DAY / "manifest.json").read_text()
    files = json.loads(text)["files"]
    assert [file["url"] for file in files] == [f"${{INBOX}}/in/{DAY}/a.csv", f"${{INBOX}}/in/{DAY}/below/b.csv"]

    store.write(f"in/{DAY}/a.csv", b"5\n")
    second = crawl(tmp_path, "${INBOX}/in/{date}")
    assert second["stats"]["unchanged"] == 1
    assert second["stats"]["bytes"] == 2
    assert second["manifest"]["digest"] != first["manifest"]["digest"]

    store.remove_folder(f"in/{DAY}")
    assert "there is nothing below" in crawl(tmp_path, "${INBOX}/in/{date}")["error"]
    emptied = crawl(tmp_path, "${INBOX}/in/{date}", missing="empty")
    assert "what landed is not replaced by nothing" in emptied["error"]


def test_a_bucket_that_is_not_there_is_explained_without_secrets(objects, tmp_path):
    del objects
    message = crawl(tmp_path, "s3://no-such-bucket/in/{date}")
    assert message["status"] == "failed"
    assert "AWS_ENDPOINT_URL" in message["error"] or "there is nothing below" in message["error"]
    assert "not-a-secret" not in message["error"]
