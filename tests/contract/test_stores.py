"""What every store promises, on a folder and on a real S3 server."""

import concurrent.futures
import datetime as dt
import json
import os
import threading

import pytest

from foundation.store import ConflictError, LeaseLostError, StoreError, open_store, storage_options, update
from foundation.store.cache import cache_folder, forget_unused
from foundation.store.lease import leased


@pytest.fixture
def store(any_place):
    return open_store(any_place)


def paths(infos):
    return [info.path for info in infos]


def test_a_file_is_written_read_described_and_removed(store):
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    etag = store.write("a/b c é#[1]*%20.json", b"hello")
    info = store.info("a/b c é#[1]*%20.json")
    assert (info.path, info.bytes, info.etag) == ("a/b c é#[1]*%20.json", 5, etag)
    assert before < info.modified <= dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5)
    assert store.read("a/b c é#[1]*%20.json") == b"hello"
    assert store.content("a/b c é#[1]*%20.json").data == b"hello"
    store.remove("a/b c é#[1]*%20.json")
    assert store.info("a/b c é#[1]*%20.json") is None
    store.remove("a/b c é#[1]*%20.json")


def test_a_missing_file_is_a_missing_file(store):
    assert store.info("no/such") is None
    assert store.content("no/such") is None
    assert store.walk("no") == []
    assert store.folders("no") == []
    for ask in (store.read, store.fetch, store.fetch_folder, lambda path: store.read_range(path, 0, 1)):
        with pytest.raises(FileNotFoundError):
            ask("no/such")


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../up", "a//b", "", "a/", ".", "a\\b"])
def test_no_path_leads_out_of_the_root(store, path):
    for do in (store.read, store.remove, store.info, lambda p: store.write(p, b""), store.fetch):
        with pytest.raises(ValueError, match="below a store's root"):
            do(path)


def test_folders_and_files_are_listed(store):
    for path in ("x/1/a", "x/1/deep/b", "x/2/c", "x/file", "xy/d"):
        store.write(path, path.encode())
    assert paths(store.walk("x")) == ["x/1/a", "x/1/deep/b", "x/2/c", "x/file"]
    assert paths(store.walk()) == ["x/1/a", "x/1/deep/b", "x/2/c", "x/file", "xy/d"]
    assert store.folders("x") == ["1", "2"]
    assert store.folders() == ["x", "xy"]
    assert store.remove_folder("x") == sum(map(len, ("x/1/a", "x/1/deep/b", "x/2/c", "x/file")))
    assert paths(store.walk()) == ["xy/d"]


def test_a_part_of_a_file_is_read(store):
    store.write("f", b"0123456789")
    assert store.read_range("f", 2, 3) == b"234"
    assert store.read_range("f", 8, 10) == b"89"
    assert store.read_range("f", 10, 1) == b""
    assert store.read_range("f", 99, 1) == b""
    with store.open("f") as file:
        file.seek(-4, os.SEEK_END)
        assert (file.read(2), file.tell(), file.read()) == (b"67", 8, b"89")


def test_a_file_that_must_not_exist_is_written_once(store):
    store.put_if_absent("once", b"first")
    with pytest.raises(ConflictError, match="another writer"):
        store.put_if_absent("once", b"second")
    assert store.read("once") == b"first"


def test_a_stale_etag_is_refused(store):
    first = store.write("f", b"1")
    second = store.put_if_match("f", b"2", first)
    assert second not in {first, ""}
    with pytest.raises(ConflictError):
        store.put_if_match("f", b"3", first)
    store.remove("f")
    with pytest.raises(ConflictError):
        store.put_if_match("f", b"4", second)
    assert store.info("f") is None


def test_etags_tell_contents_apart_however_fast_they_are_written(store):
    etags = [store.write("f", f"{number:02}".encode()) for number in range(40)]
    assert len(set(etags)) == 40


def test_one_of_many_makes_a_file(store):
    barrier = threading.Barrier(6)

    def make(number):
        barrier.wait()
        try:
            store.put_if_absent("once", b"%d" % number)
        except ConflictError:
            return 0
        return 1

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(make, range(6))) == 1


def test_no_change_is_lost(store):
    def add(number):
        for _ in range(5):
            update(store, "n.json", lambda old: json.dumps([*json.loads(old or b"[]"), number]).encode())

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    assert sorted(json.loads(store.read("n.json"))) == sorted([0, 1, 2, 3] * 5)


def test_a_change_may_be_declined_or_fail(store):
    assert update(store, "f", lambda _: None) is None
    store.write("f", b"1")
    assert update(store, "f", lambda _: None) == b"1"

    def fail(_):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        update(store, "f", fail)
    assert store.read("f") == b"1"


