"""A bad day is red where a person looks: in the run, in the day's checks, and in one line that says why."""

from datetime import date

import dagster as dg
import pytest
from dagster._core.storage.asset_check_state import AssetCheckState, bulk_update_asset_check_state

from assets.components.day_assets import day_assets
from assets.components.days import Days
from assets.components.run_tags import days_of
from assets.stages.day import Check, DayResult

# Partitioned checks and backfill policies are marked as a preview and as beta; loading a defs folder hides that.
pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]

PARTITIONS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-10")
KEY, REJECTED, LATER = dg.AssetKey("table"), dg.AssetKey("table__quarantine"), dg.AssetKey("labels")
FIRST, SECOND, THIRD = "2026-01-01", "2026-01-02", "2026-01-03"


def broken(day):
    del day
    raise ValueError("the disk is gone")


def fleeting(day):
    raise ConnectionResetError(f"the server hung up on {day}")


BAD = {
    "refused": lambda day: DayResult(day, "refused", checks=(Check("conserved", passed=False),), message="too few."),
    "blocked": lambda day: DayResult(day, "blocked", message="landing has no content; materialise it first."),
    "failed": broken,
}
SAYS = {"refused": "too few.", "blocked": "materialise it first.", "failed": "the disk is gone"}


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def make(bad, *, amend=(), done=None):
    """A table with a quarantine, and labels of it that are blocked on the days that the table lacks."""
    done = set() if done is None else done

    def work(day):
        if day.isoformat() in bad:
            return bad[day.isoformat()](day)
        done.add(day)
        return DayResult(day, "published", checks=(Check("conserved", passed=True),))

    def label(day):
        return DayResult(day, "published") if day in done else DayResult(day, "blocked", message="no table.")

    def plan(context):
        return Days(days_of(context), work, lambda _: {}, amend=[date.fromisoformat(day) for day in amend])

    specs = [dg.AssetSpec(key, partitions_def=PARTITIONS) for key in (KEY, REJECTED)]
    table = day_assets(plan, name="table", specs=specs, resources=set(), checks={"conserved": ""}, beside=[REJECTED])
    labels = day_assets(
        lambda context: Days(days_of(context), label, lambda _: {}),
        name="labels",
        specs=[dg.AssetSpec(LATER, deps=[KEY], partitions_def=PARTITIONS)],
        resources=set(),
    )
    return dg.Definitions.merge(table, labels)


def run(instance, definitions, first=FIRST, last=THIRD, *, select=None, retries=0):
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    job = dg.define_asset_job(
        "all_of_it",
        selection=dg.AssetSelection.assets(*(select or [KEY, REJECTED, LATER])),
        op_retry_policy=dg.RetryPolicy(max_retries=retries) if retries else None,
    )
    found = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job])).resolve_job_def("all_of_it")
    return found.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def failures(result):
    return {
        event.step_key: event.step_failure_data.user_failure_data.description
        for event in result.get_step_failure_events()
    }


def shown(instance, key=KEY, name="published"):
    """The days by status, as the page of a check shows them."""
    check = dg.AssetCheckKey(key, name)
    states = bulk_update_asset_check_state(instance, [(check, PARTITIONS)], {check: AssetCheckState.empty()})
    return {
        status.value: sorted(subset.subset_value.get_partition_keys())
        for status, subset in states[check].subsets.items()
        if not subset.is_empty
    }


def words(result, key=KEY):
    return {
        found.partition: found.description
        for found in result.get_asset_check_evaluations()
        if (found.asset_key, found.check_name) == (key, "published")
    }


@pytest.mark.parametrize("how", BAD)
def test_one_bad_day_of_a_range_publishes_the_others_and_ends_the_run_red(instance, how):
    result = run(instance, make({SECOND: BAD[how]}))
    assert not result.success
    assert instance.get_materialized_partitions(KEY) == {FIRST, THIRD}
    assert instance.get_materialized_partitions(LATER) == {FIRST, THIRD}, "what depends on the good days went on"
    told = failures(result)
    assert "1 of 3 days of table have no new content" in told["table_every_day_published"]
    for step in ("table_every_day_published", "labels_every_day_published"):
        assert SECOND in told[step]
        assert FIRST not in told[step]
    assert SAYS[how] in told["table_every_day_published"]
    assert ("table__quarantine_every_day_published" in told) == (how != "refused")
    # The day's own check says why, and the good days' checks passed.
    assert shown(instance) == {"SUCCEEDED": [FIRST, THIRD], "FAILED": [SECOND]}
    assert words(result)[SECOND].startswith(how)
    assert SAYS[how] in words(result)[SECOND]
    assert shown(instance, LATER) == {"SUCCEEDED": [FIRST, THIRD], "FAILED": [SECOND]}
    assert words(result, LATER)[SECOND] == "blocked. no table."


