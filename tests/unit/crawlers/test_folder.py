"""The folder kind: real files, damaged and changed on purpose; a crawl runs in this process, as it needs no Scrapy."""

import datetime as dt
import os
import re
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from crawlers.folders.glob import compile_glob
from crawlers.folders.local import LocalFolder
from crawlers.folders.place import ChangedError
from crawlers.job import CrawlRequest
from crawlers.kinds.folder import FolderCrawl
from crawlers.landing import fetched, landed
from crawlers.run import run
from foundation.store import open_store

DAY = dt.date(2026, 3, 1)
LONG_AGO = 1_700_000_000


class Source:
    """A source that reads a folder, and what came of crawling it."""

    def __init__(self, root: Path):
        self.folder = root / "in" / DAY.isoformat()
        self.lake = root / "lake"
        self.folder.mkdir(parents=True)
        self.store = open_store(self.lake)
        self.log = []

    def put(self, name, body=b"1\n", *, at=LONG_AGO):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        os.utime(path, (at, at))
        return path

    def crawl(self, **declared):
        declared = {"kind": "folder", "path": f"{self.folder.parent}/{{date}}", "files": "*.csv"} | declared
        declared["limits"] = {"retries": 1, "backoff_seconds": 0} | declared.get("limits", {})
        spec = {
            "name": "shop",
            "crawl": declared,
            "format": {"kind": "csv"},
            "contract": {"columns": {"a": {"type": "string"}}},
        }
        messages = []
        request = CrawlRequest.model_validate({"spec": spec, "days": [DAY], "root": str(self.lake)})
        run(request, report=messages.append, log=self.log.append)
        (message,) = messages
        return message

    def landed(self):
        directory = fetched(self.store, "shop", DAY, self.manifest())
        return {file.url.rsplit("/", 1)[-1]: (directory / file.path).read_bytes() for file in self.manifest().files}

    def manifest(self):
        return landed(self.store, "shop", DAY)


@pytest.fixture
def source(tmp_path):
    return Source(tmp_path)


def test_files_that_match_land_as_they_are_with_a_manifest(source, monkeypatch):
    source.put("a.csv", b"\xff\x00a")
    source.put("b.csv", b"")
    source.put("c.txt")
    source.put(".hidden.csv")
    source.put("below/d.csv")
    monkeypatch.setenv("INBOX", str(source.folder.parent))
    message = source.crawl(path="${INBOX}/{date}/")
    assert message["status"] == "landed"
    assert source.landed() == {"a.csv": b"\xff\x00a", "b.csv": b""}
    assert [file.url for file in source.manifest().files] == [f"${{INBOX}}/{DAY}/a.csv", f"${{INBOX}}/{DAY}/b.csv"]
    assert message["stats"]["bytes"] == 3


def test_unchanged_files_are_not_read_again_and_changed_ones_are(source):
    kept, changed = source.put("a.csv", b"1\n"), source.put("b.csv", b"1\n")
    first = source.crawl()
    changed.write_bytes(b"2\n")
    os.utime(changed, (LONG_AGO + 1, LONG_AGO + 1))
    kept.chmod(0)
    second = source.crawl()
    assert second["stats"]["unchanged"] == 1
    assert second["stats"]["bytes"] == 2
    assert source.landed() == {"a.csv": b"1\n", "b.csv": b"2\n"}
    assert first["manifest"]["digest"] != second["manifest"]["digest"]


def test_a_file_touched_without_a_change_keeps_digest_and_time(source):
    path = source.put("a.csv")
    first = source.crawl()
    fetched_at = source.manifest().files[0].fetched_at
    os.utime(path, (LONG_AGO + 5, LONG_AGO + 5))
    second = source.crawl()
    assert second["stats"]["unchanged"] == 1
    assert second["manifest"]["digest"] == first["manifest"]["digest"]
    assert source.manifest().files[0].fetched_at == fetched_at


