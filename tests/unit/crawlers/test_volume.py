"""A fall in what a day landed is a warning."""

import datetime as dt

import pytest

from crawlers.landing import LandedFile, Manifest
from crawlers.volume import volume

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def manifest(*sizes, demo=False):
    files = tuple(
        LandedFile(path=f"files/{n}", url=str(n), status=200, bytes=size, sha256="0", fetched_at=NOW)
        for n, size in enumerate(sizes)
    )
    return Manifest(
        source="shop",
        partition=NOW.date(),
        finish_reason="finished" if files else "no_files",
        started_at=NOW,
        finished_at=NOW,
        files=files,
        demo=demo,
    )


USUAL = [manifest(100, 100, 100, 100)] * 3


@pytest.mark.parametrize(
    ("day", "passed"),
    [
        (manifest(100, 100, 100, 100), True),
        (manifest(200, 200), True),
        (manifest(400), False),
        (manifest(40, 40, 40, 40), False),
        (manifest(), False),
        (manifest(*[100] * 400), True),
    ],
)
def test_less_than_half_of_the_usual_files_or_bytes_is_a_fall(day, passed):
    assert volume(day, USUAL).passed is passed


def test_one_odd_day_does_not_change_what_is_usual():
    assert not volume(manifest(100), [*USUAL, manifest(1)]).passed
    assert volume(manifest(100, 100, 100), [*USUAL, manifest(*[100] * 90)]).passed


@pytest.mark.parametrize(
    "earlier", [[], USUAL[:2], [*USUAL[:2], manifest(), manifest()], [manifest(*[9] * 50, demo=True)] * 5]
)
def test_too_few_days_of_the_same_site_say_nothing(earlier):
    assert volume(manifest(1), earlier).passed
    assert "not yet three days" in volume(manifest(1), earlier).description


def test_the_warning_says_what_was_usual():
    text = volume(manifest(100), USUAL).description
    assert text.startswith("Only 1 files and 100 bytes landed, less than half of what is usual: 4 files and 400 bytes")
