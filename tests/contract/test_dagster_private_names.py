"""The private names of Dagster that `assets.components.narrowing.record_only` rests on, pinned."""

import dagster as dg
import pytest
from dagster import AssetCheckEvaluation, DagsterEventType

from assets.components.day_checks import check_spec
from assets.components.narrowing import record_only

# Partitioned checks and backfill policies are marked as a preview and as beta; loading a defs folder hides that.
pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]

PARTITIONS = dg.DailyPartitionsDefinition("2026-01-01")
KEY = dg.AssetKey(["table"])
REJECTED = dg.AssetKey(["table", "quarantine"])
RANGE = {
    "dagster/asset_partition_range_start": "2026-01-01",
    "dagster/asset_partition_range_end": "2026-01-04",
}


def run_range(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    checks = [check_spec("conserved", KEY, PARTITIONS, "rows in = rows out")]

    @dg.multi_asset(
        name="table",
        specs=[dg.AssetSpec(KEY, partitions_def=PARTITIONS), dg.AssetSpec(REJECTED, partitions_def=PARTITIONS)],
        check_specs=checks,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def table(context: dg.AssetExecutionContext):
        days = list(context.partition_keys)
        good = [day for day in days if day != "2026-01-03"]
        record_only(context, {KEY: good, REJECTED: days})
        for day in days:
            yield AssetCheckEvaluation(
                asset_key=KEY, check_name="conserved", passed=day in good, metadata={}, partition=day, blocking=False
            )
        yield dg.Output(None, output_name=checks[0].get_python_identifier())
        for day in good:
            context.add_asset_metadata({"rows": int(day[-2:])}, asset_key=KEY, partition_key=day)
        yield dg.MaterializeResult(asset_key=KEY)
        yield dg.MaterializeResult(asset_key=REJECTED)

    @dg.asset(deps=[KEY], partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
    def downstream() -> None: ...

    job = dg.Definitions(assets=[table, downstream]).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, tags=RANGE)


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def test_a_refused_day_of_a_range_is_not_materialized_while_the_others_are(instance):
    result = run_range(instance)
    assert result.success
    assert instance.get_materialized_partitions(KEY) == {"2026-01-01", "2026-01-02", "2026-01-04"}
    assert len(instance.get_materialized_partitions(REJECTED)) == 4


def test_metadata_and_check_results_are_recorded_per_day(instance):
    result = run_range(instance)
    rows = {
        event.partition: event.step_materialization_data.materialization.metadata["rows"].value
        for event in result.all_events
        if event.event_type == DagsterEventType.ASSET_MATERIALIZATION and event.asset_key == KEY
    }
    assert rows == {"2026-01-01": 1, "2026-01-02": 2, "2026-01-04": 4}
    passed = {
        event.asset_check_evaluation_data.partition: event.asset_check_evaluation_data.passed
        for event in result.all_events
        if event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION
    }
    assert passed == {"2026-01-01": True, "2026-01-02": True, "2026-01-03": False, "2026-01-04": True}


def test_without_narrowing_dagster_marks_every_day(instance):
    """If this fails, Dagster has learnt to do without `record_only`: remove it."""

    @dg.asset(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
    def plain() -> None: ...

    job = dg.Definitions(assets=[plain]).resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(instance=instance, tags=RANGE).success
    assert len(instance.get_materialized_partitions(dg.AssetKey("plain"))) == 4
