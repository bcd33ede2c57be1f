import datetime as dt
import hashlib
from contextlib import ExitStack, closing

import pytest

from crawlers.landing import LandedFile
from crawlers.transfer import BrokenTransferError, TooLargeError, Transfer

NOW = dt.datetime(2026, 10, 2, 3, tzinfo=dt.UTC)
ETAG = {"etag": '"v1"'}


@pytest.fixture
def transfer(tmp_path):
    with closing(Transfer(tmp_path / "partial" / "x", known=None, max_bytes=100, max_seconds=60)) as made:
        yield made


@pytest.fixture
def again():
    """The transfer as another process would find it after a crash."""
    with ExitStack() as stack:

        def found(transfer):
            transfer.close()
            other = Transfer(transfer.path, known=None, max_bytes=100, max_seconds=60)
            other.recover()
            return stack.enter_context(closing(other))

        yield found


def test_a_transfer_goes_on_after_a_crash_with_the_same_digest(transfer, again):
    transfer.begin(200, dict(ETAG), 6)
    transfer.write(b"abc")
    other = again(transfer)
    assert other.request_headers() | {"Range": "bytes=3-", "If-Range": '"v1"'} == other.request_headers()
    other.begin(206, {"content-range": "bytes 3-5/6"}, 3)
    other.write(b"def")
    other.finish()
    landed = other.landed("u", NOW)
    assert (landed.bytes, landed.sha256, landed.etag) == (6, hashlib.sha256(b"abcdef").hexdigest(), '"v1"')


LONG_AGO, JUST_NOW = "Thu, 01 Oct 2026 11:58:59 GMT", "Thu, 01 Oct 2026 11:59:59 GMT"
ANSWERED = "Thu, 01 Oct 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"etag": 'W/"weak"'},
        {"etag": 'W/"weak"', "last-modified": LONG_AGO, "date": ANSWERED},
        {"last-modified": JUST_NOW, "date": ANSWERED},
        {"last-modified": ANSWERED, "date": ANSWERED},
        {"last-modified": LONG_AGO},
        {"last-modified": "long ago", "date": ANSWERED},
        {"last-modified": LONG_AGO, "date": "today"},
        {"etag": "", "last-modified": ""},
    ],
)
def test_without_a_strong_validator_a_transfer_starts_anew(transfer, again, headers):
    transfer.begin(200, headers, 6)
    transfer.write(b"abc")
    assert "Range" not in again(transfer).request_headers()


def test_a_date_long_before_the_answer_is_a_strong_validator(transfer, again):
    transfer.begin(200, {"last-modified": LONG_AGO, "date": ANSWERED}, 6)
    transfer.write(b"abc")
    transfer = again(transfer)
    assert transfer.request_headers()["If-Range"] == LONG_AGO
    # The rest brings a Date of its own, which says nothing of the bytes that came before.
    transfer.begin(206, {"content-range": "bytes 3-5/6", "date": "Fri, 02 Oct 2026 12:00:00 GMT"}, 3)
    assert transfer.date == ANSWERED


def test_a_first_answer_that_is_a_part_without_validators_starts_anew(transfer):
    transfer.begin(206, {"content-range": "bytes 0-5/6"}, 6)
    transfer.write(b"abc")
    headers = transfer.request_headers()
    assert "Range" not in headers
    assert "If-Range" not in headers


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("content_range", ["bytes 3-4/*", "bytes 3-4/6"])
def test_a_part_of_the_rest_is_not_the_whole(transfer, again, restarted, content_range):
    transfer.begin(200, dict(ETAG), 6)
    transfer.write(b"abc")
    transfer = again(transfer) if restarted else transfer
    transfer.begin(206, {"content-range": content_range}, 2)
    transfer.write(b"de")
    with pytest.raises(BrokenTransferError, match="ended after 5 of 6 bytes"):
        transfer.finish()
    assert transfer.request_headers()["Range"] == "bytes=5-"


def test_more_bytes_than_the_file_has_are_refused_and_forgotten(transfer):
    transfer.begin(200, dict(ETAG), 6)
    transfer.write(b"abc")
    transfer.begin(206, {"content-range": "bytes 3-5/6"}, None)
    transfer.write(b"defg")
    with pytest.raises(BrokenTransferError, match="7 bytes arrived of a file of 6"):
        transfer.finish()
    assert transfer.offset == 0


def test_a_file_that_may_have_changed_within_its_second_is_not_asked_for_conditionally(tmp_path):
    def asked(last_modified, fetched_at):
        known = LandedFile(
            path="x", url="u", status=200, bytes=1, sha256="0", last_modified=last_modified, fetched_at=fetched_at
        )
        transfer = Transfer(tmp_path / "x", known=known, max_bytes=100, max_seconds=60)
        return "If-Modified-Since" in transfer.request_headers()

    at = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
    assert asked(LONG_AGO, at)
    assert not asked(JUST_NOW, at)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-range": "bytes 0-5/6"},
        {"content-range": "bytes 4-5/6"},
        {"content-range": "nonsense"},
        {"content-range": "bytes 3-5/6", "etag": '"v2"'},
        {"content-range": "bytes 3-5/6", "last-modified": ANSWERED},
        {"content-range": "bytes 3-6/7"},
        {"content-range": "bytes 3-6/6"},
    ],
)
def test_a_range_that_does_not_fit_is_refused_and_forgotten(transfer, headers):
    transfer.begin(200, ETAG | {"last-modified": LONG_AGO}, 6)
    transfer.write(b"abc")
    with pytest.raises(BrokenTransferError, match=r"another range or another version|of a file that had 6 bytes"):
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
def test_damaged_notes_make_a_transfer_start_anew(transfer, again, damage):
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
