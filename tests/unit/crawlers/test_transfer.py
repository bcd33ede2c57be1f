import datetime as dt
import hashlib

import pytest

from crawlers.transfer import BrokenTransferError, TooLargeError, Transfer

NOW = dt.datetime(2026, 10, 2, 3, tzinfo=dt.UTC)
ETAG = {"etag": '"v1"'}


@pytest.fixture
def transfer(tmp_path):
    yield (made := Transfer(tmp_path / "partial" / "x", known=None, max_bytes=100, max_seconds=60))
    made.close()


def again(transfer):
    """The transfer as another process would find it after a crash."""
    transfer.close()
    other = Transfer(transfer.path, known=None, max_bytes=100, max_seconds=60)
    other.recover()
    return other


def test_a_transfer_goes_on_after_a_crash_with_the_same_digest(transfer):
    transfer.begin(200, dict(ETAG), 6)
    transfer.write(b"abc")
    other = again(transfer)
    assert other.request_headers() | {"Range": "bytes=3-", "If-Range": '"v1"'} == other.request_headers()
    other.begin(206, {"content-range": "bytes 3-5/6"}, 3)
    other.write(b"def")
    other.finish()
    landed = other.landed("u", NOW)
    assert (landed.bytes, landed.sha256, landed.etag) == (6, hashlib.sha256(b"abcdef").hexdigest(), '"v1"')


@pytest.mark.parametrize("headers", [{}, {"etag": 'W/"weak"'}])
def test_without_a_strong_validator_a_transfer_starts_anew(transfer, headers):
    transfer.begin(200, headers, 6)
    transfer.write(b"abc")
    assert "Range" not in again(transfer).request_headers()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-range": "bytes 0-5/6"},
        {"content-range": "bytes 4-5/6"},
        {"content-range": "nonsense"},
        {"content-range": "bytes 3-5/6", "etag": '"v2"'},
    ],
)
def test_a_range_that_does_not_fit_is_refused_and_forgotten(transfer, headers):
    transfer.begin(200, dict(ETAG), 6)
    transfer.write(b"abc")
    with pytest.raises(BrokenTransferError, match="another range or another version"):
        transfer.begin(206, headers, 3)
    assert transfer.offset == 0
    assert not transfer.path.exists()


def test_missing_bytes_are_noticed(transfer):
    transfer.begin(200, {}, 6)
    transfer.write(b"abc")
    with pytest.raises(BrokenTransferError, match="ended after 3 of 6 bytes"):
        transfer.finish()


def test_the_bound_holds_for_declared_and_for_actual_size(transfer):
    with pytest.raises(TooLargeError, match=r"at least 101 bytes, more than max_file_bytes \(100\)"):
        transfer.begin(200, {}, 101)
    transfer.begin(200, {}, None)
    transfer.write(b"x" * 100)
    with pytest.raises(TooLargeError):
        transfer.write(b"x")


def test_a_whole_answer_replaces_what_had_arrived(transfer):
    transfer.begin(200, dict(ETAG), 6)
    transfer.write(b"abc")
    transfer.begin(200, {"etag": '"v2"'}, 2)
    transfer.write(b"xy")
    transfer.finish()
    assert transfer.path.read_bytes() == b"xy"
    assert transfer.landed("u", NOW).sha256 == hashlib.sha256(b"xy").hexdigest()


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"\xff"])
def test_damaged_notes_make_a_transfer_start_anew(transfer, damage):
    transfer.begin(200, dict(ETAG), 6)
    transfer.write(b"abc")
    transfer.path.with_suffix(".json").write_bytes(damage)
    assert again(transfer).offset == 0


def test_only_new_ground_counts_as_progress(transfer):
    transfer.begin(200, {}, 6)
    transfer.write(b"abc")
    assert transfer.advanced()
    transfer.begin(200, {}, 6)
    transfer.write(b"abc")
    assert not transfer.advanced()
