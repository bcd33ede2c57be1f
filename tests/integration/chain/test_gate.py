"""A day that the gate refuses: what stands, what stops, what is told, and how it is mended."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("site")

TABLE_AND_BEYOND = ("sales", "liking", "portions__daily", "portions")


def spoiled(bread, day):
    """A day whose every record lacks its item."""
    return [{**record, "item_id": None} for record in bread.visits(day)]


@pytest.mark.slow
def test_a_refused_day_of_a_range_stops_alone_and_can_be_mended_alone(bakery, site, bread):
    first, second, third, _ = bread.DAYS
    site.put(second, bread.visits(second, 4))
    run = bakery.run(bread.DATA, first, third)

    assert not run.success
    assert set(run.failures) == {f"{asset}_every_day_published" for asset in TABLE_AND_BEYOND}
    assert "1 of 3 days of sales have no new content" in run.failures["sales_every_day_published"]
    assert f"{second}: refused. The gate of sales refused" in run.failures["sales_every_day_published"]
    assert f"{second}: blocked. sales has no content" in run.failures["liking_every_day_published"]
    assert bakery.days("visits__raw") == [first, second, third]
    for table in ("sales", "liking", "portions__daily", "portions"):
        assert bakery.days(table) == [first, third], table
    for asset in TABLE_AND_BEYOND:
        assert sorted(run.materialized(asset)) == [first.isoformat(), third.isoformat()], asset
    told = run.checks("sales")
    refusing = told[second.isoformat(), "expect_table_row_count_to_be_between"]
    assert not refusing.passed
    assert refusing.severity.value == "ERROR"
    assert told[first.isoformat(), "expect_table_row_count_to_be_between"].passed

    neighbour = bakery.lake.published("sales", third), bakery.lake.published("liking", third)
    site.put(second, bread.visits(second))
    mended = bakery.run(bread.DATA, second)

    assert mended.failures == {}
    for table in ("sales", "liking", "portions__daily", "portions"):
        assert bakery.days(table) == [first, second, third], table
    assert (bakery.lake.published("sales", third), bakery.lake.published("liking", third)) == neighbour
    assert bakery.lake.published("sales", second).rows == bread.VISITS


def test_after_a_refusal_the_last_good_partition_stands_and_nothing_downstream_runs(bakery, site, bread):
    day = bread.FIRST
    assets = ("visits__landing", "visits__raw", "sales", "portions__daily")
    assert bakery.run(assets[:3], day).failures == {}
    good = bakery.rows("sales")
    site.put(day, bread.visits(day, 4))
    run = bakery.run(assets, day)

    assert not run.success
    message = run.failures["sales"]
    assert f"The gate of sales refused {day}" in message
    assert "expect_table_row_count_to_be_between" in message
    assert f"materialise sales for {day} again" in message
    assert run.materialized("portions__daily") == {}
    assert not bakery.lake.exists("portions__daily")
    assert bakery.rows("sales").equals(good)
    assert bakery.lake.published("visits__raw", day).rows == 4
    assert bakery.lake.inspect_refused("sales", day).collect().height == 4


def test_a_day_that_goes_to_quarantine_is_red_and_the_last_good_records_stand(bakery, site, bread):
    day, assets = bread.FIRST, ("visits__landing", "visits__raw", "visits__quarantine", "sales")
    assert bakery.run(assets, day).failures == {}
    good = bakery.rows("visits__raw")
    site.put(day, spoiled(bread, day))
    run = bakery.run(assets, day)

    assert set(run.failures) == {"visits__raw"}
    assert "100.0% of 60 rows were quarantined" in run.failures["visits__raw"]
    assert not run.checks("visits__raw")[day.isoformat(), "mostly_readable"].passed
    assert run.materialized("visits__raw") == {}
    assert bakery.rows("visits__raw").equals(good)
    why = bakery.rows("visits__quarantine")
    assert run.materialized("visits__quarantine"), "people can look into it"
    assert why.height == bread.VISITS
    assert set(why["reason"]) == {"missing_required"}
    assert set(why["column"]) == {"item_id"}

    overridden = bakery.run(("visits__raw",), day, publish_refused="nothing was sold by the piece", by="ana")
    assert overridden.failures == {}
    assert bakery.rows("visits__raw").is_empty()
    assert bakery.run(("visits__raw",), day).materialized("visits__raw")[day.isoformat()]["override_by"] == "ana"


def test_the_refused_rows_are_kept_with_the_report_of_the_gate(bakery, site, bread):
    day = bread.FIRST
    site.put(day, bread.visits(day, 4))
    run = bakery.run(("visits__landing", "visits__raw", "sales"), day)

    assert "observed 4" in run.failures["sales"]
    assert bakery.days("sales") == []
    assert bakery.lake.inspect_refused("sales", day).collect().height == 4
    (record,) = (Path(bakery.lake.root) / "tables" / "sales" / "_refused").rglob("*.json")
    assert "expect_table_row_count_to_be_between" in json.loads(record.read_text())["reason"]
    assert list(bakery.lake.store.local(bakery.lake.reports.place("sales", day)).glob("docs/**/index.html"))
    assert run.checks("sales")[day.isoformat(), "conserved"].passed


def test_a_warning_is_reported_and_publishes(bakery, bread):
    day = bread.FIRST
    run = bakery.run(("visits__landing", "visits__raw", "sales"), day)

    assert run.failures == {}
    warned = run.checks("sales")[day.isoformat(), "expect_column_mean_to_be_between__dwell_seconds"]
    assert not warned.passed
    assert warned.severity.value == "WARN"
    assert bakery.lake.published("sales", day).rows == bread.VISITS


def test_a_day_that_is_not_there_yet_names_what_to_materialise(bakery, bread):
    run = bakery.run(("sales",), bread.FIRST + timedelta(days=1))
    assert f"Materialise visits__raw for {bread.FIRST + timedelta(days=1)} first" in run.failures["sales"]
    run = bakery.run(("liking",), bread.FIRST)
    assert f"Materialise sales for {bread.FIRST} first" in run.failures["liking"]


def test_one_asset_of_a_step_can_be_asked_for_and_the_other_is_recorded_too(bakery, bread):
    assert bakery.run(("visits__landing",), bread.FIRST).failures == {}
    run = bakery.run(("visits__raw",), bread.FIRST)
    assert run.failures == {}
    assert sorted(run.materialized("visits__quarantine")) == [bread.FIRST.isoformat()]
    assert bakery.rows("visits__raw").height == bread.VISITS


def test_a_forced_run_does_everything_again_and_comes_to_the_same(bakery, bread):
    assets = ("visits__landing", "visits__raw", "sales")
    assert bakery.run(assets, bread.FIRST).failures == {}
    rows, versions = bakery.rows("sales"), bakery.versions()
    again = bakery.run(assets[1:], bread.FIRST, force=True)
    assert again.failures == {}
    assert {shown["status"] for shown in again.materialized("sales").values()} == {"published"}
    assert all(bakery.versions()[table] > version for table, version in versions.items())
    assert bakery.rows("sales").equals(rows)


def test_a_refused_day_is_published_on_purpose_by_the_tags_of_a_run(bakery, site, bread):
    day = bread.FIRST
    site.put(day, bread.visits(day, 4))
    assert not bakery.run(("visits__landing", "visits__raw", "sales"), day).success

    nameless = bakery.run(("sales",), day, publish_refused="the shop was closed")
    assert "sluice/by with the name of who decides" in nameless.failures["sales"]
    assert bakery.days("sales") == []

    overridden = bakery.run(("sales", "liking"), day, publish_refused="the shop was closed", by="ana")
    assert overridden.failures == {}
    shown = overridden.materialized("sales")[day.isoformat()]
    assert (shown["gate"], shown["override_reason"], shown["override_by"]) == (
        "overridden",
        "the shop was closed",
        "ana",
    )
    assert not overridden.checks("sales")[day.isoformat(), "expect_table_row_count_to_be_between"].passed
    assert bakery.lake.published("sales", day).rows == 4
    assert bakery.days("liking") == [day]
