import datetime as dt
import hashlib
import json
import os

import pytest

from crawlers.landing import LandedFile, Landing, Manifest, ManifestError, expire, fetched, landed, read_manifest
from foundation.store import ConflictError, open_store

DAY = dt.date(2026, 10, 1)
NOW = dt.datetime(2026, 10, 2, 3, tzinfo=dt.UTC)


class Place:
    """Where a day lands, on a folder or on an object store."""

    def __init__(self, root):
        self.root = root
        self.store = open_store(root)

    def landing(self, *, at=NOW, origin=""):
        return Landing(self.root, "shop", DAY, started_at=at, origin=origin)

    @property
    def scratch(self):
        return self.landing().directory

    def manifest(self):
        return landed(self.store, "shop", DAY)

    def kept(self):
        return self.store.walk(f"landing/shop/{DAY}/files")


@pytest.fixture
def place(any_place):
    return Place(any_place)


def opened(place, *, at=NOW, origin=""):
    landing = place.landing(at=at, origin=origin)
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


def test_a_missing_and_a_damaged_manifest_say_what_to_do(place):
    assert place.manifest() is None
    with pytest.raises(ManifestError, match="no complete crawl of this day yet; materialise landing"):
        read_manifest(place.scratch)
    place.store.write(f"landing/shop/{DAY}/manifest.json", b'{"source":')
    with pytest.raises(ManifestError, match=r"damaged .* crawl the day again"):
        place.manifest()


def test_the_digest_is_of_bytes_not_of_times(place):
    landing = opened(place)
    file = land(landing, "a", b"1")
    later = file.model_copy(update={"fetched_at": NOW + dt.timedelta(days=1), "etag": "x", "unchanged": True})
    assert manifest(file).digest == manifest(later, at=NOW + dt.timedelta(days=1)).digest
    assert manifest(file).digest != manifest(file.model_copy(update={"sha256": "0" * 64})).digest
    landing.close()


def test_files_of_the_manifest_before_last_are_removed(place):
    bodies = [b"one", b"two", b"three"]
    for n, body in enumerate(bodies):
        at = NOW + dt.timedelta(hours=n)
        landing = opened(place, at=at)
        landing.commit(manifest(land(landing, "a", body, at=at), at=at))
        landing.close()
    assert sorted(place.store.read(info.path) for info in place.kept()) == [b"three", b"two"]
    here = fetched(place.store, "shop", DAY, place.manifest())
    assert (here / read_manifest(here).files[0].path).read_bytes() == b"three"


def test_a_journal_is_continued_and_a_torn_last_line_passed_over(place):
    landing = opened(place)
    kept = land(landing, "a", b"1")
    land(landing, "b", b"2")
    landing.close()
    journal = place.scratch / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    landing = opened(place, at=NOW + dt.timedelta(hours=1))
    assert landing.continued == {"a": kept}
    landing.close()


def test_a_journaled_file_that_lost_bytes_is_not_continued(place):
    landing = opened(place)
    file = land(landing, "a", b"123")
    (landing.directory / file.path).write_bytes(b"1")
    landing.close()
    landing = opened(place)
    assert not landing.continued
    landing.close()


def test_an_old_journal_is_forgotten(place):
    landing = opened(place)
    land(landing, "a", b"1")
    landing.close()
    landing = opened(place, at=NOW + dt.timedelta(hours=25))
    assert not landing.continued
    landing.close()


def test_a_journal_left_by_a_crash_after_the_manifest_is_forgotten(place):
    landing = opened(place)
    file = land(landing, "a", b"1")
    journal = (place.scratch / "journal.jsonl").read_bytes()
    landing.commit(manifest(file, at=NOW + dt.timedelta(minutes=1)))
    (place.scratch / "journal.jsonl").write_bytes(journal)
    landing.close()
    landing = opened(place, at=NOW + dt.timedelta(minutes=2))
    assert not landing.continued
    assert landing.known("a") == file
    landing.close()