def test_a_file_written_just_now_is_read_again_though_size_and_time_are_the_same(source):
    path = source.put("a.csv", b"1\n")
    os.utime(path)
    stamp = path.stat().st_mtime_ns
    source.crawl()
    path.write_bytes(b"2\n")
    os.utime(path, ns=(stamp, stamp))
    source.crawl()
    assert source.landed() == {"a.csv": b"2\n"}


def test_a_file_that_changes_while_it_is_read_is_noticed(source):
    path = source.put("a.csv", bytes(3 << 20))
    place = LocalFolder(source.folder, source.folder)
    (entry,) = place.entries()
    pieces = place.pieces(entry)
    next(pieces)
    with path.open("ab") as more:
        more.write(b"more")
    with pytest.raises(ChangedError):
        list(pieces)


def test_a_file_that_is_replaced_while_it_is_read_is_noticed(source):
    path = source.put("a.csv", bytes(3 << 20))
    place = LocalFolder(source.folder, source.folder)
    (entry,) = place.entries()
    pieces = place.pieces(entry)
    next(pieces)
    source.put("new", bytes(3 << 20)).replace(path)
    with pytest.raises(ChangedError):
        list(pieces)


def test_a_file_that_never_rests_fails_the_day_for_now(source):
    path, done = source.put("a.csv", bytes(1 << 20)), threading.Event()

    def keep_changing():
        n = 0
        while not done.is_set():
            n += 1
            os.utime(path, (LONG_AGO + n, LONG_AGO + n))

    writer = threading.Thread(target=keep_changing)
    writer.start()
    try:
        message = source.crawl()
    finally:
        done.set()
        writer.join()
    assert "changed while it was read, 2 times" in message["error"]
    assert message["transient"] is True


@pytest.mark.parametrize("make_link", ["file", "folder", "chain"])
def test_nothing_outside_the_folder_is_read(source, tmp_path, make_link):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.csv").write_bytes(b"secret")
    source.put("a.csv")
    if make_link == "folder":
        (source.folder / "out").symlink_to(tmp_path / "secret")
        message = source.crawl(files="**/*.csv")
        assert source.landed() == {"a.csv": b"1\n"}
        assert message["stats"]["left_out"] == {"links out of the folder": 1}
        assert any("out" in line and "links out of the folder" in line for line in source.log)
        return
    target = tmp_path / "secret" / "s.csv"
    if make_link == "chain":
        (source.folder / "step").symlink_to(target)
        target = source.folder / "step"
    (source.folder / "s.csv").symlink_to(target)
    message = source.crawl()
    assert "nothing outside of what is declared is read" in message["error"]
    assert message["transient"] is False


def test_the_folder_of_a_day_must_not_lead_out_either(source, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.csv").write_bytes(b"secret")
    source.folder.rmdir()
    source.folder.symlink_to(tmp_path / "secret")
    assert "nothing outside of what is declared is read" in source.crawl()["error"]


def test_links_within_the_folder_are_followed_and_circles_end(source):
    source.put("deep/a.csv")
    (source.folder / "deep" / "round").symlink_to(source.folder)
    (source.folder / "b.csv").symlink_to("deep/a.csv")
    source.crawl(files="**/*.csv")
    assert set(source.landed()) == {"a.csv", "b.csv"}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"files": "*.gz"}, r"none of the 1 files in .*in/2026-03-01 matches crawl.files \('\*.gz'\); there are a.csv"),
        ({"path": "/no/such/{date}"}, r"/no/such/2026-03-01 is not there; / holds"),
        ({"path": "in/{date:%Y-%m-3%d}"}, "is not there"),
    ],
)
def test_nothing_is_a_failure_that_says_what_is_there(source, declared, message):
    source.put("a.csv")
    failed = source.crawl(**declared)
    assert failed["transient"] is False
    assert re.search(message, failed["error"]), failed["error"]
    assert "crawl.missing: empty" in failed["error"]


def test_the_nearest_folder_is_named(source):
    source.put("a.csv")
    failed = source.crawl(path=f"{source.folder.parent.parent}/inn/{{date}}")
    assert "did you mean 'in'?" in failed["error"]


