"""One shop, one truth: which days are broken does not depend on who starts the shop, or when."""

import json
from datetime import date, timedelta

import pytest

from crawlers.demo.broken import BROKEN_DAYS, BROKEN_DAYS_VARIABLE, RECORD, broken_days, choose


@pytest.fixture(autouse=True)
def _nothing_declared(monkeypatch):
    monkeypatch.delenv(BROKEN_DAYS_VARIABLE, raising=False)


def window(last, count=8):
    return [last - timedelta(days=back) for back in reversed(range(count))]


@pytest.mark.parametrize("today", [date(2026, 3, 1) + timedelta(days=n) for n in range(31)])
def test_after_a_demo_on_any_day_the_nights_that_follow_are_whole_and_its_own_day_stays_broken(tmp_path, today):
    days = window(today - timedelta(days=1))
    chosen = choose(days, str(tmp_path))
    assert chosen in days[:-2]
    # A shop that a nightly crawl, `make ui` or a scaffolded source starts for this lake says the same.
    served = broken_days(str(tmp_path))
    assert served == BROKEN_DAYS | {chosen}
    assert not served.intersection({*days[-2:], *(today + timedelta(days=n) for n in range(60))})


def test_a_second_demo_serves_the_days_of_the_first_as_they_were(tmp_path):
    first = choose(window(date(2026, 3, 10)), str(tmp_path))
    assert choose(window(date(2026, 3, 11)), str(tmp_path)) == first
    later = choose(window(date(2026, 4, 10)), str(tmp_path))
    assert broken_days(str(tmp_path)) == BROKEN_DAYS | {first, later}


def test_a_day_that_was_broken_is_not_mended_for_a_later_demo(tmp_path):
    first = choose(window(date(2026, 3, 10)), str(tmp_path))
    with pytest.raises(ValueError, match=f"log of {first} is broken; choose another --last"):
        choose(window(first + timedelta(days=1)), str(tmp_path))
    with pytest.raises(ValueError, match="2026-01-10"):
        choose(window(date(2026, 1, 11)), str(tmp_path))
    assert choose(window(date(2026, 1, 12)), str(tmp_path)) == date(2026, 1, 10)


@pytest.mark.parametrize(("text", "chosen"), [("", None), ("2026-03-05", date(2026, 3, 5)), ("2025-01-01", None)])
def test_what_is_declared_stands_and_nothing_is_remembered(tmp_path, monkeypatch, text, chosen):
    monkeypatch.setenv(BROKEN_DAYS_VARIABLE, text)
    assert choose(window(date(2026, 3, 10)), str(tmp_path)) == chosen
    assert not (tmp_path / RECORD).exists()


def test_the_lake_is_that_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SLUICE_LAKE", str(tmp_path))
    chosen = choose(window(date(2026, 3, 10)))
    assert json.loads((tmp_path / RECORD).read_text()) == {"broken_days": [str(chosen)]}
    assert chosen in broken_days()


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b'{"broken_days": ["soon"]}'])
def test_a_damaged_record_is_named(tmp_path, damage):
    (tmp_path / RECORD).write_bytes(damage)
    with pytest.raises(ValueError, match=f"{RECORD} in the lake holds no broken days"):
        broken_days(str(tmp_path))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_days_are_no_obstacle(tmp_path, count):
    days = window(date(2026, 3, 10), count)
    assert choose(days, str(tmp_path)) in {*days[:-2], None}
