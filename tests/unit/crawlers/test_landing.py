import datetime as dt
import hashlib
import json
import os

import pytest

from crawlers.landing import LandedFile, Landing, Manifest, ManifestError, expire, landing_dir, read_manifest

DAY = dt.date(2026, 10, 1)
NOW = dt.datetime(2026, 10, 2, 3, tzinfo=dt.UTC)


@pytest.fixture
def directory(tmp_path):
    return landing_dir(tmp_path, "shop", DAY)


def opened(directory, *, at=NOW, origin=""):
    landing = Landing(directory, started_at=at, origin=origin)
    assert landing.try_lock()
    return landing


def land(landing, name, body, *, at=NOW):
    partial = landing.partial(name)
    partial.parent.mkdir(exist_ok=True)
    partial.write_bytes(body)
    sha256 = hashlib.sha256(body).hexdigest()
    file = LandedFile(path="", url=name, status=200, bytes=len(body), sha256=sha256, fetched_at=at)
    return landing.land(partial, file)


def manifest(*files, at=NOW):
    return Manifest(source="shop", partition=DAY, finish_reason="finished", started_at=at, finished_at=at, files=files)


def test_a_missing_and_a_damaged_manifest_say_what_to_do(directory):
    with pytest.raises(ManifestError, match="no complete crawl of this day yet; materialise landing"):
        read_manifest(directory)
    directory.mkdir(parents=True)
    (directory / "manifest.json").write_text('{"source":')
    with pytest.raises(ManifestError, match=r"damaged .* crawl the day again"):
        read_manifest(directory)


def test_the_digest_is_of_bytes_not_of_times(directory):
    landing = opened(directory)
    file = land(landing, "a", b"1")
    later = file.model_copy(update={"fetched_at": NOW + dt.timedelta(days=1), "etag": "x", "unchanged": True})
    assert manifest(file).digest == manifest(later, at=NOW + dt.timedelta(days=1)).digest
    assert manifest(file).digest != manifest(file.model_copy(update={"sha256": "0" * 64})).digest
    landing.close()


def test_files_of_the_manifest_before_last_are_removed(directory):
    bodies = [b"one", b"two", b"three"]
    for n, body in enumerate(bodies):
        at = NOW + dt.timedelta(hours=n)
        landing = opened(directory, at=at)
        landing.commit(manifest(land(landing, "a", body, at=at), at=at))
        landing.close()
    assert sorted(path.read_bytes() for path in (directory / "files").iterdir()) == [b"three", b"two"]
    assert (directory / read_manifest(directory).files[0].path).read_bytes() == b"three"


def test_a_journal_is_continued_and_a_torn_last_line_passed_over(directory):
    landing = opened(directory)
    kept = land(landing, "a", b"1")
    land(landing, "b", b"2")
    landing.close()
    journal = directory / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    landing = opened(directory, at=NOW + dt.timedelta(hours=1))
    assert landing.continued == {"a": kept}
    landing.close()


def test_a_journaled_file_that_lost_bytes_is_not_continued(directory):
    landing = opened(directory)
    file = land(landing, "a", b"123")
    (directory / file.path).write_bytes(b"1")
    landing.close()
    landing = opened(directory)
    assert not landing.continued
    landing.close()


def test_an_old_journal_is_forgotten(directory):
    landing = opened(directory)
    land(landing, "a", b"1")
    landing.close()
    landing = opened(directory, at=NOW + dt.timedelta(hours=25))
    assert not landing.continued
    landing.close()


def test_a_journal_left_by_a_crash_after_the_manifest_is_forgotten(directory):
    landing = opened(directory)
    file = land(landing, "a", b"1")
    journal = (directory / "journal.jsonl").read_bytes()
    landing.commit(manifest(file, at=NOW + dt.timedelta(minutes=1)))
    (directory / "journal.jsonl").write_bytes(journal)
    landing.close()
    landing = opened(directory, at=NOW + dt.timedelta(minutes=2))
    assert not landing.continued
    assert landing.known("a") == file
    landing.close()


def test_what_another_host_served_is_not_built_upon(directory):
    landing = opened(directory)
    landing.commit(manifest(land(landing, "a", b"1")))
    landing.close()
    landing = opened(directory, at=NOW + dt.timedelta(hours=1), origin="other")
    assert landing.known("a") is None
    land(landing, "b", b"2", at=NOW + dt.timedelta(hours=1))
    landing.partial("c").parent.mkdir(exist_ok=True)
    landing.partial("c").write_bytes(b"3")
    landing.close()
    landing = opened(directory, at=NOW + dt.timedelta(hours=2))
    assert not landing.continued
    assert not landing.partial("c").exists()
    assert landing.known("a")
    landing.close()


def test_fetching_anew_takes_nothing_over_but_keeps_the_manifest(directory):
    landing = opened(directory)
    landing.commit(manifest(land(landing, "a", b"1")))
    landing.forget()
    assert landing.known("a") is None
    assert read_manifest(directory).files[0].url == "a"
    landing.close()


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"[]\n", b'{"started_at": 5}\n', b'{"started_at": "never"}\n'])
def test_a_damaged_journal_is_no_obstacle(directory, damage):
    directory.mkdir(parents=True)
    (directory / "journal.jsonl").write_bytes(damage)
    landing = opened(directory)
    assert not landing.continued
    landing.close()


def test_only_one_crawl_holds_a_day(directory):
    first = opened(directory)
    second = Landing(directory, started_at=NOW)
    assert not second.try_lock()
    assert (directory / "lock").read_text() == f"{os.getpid()}\n"
    first.close()
    assert second.try_lock()
    second.close()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("${A}/logs/events-00.jsonl.gz?x=1", "events-00.jsonl.gz"),
        ("${A}/%2e%2e%2f%2e%2e%2fetc/passwd", "passwd"),
        ("${A}/..%2f..%2fetc%2fpasswd", "_.._etc_passwd"),
        ("${A}/", "download"),
        ("${A}/Zw\u00f6lf m\u00e4nner.csv", "Zw_lf_m_nner.csv"),
        ("${A}/" + "x" * 300 + ".csv", "x" * 96 + ".csv"),
    ],
)
def test_names_are_readable_and_stay_in_the_folder(directory, url, name):
    landing = opened(directory)
    file = land(landing, url, b"1")
    assert file.path.endswith(f"-{name}")
    assert (directory / file.path).resolve().parent == (directory / "files").resolve()
    landing.close()


def test_days_before_the_retention_are_deleted(tmp_path):
    for day in ("2026-09-29", "2026-09-30", "2026-10-01"):
        landing_dir(tmp_path, "shop", dt.date.fromisoformat(day)).mkdir(parents=True)
    assert expire(tmp_path, "shop", before=DAY) == [dt.date(2026, 9, 29), dt.date(2026, 9, 30)]
    assert [path.name for path in (tmp_path / "landing" / "shop").iterdir()] == ["2026-10-01"]


def test_a_manifest_is_readable_json(directory):
    landing = opened(directory)
    landing.commit(manifest(land(landing, "a", b"1")))
    written = json.loads((directory / "manifest.json").read_text())
    assert written["complete"] is True
    assert written["partition"] == "2026-10-01"
    landing.close()
