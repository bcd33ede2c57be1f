"""The UI shows each day's check result, also of a run over a range: what Dagster needs for that, pinned."""

from datetime import date

import dagster as dg
import pytest
from dagster._core.storage.asset_check_state import AssetCheckState, bulk_update_asset_check_state

from assets.components.days import Recorded, check_spec, days_of, run_days
from assets.stages.day import Check, DayResult

PARTITIONS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-10")
KEY = dg.AssetKey(["table"])
CHECK = check_spec("conserved", KEY, PARTITIONS, "rows in = rows out")


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def run(instance, first, last, *, refused=(), amend=()):
    def work(day):
        passed = day.isoformat() not in refused
        return DayResult(day, "published" if passed else "refused", checks=(Check("conserved", passed),))

    @dg.multi_asset(
        name="table",
        specs=[dg.AssetSpec(KEY, partitions_def=PARTITIONS)],
        check_specs=[CHECK],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def table(context: dg.AssetExecutionContext):
        yield from run_days(
            context,
            days=days_of(context),
            work=work,
            records=[Recorded(KEY)],
            checks=[CHECK],
            describe=lambda _: {},
            amend=[date.fromisoformat(day) for day in amend],
        )

    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    job = dg.Definitions(assets=[table]).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def shown(instance):
    """The days by status, as the page of a check shows them."""
    states = bulk_update_asset_check_state(instance, [(CHECK.key, PARTITIONS)], {CHECK.key: AssetCheckState.empty()})
    subsets = states[CHECK.key].subsets
    return {
        status.value: sorted(subset.subset_value.get_partition_keys())
        for status, subset in subsets.items()
        if not subset.is_empty
    }


def test_every_day_of_a_range_shows_its_own_result(instance):
    assert run(instance, "2026-01-01", "2026-01-03", refused=["2026-01-02"]).success
    assert shown(instance) == {"SUCCEEDED": ["2026-01-01", "2026-01-03"], "FAILED": ["2026-01-02"]}


def test_a_day_that_is_refused_alone_shows_that_it_failed_even_over_good_content(instance):
    assert run(instance, "2026-01-01", "2026-01-01").success
    assert not run(instance, "2026-01-01", "2026-01-01", refused=["2026-01-01"]).success
    assert shown(instance) == {"FAILED": ["2026-01-01"]}


def test_a_day_that_is_amended_shows_its_new_result(instance):
    assert run(instance, "2026-01-01", "2026-01-01").success
    assert run(instance, "2026-01-02", "2026-01-02", amend=["2026-01-01"]).success
    assert shown(instance) == {"SUCCEEDED": ["2026-01-01", "2026-01-02"]}