@pytest.mark.parametrize("move", [False, True])
def test_a_local_file_is_put(store, tmp_path, move):
    source = tmp_path / "source"
    content = os.urandom(17 << 20)  # more than one part
    source.write_bytes(content)
    info = store.upload(source, "deep/down/file.bin", move=move)
    assert (info, info.bytes) == (store.info("deep/down/file.bin"), len(content))
    assert source.exists() != move
    assert store.fetch("deep/down/file.bin").read_bytes() == content
    assert store.fetch("deep/down/file.bin").name == "file.bin"


def test_a_fetched_file_is_the_present_one(store):
    store.write("f", b"old")
    assert store.fetch("f").read_bytes() == b"old"
    store.write("f", b"new")
    assert store.fetch("f").read_bytes() == b"new"


def test_a_folder_is_put_and_fetched(store, tmp_path):
    source = tmp_path / "version"
    for name in ("model.bin", "encoding/items.json", "done.json"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    store.upload_folder(source, "versions/1", last="done.json")
    assert paths(store.walk("versions")) == [
        "versions/1/done.json",
        "versions/1/encoding/items.json",
        "versions/1/model.bin",
    ]
    fetched = store.fetch_folder("versions/1")
    assert (fetched / "encoding/items.json").read_text() == "encoding/items.json"
    with pytest.raises(ConflictError, match="there already"):
        store.upload_folder(source, "versions/1", last="done.json")
    with pytest.raises(FileNotFoundError, match=r"absent\.json"):
        store.upload_folder(source, "versions/2", last="absent.json")
    assert store.folders("versions") == ["1"]


def test_a_file_is_moved_and_linked(store):
    store.write("a/1", b"one")
    store.link("a/1", "b/2")
    store.link("a/1", "b/2")
    store.move("a/1", "c/3")
    assert paths(store.walk()) == ["b/2", "c/3"]
    assert store.read("b/2") == store.read("c/3") == b"one"


def test_an_exclusive_lock_excludes(store):
    inside, most = [], []

    def work(_):
        with store.lock("l/lock") as hold:
            inside.append(1)
            most.append(len(inside))
            hold.check()
            inside.pop()

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    assert most == [1, 1, 1]


# On object stores only


def test_a_lost_cache_is_made_again(objects):
    store = open_store(objects.place())
    store.write("v/f", b"content")
    first = store.fetch("v/f")
    assert cache_folder() in first.parents
    assert store.fetch("v/f") == first
    assert forget_unused(3600) == (0, 0)
    assert forget_unused(-1) == (1, 7)
    assert not first.exists()
    assert store.fetch("v/f").read_bytes() == b"content"


def test_a_lease_that_stands_still_is_taken_over_and_its_holder_told(objects):
    store = open_store(objects.place())
    with leased(store, "lock", lasts=0.6) as first:
        first._over.set()  # as if its process had been stopped
        first._thread.join()
        with leased(store, "lock", lasts=0.6) as second:
            assert second.fence == first.fence + 1
            with pytest.raises(LeaseLostError, match="not renewed"):
                first.check()
        first._renewed += 3600  # or the end of the block would say it again
    with leased(store, "lock", lasts=0.6) as third:
        assert third.fence == second.fence + 1


def test_a_lease_outlives_its_length_while_its_holder_lives(objects):
    store = open_store(objects.place())
    with leased(store, "lock", lasts=0.6) as lease, concurrent.futures.ThreadPoolExecutor(1) as pool:

        def wait():
            with leased(store, "lock", lasts=0.6) as other:
                return other.fence

        waiting = pool.submit(wait)
        with pytest.raises(TimeoutError):
            waiting.result(1.5)
        lease.check()
        lease.let_go()
        assert waiting.result(10) == lease.fence + 1
        lease._renewed += 3600


def test_errors_name_the_place_and_no_secret(objects, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    place = objects.place()
    with pytest.raises(StoreError, match="refuses access") as refused:
        open_store(place).read("a/b")
    assert f"{place}/a/b" in str(refused.value)
    assert "another-secret" not in str(refused.value)


def test_options_come_from_the_environment_alone():
    given = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    options = storage_options("s3://bucket/lake", given)
    assert options["aws_endpoint_url"] == "http://127.0.0.1:1"
    assert options["aws_allow_http"] == "true"
    assert options["aws_region"] == "us-east-1"
    assert options["aws_conditional_put"] == "etag"
    assert "aws_allow_http" not in storage_options("s3://bucket", {"AWS_ENDPOINT_URL": "https://s3.example"})
    assert storage_options("s3://bucket", {"AWS_DEFAULT_REGION": "eu-central-1"})["aws_region"] == "eu-central-1"
    assert storage_options("data/lake", given) is None
    assert storage_options("file:///data/lake", given) is None
    assert storage_options("gs://bucket", given) == {}