@pytest.mark.parametrize("how", BAD)
@pytest.mark.parametrize("select", [[KEY], [REJECTED]], ids=["the table alone", "its quarantine alone"])
def test_whichever_asset_of_the_step_is_asked_for(instance, how, select):
    result = run(instance, make({SECOND: BAD[how]}), select=select)
    assert result.success == (how == "refused" and select == [REJECTED])


def test_a_day_that_is_bad_alone_shows_that_it_failed_even_over_good_content(instance):
    assert run(instance, make({}), FIRST, FIRST).success
    result = run(instance, make({FIRST: BAD["refused"]}), FIRST, FIRST)
    assert failures(result) == {"table": "2026-01-01: refused. too few."}
    for name in ("published", "conserved"):
        assert shown(instance, name=name) == {"FAILED": [FIRST]}
    assert instance.get_materialized_partitions(REJECTED) == {FIRST}


def test_a_day_that_is_mended_is_no_longer_red(instance):
    assert not run(instance, make({SECOND: broken})).success
    assert run(instance, make({}), SECOND, SECOND).success
    assert shown(instance) == {"SUCCEEDED": [FIRST, SECOND, THIRD]}


def test_a_day_that_is_amended_shows_its_new_result(instance):
    assert run(instance, make({}), FIRST, FIRST).success
    assert run(instance, make({}, amend=[FIRST]), SECOND, SECOND).success
    assert shown(instance) == {"SUCCEEDED": [FIRST, SECOND]}


@pytest.mark.parametrize("how", BAD)
def test_late_records_that_cannot_be_taken_in_turn_their_day_and_the_run_red(instance, how):
    assert run(instance, make({}), FIRST, SECOND).success
    late = {SECOND: BAD[how]}
    result = run(instance, make(late, amend=[FIRST, SECOND]), THIRD, THIRD)
    assert shown(instance) == {"SUCCEEDED": [FIRST, THIRD], "FAILED": [SECOND]}
    assert "Late records could not be taken in" in words(result)[SECOND]
    told = failures(result)["table_every_day_published"]
    assert SECOND in told
    assert SAYS[how] in told
    assert instance.get_materialized_partitions(LATER) >= {THIRD}


def test_what_may_pass_is_tried_again_and_what_will_not_is_not(instance):
    tries = []

    def down_once(day):
        tries.append(day)
        return fleeting(day) if len(tries) == 1 else DayResult(day, "published")

    assert run(instance, make({SECOND: down_once}), select=[KEY], retries=1).success
    assert len(tries) == 2
    tries.clear()
    assert not run(instance, make({SECOND: lambda day: tries.append(day) or broken(day)}), retries=3).success
    assert len(tries) == 1


def test_a_day_that_stays_down_is_red_once_the_retries_are_used_up_and_the_others_are_published(instance):
    result = run(instance, make({SECOND: fleeting}), retries=1)
    assert not result.success
    assert instance.get_materialized_partitions(KEY) == {FIRST, THIRD}
    assert "ConnectionResetError: the server hung up" in failures(result)["table_every_day_published"]


def test_the_log_has_one_line_a_day_and_a_traceback_only_for_those_who_look_for_it(instance):
    result = run(instance, make({SECOND: broken, THIRD: BAD["blocked"]}), select=[KEY])
    logged = [entry for entry in instance.all_logs(result.run_id) if entry.user_message and not entry.dagster_event]
    lines = [(entry.level, entry.user_message) for entry in logged if entry.level > 10]
    assert [level for level, _ in lines] == [20, 40, 40]
    assert [text.split(" (")[0] for _, text in lines] == [
        "2026-01-01: published",
        "2026-01-02: failed",
        "2026-01-03: blocked",
    ]
    assert lines[1][1].endswith("s): ValueError: the disk is gone")
    assert not [text for _, text in lines if "\n" in text]
    assert [entry for entry in logged if entry.level == 10 and "Traceback" in entry.user_message]