def test_a_file_in_the_place_of_the_folder_is_explained(source):
    path = source.put("a.csv")
    assert "is a file; name its folder" in source.crawl(path=str(path))["error"]


def test_a_pipe_is_refused_and_not_waited_for(source):
    os.mkfifo(source.folder / "a.csv")
    assert "is no regular file" in source.crawl()["error"]


def test_bounds_are_kept(source):
    source.put("a.csv", b"12345")
    source.put("b.csv", b"12345")
    assert "crawl.limits.max_files (1)" in source.crawl(limits={"max_files": 1})["error"]
    assert "more than max_file_bytes (4)" in source.crawl(limits={"max_file_bytes": 4})["error"]


def test_emptiness_is_published_only_where_it_is_declared(source):
    assert source.crawl()["status"] == "failed"
    assert source.crawl(missing="empty")["status"] == "empty"
    assert source.manifest().finish_reason == "no_files"


@pytest.mark.parametrize("whole_folder", [False, True])
def test_even_declared_emptiness_does_not_replace_what_landed(source, whole_folder):
    path = source.put("a.csv")
    source.crawl(missing="empty")
    before = source.manifest()
    path.unlink()
    if whole_folder:
        source.folder.rmdir()
    message = source.crawl(missing="empty")
    assert message["status"] == "failed"
    assert "1 files landed on" in message["error"]
    assert source.manifest() == before
    assert source.landed() == {"a.csv": b"1\n"}


def test_an_unset_variable_is_named(source):
    assert "the variable NOT_SET_ANYWHERE is not set" in source.crawl(path="${NOT_SET_ANYWHERE}/{date}")["error"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "http://x/{date}/"}, "use kind: files"),
        ({"path": "gs://x/{date}/"}, "neither a folder nor s3://"),
        ({"path": "data/../x"}, "holds '..'"),
        ({"path": "s3://key:secret@bucket/x"}, "credentials come from AWS_ACCESS_KEY_ID"),
        ({"path": "data/*"}, "put patterns into files"),
        ({"path": "data/{dat}"}, "did you mean 'date'"),
        ({"path": " "}, "path is empty"),
        ({"path": "${MY VAR}/"}, "names no environment variable"),
        ({"files": "../*.csv"}, "leaves the folder"),
        ({"files": "/etc/*"}, "leaves the folder"),
        ({"files": ["*.csv", "logs/"]}, "names no file"),
        ({"files": "*.{csv,gz}"}, "write several patterns"),
        ({"files": []}, "at least 1"),
        ({"pth": "x"}, "did you mean 'path'"),
    ],
)
def test_a_mistake_in_a_declaration_is_named(change, message):
    with pytest.raises(ValidationError, match=message):
        FolderCrawl.model_validate({"kind": "folder", "path": "data/{date}", "files": "*.csv"} | change)


@pytest.mark.parametrize(
    ("glob", "matches", "others"),
    [
        ("*.csv", ["a.csv"], ["a.csv.gz", "x/a.csv", ".a.csv"]),
        ("**/*.csv", ["a.csv", "x/a.csv", "x/y/a.csv"], ["x/.y/a.csv", "a.txt"]),
        ("x/**", ["x/a", "x/y/b"], ["a", "x/.hidden"]),
        ("log-{date}-?.gz", ["log-2026-03-01-1.gz"], ["log-2026-03-02-1.gz", "log-2026-03-01-10.gz"]),
        ("{date:%Y.%m}*.gz", ["2026.03.gz"], ["2026x03.gz"]),
        ("[ab].csv", ["a.csv"], ["c.csv", "[ab].csv"]),
        ("[!ab].csv", ["c.csv"], ["a.csv", "/.csv", "..csv"]),
        ("a+b(1).csv", ["a+b(1).csv"], ["aab1.csv"]),
        (".*.csv", [".a.csv"], ["a.csv"]),
    ],
)
def test_globs_are_read_as_a_shell_reads_them(glob, matches, others):
    pattern = compile_glob(glob, DAY)
    assert [name for name in matches if not pattern.fullmatch(name)] == []
    assert [name for name in others if pattern.fullmatch(name)] == []
