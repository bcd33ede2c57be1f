"""Sources that do not deliver, and secrets that are not there: what the person at the console is told."""

import socket

import pytest

pytestmark = pytest.mark.usefixtures("site")


def test_a_server_that_is_down_fails_the_landing_and_says_what_to_do(bakery, site, bread):
    site.down = True
    run = bakery.run(("visits__landing", "visits__raw"), bread.FIRST)

    assert set(run.failures) >= {"visits__landing"}
    message = run.failures["visits__landing"]
    assert "503" in message
    assert bread.FIRST.isoformat() in message
    assert not run.checks("visits__landing")[bread.FIRST.isoformat(), "crawled"].passed
    assert run.materialized("visits__raw") == {}
    assert not bakery.lake.exists("visits__raw")
    assert "try later" in message

    site.down = False
    assert bakery.run(("visits__landing", "visits__raw"), bread.FIRST).failures == {}
    assert bakery.lake.published("visits__raw", bread.FIRST).rows == bread.VISITS


def test_an_address_where_nobody_listens_is_a_failure_that_says_what_to_do(bakery, bread, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("BAKERY_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
        run = bakery.run(("visits__landing",), bread.FIRST)
    message = run.failures["visits__landing"]
    assert "refuses connections" in message
    assert "check that the server is up" in message
    assert "Traceback" not in message


def test_a_day_that_the_site_does_not_have_does_not_stop_the_other_days(bakery, site, bread):
    first, second, third, _ = bread.DAYS
    site.put(second)
    run = bakery.run(("visits__landing", "visits__raw", "sales"), first, third)

    assert "visits__landing_every_day_published" in run.failures
    assert str(second) in run.failures["visits__landing_every_day_published"]
    assert "404" in (run.checks("visits__landing")[second.isoformat(), "crawled"].description or "")
    assert bakery.days("visits__raw") == bakery.days("sales") == [first, third]

    site.put(second, bread.visits(second))
    assert bakery.run(("visits__landing", "visits__raw", "sales"), second).failures == {}
    assert bakery.days("sales") == [first, second, third]


def test_a_day_without_files_is_red_unless_declared_and_is_not_tried_again(bakery, site, bread):
    site.put(bread.FIRST)
    site.empty.add(bread.FIRST.isoformat())
    run = bakery.run(("visits__landing",), bread.FIRST)

    assert not run.checks("visits__landing")[bread.FIRST.isoformat(), "crawled"].passed
    assert "crawl.missing: empty" in run.failures["visits__landing"]
    assert run.materialized("visits__landing") == {}


def test_a_day_that_may_have_no_files_is_an_empty_partition_and_says_so(bakery, site, bread):
    declaration = bakery.defs_folder / "visits" / "defs.yaml"
    text = declaration.read_text()
    declaration.write_text(text.replace("    kind: files\n", "    kind: files\n    missing: empty\n"))
    site.put(bread.FIRST)
    site.empty.add(bread.FIRST.isoformat())
    run = bakery.run(("visits__landing", "visits__raw"), bread.FIRST)

    assert run.failures == {}
    assert run.materialized("visits__landing")[bread.FIRST.isoformat()]["outcome"] == "empty"
    assert bakery.lake.published("visits__raw", bread.FIRST).rows == 0
    told = run.checks("visits__raw")[bread.FIRST.isoformat(), "not_empty"]
    assert not told.passed
    assert told.severity.value == "WARN"
    assert told.description == "The site has no file for this day."


def test_a_missing_secret_is_named_with_a_way_to_make_one(bakery, bread, monkeypatch):
    monkeypatch.delenv("SLUICE_PII_KEY")
    run = bakery.run(("visits__landing", "visits__raw"), bread.FIRST)

    assert set(run.failures) >= {"visits__raw"}
    message = run.failures["visits__raw"]
    assert "SLUICE_PII_KEY" in message
    assert "secrets.token_hex(32)" in message
    assert not bakery.lake.exists("visits__raw")

    monkeypatch.setenv("SLUICE_PII_KEY", bread.KEY)
    assert bakery.run(("visits__raw",), bread.FIRST).failures == {}


def test_another_secret_makes_other_pseudonyms(bakery, bread, monkeypatch):
    assert bakery.run(("visits__landing", "visits__raw"), bread.FIRST).failures == {}
    before = bakery.rows("visits__raw")
    monkeypatch.setenv("SLUICE_PII_KEY", "another key")
    assert bakery.run(("visits__raw",), bread.FIRST).failures == {}
    after = bakery.rows("visits__raw")
    assert set(before["event_id"]) == set(after["event_id"])
    assert not set(before["user_id"]) & set(after["user_id"])


def test_an_address_whose_variable_is_not_set_is_named(bakery, bread, monkeypatch):
    monkeypatch.delenv("BAKERY_URL")
    run = bakery.run(("visits__landing",), bread.FIRST)
    assert "BAKERY_URL" in run.failures["visits__landing"]


@pytest.mark.slow
def test_a_window_without_a_positive_label_is_explained_before_anything_is_trained(bakery, site, bread):
    for day in bread.DAYS:
        # Everybody looks once at something of their own, and nobody buys.
        site.put(
            day,
            [bread.event(day, n, event_type="view", user_id=f"person-{n}", item_id=f"bread-{n}") for n in range(40)],
        )
    assert bakery.run(bread.DATA, bread.DAYS[0], bread.DAYS[-1]).failures == {}
    run = bakery.run(("baker__float",), bread.DAYS[-1])
    message = run.failures["baker__float"]
    assert "NoPositivesError" in message
    assert "least 0.5" in message
    assert "labelling functions of 'liking'" in message
    assert bakery.lake.models("baker").info("champion.json") is None
