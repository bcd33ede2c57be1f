import json

import pytest

from crawlers.__main__ import main

SPEC = {
    "name": "shop",
    "crawl": {"kind": "files", "start": "${NOT_SET_ANYWHERE}/{date}/", "follow": "x"},
    "format": {"kind": "jsonl"},
    "contract": {"columns": {"a": {"type": "string"}}},
}


@pytest.mark.parametrize("damage", [b"", b"{", b'{"days": []}', b"\xff"])
def test_a_request_that_cannot_be_read_ends_the_process(tmp_path, capsys, damage):
    (tmp_path / "request.json").write_bytes(damage)
    assert main(["--request", str(tmp_path / "request.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_missing_variable_fails_every_day_and_is_named(tmp_path, capsys):
    request = {"spec": SPEC, "days": ["2026-10-01", "2026-10-02"], "root": str(tmp_path)}
    (tmp_path / "request.json").write_text(json.dumps(request))
    assert main(["--request", str(tmp_path / "request.json")]) == 0
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [message["day"] for message in messages] == ["2026-10-01", "2026-10-02"]
    assert all("the variable NOT_SET_ANYWHERE is not set" in message["error"] for message in messages)