def test_what_another_host_served_is_not_built_upon(place):
    landing = opened(place)
    landing.commit(manifest(land(landing, "a", b"1")))
    landing.close()
    landing = opened(place, at=NOW + dt.timedelta(hours=1), origin="other")
    assert landing.known("a") is None
    land(landing, "b", b"2", at=NOW + dt.timedelta(hours=1))
    landing.partial("c").parent.mkdir(exist_ok=True)
    landing.partial("c").write_bytes(b"3")
    landing.close()
    landing = opened(place, at=NOW + dt.timedelta(hours=2))
    assert not landing.continued
    assert not landing.partial("c").exists()
    assert landing.known("a")
    landing.close()


def test_fetching_anew_takes_nothing_over_but_keeps_the_manifest(place):
    landing = opened(place)
    landing.commit(manifest(land(landing, "a", b"1")))
    landing.forget()
    assert landing.known("a") is None
    assert place.manifest().files[0].url == "a"
    landing.close()


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"[]\n", b'{"started_at": 5}\n', b'{"started_at": "never"}\n'])
def test_a_damaged_journal_is_no_obstacle(place, damage):
    (place.scratch / "journal.jsonl").write_bytes(damage)
    landing = opened(place)
    assert not landing.continued
    landing.close()


def test_only_one_crawl_holds_a_day(place):
    first = opened(place)
    second = place.landing()
    assert not second.try_lock()
    assert (first.directory / "lock").read_text() == f"{os.getpid()}\n"
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
def test_names_are_readable_and_stay_in_the_folder(place, url, name):
    landing = opened(place)
    file = land(landing, url, b"1")
    assert file.path.endswith(f"-{name}")
    assert (landing.directory / file.path).resolve().parent == (landing.directory / "files").resolve()
    landing.close()


def test_days_before_the_retention_are_deleted(place):
    for day in ("2026-09-29", "2026-09-30", "2026-10-01"):
        place.store.write(f"landing/shop/{day}/manifest.json", b"{}")
    place.store.write("landing/shop/notes/a", b"")
    assert expire(place.store, "shop", before=DAY) == [dt.date(2026, 9, 29), dt.date(2026, 9, 30)]
    left = [info.path for info in place.store.walk("landing/shop")]
    assert left == ["landing/shop/2026-10-01/manifest.json", "landing/shop/notes/a"]
    assert expire(place.store, "shop", before=DAY) == []


def test_a_manifest_is_readable_json(place):
    landing = opened(place)
    landing.commit(manifest(land(landing, "a", b"1")))
    written = json.loads(place.store.read(f"landing/shop/{DAY}/manifest.json"))
    assert written["complete"] is True
    assert written["partition"] == "2026-10-01"
    landing.close()


def test_what_landed_is_there_whole_and_nothing_is_left_behind(place):
    landing = opened(place)
    landing.commit(manifest(land(landing, "a", b"1"), land(landing, "b", b"22")))
    landing.close()
    found = {info.path.rsplit("-", 1)[-1]: info.bytes for info in place.kept()}
    assert found == {"a": 1, "b": 2}
    assert not (landing.directory / "journal.jsonl").exists()
    assert not list(landing.directory.glob("partial/*"))
    again = opened(place, at=NOW + dt.timedelta(hours=1))
    assert again.known("a").sha256 == hashlib.sha256(b"1").hexdigest()
    again.close()


# On an object store only: there a crawl works in a local folder of its own


def test_a_crawl_on_another_machine_that_committed_meanwhile_stands(objects, tmp_path, monkeypatch):
    place = Place(objects.place())
    slow = opened(place)
    file = land(slow, "a", b"slow")
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "another machine"))
    fast = opened(place)
    fast.commit(manifest(land(fast, "a", b"fast")))
    with pytest.raises(ConflictError, match=r"manifest\.json was written by another writer"):
        slow.commit(manifest(file))
    here = fetched(place.store, "shop", DAY, place.manifest())
    assert (here / place.manifest().files[0].path).read_bytes() == b"fast"
    slow.close()
    fast.close()


def test_a_crawl_whose_local_folder_is_lost_fetches_what_had_not_been_put(objects, tmp_path, monkeypatch):
    place = Place(objects.place())
    landing = opened(place)
    landing.commit(manifest(land(landing, "a", b"1")))
    land(landing, "b", b"2")
    landing.close()
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "new"))
    landing = opened(place, at=NOW + dt.timedelta(hours=1))
    assert not landing.continued
    assert landing.known("a")
    assert landing.known("b") is None
    landing.close()
