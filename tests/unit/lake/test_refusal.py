import datetime as dt

import polars as pl
import pytest

from assets.lake import Lake, MissingPartitionError, digest

DAY = dt.date(2024, 3, 1)
NEXT = dt.date(2024, 3, 2)


def refuse(lake, values, day=DAY, reason="nulls in item_id", **options):
    staged = lake.stage("events", day, pl.LazyFrame({"x": values}), digest=digest(values), run_id="run-9")
    return lake.keep(staged, reason=reason, **options)


def test_refused_content_can_be_inspected_and_is_not_published(lake, put, rows):
    put(lake, [1])
    record = refuse(lake, [7, 8])
    assert rows(lake) == [1]
    assert lake.inspect_refused("events", DAY).collect().to_dict(as_series=False) == {"x": [7, 8], "date": [DAY, DAY]}
    assert lake.refused("events", DAY) == [record]
    assert (record.rows, record.reason, record.digest, record.run_id) == (
        2,
        "nulls in item_id",
        digest([7, 8]),
        "run-9",
    )


def test_refusals_work_before_a_table_exists(lake, rows):
    refuse(lake, [7])
    assert not lake.exists("events")
    lake.publish_refused("events", DAY, reason="the supplier confirmed it")
    assert rows(lake) == [7]


def test_only_the_newest_refusals_of_a_day_are_kept(lake):
    refuse(lake, [0], NEXT)
    for value in range(5):
        refuse(lake, [value], newest=2)
    assert [record.digest for record in lake.refused("events", DAY)] == [digest([4]), digest([3])]
    assert len(lake.refused("events", NEXT)) == 1
    kept = [info.path for info in lake.store.walk("tables/events/_refused/date=2024-03-01")]
    assert len(kept) == 4
    assert lake.inspect_refused("events", DAY, digest=digest([3])).collect()["x"].to_list() == [3]


def test_refused_content_is_published_on_purpose_with_the_reason_on_record(lake, put, rows):
    put(lake, [1])
    refuse(lake, [7, 8])
    version = lake.publish_refused("events", DAY, reason="the supplier confirmed it", by="ada")
    assert rows(lake) == [7, 8]
    assert lake.published("events", DAY).digest == digest([7, 8])
    newest = lake.versions("events", limit=1)[0]
    assert newest.version == version
    assert newest.info["override"] == "the supplier confirmed it"
    assert newest.info["override_by"] == "ada"
    assert newest.info["refused_because"] == "nulls in item_id"
    assert newest.info["run_id"] == "run-9"
    assert lake.refused("events", DAY) == []


@pytest.mark.parametrize("step", ["before_commit", "after_commit"])
def test_an_override_that_crashed_can_be_repeated(tmp_path, rows, step):
    def crash(at):
        if at == step:
            raise KeyboardInterrupt

    refuse(Lake(tmp_path / "lake"), [7, 8])
    with pytest.raises(KeyboardInterrupt):
        Lake(tmp_path / "lake", on_step=crash).publish_refused("events", DAY, reason="confirmed")
    lake = Lake(tmp_path / "lake")
    lake.publish_refused("events", DAY, reason="confirmed")
    assert rows(lake) == [7, 8]
    assert lake.refused("events", DAY) == []
    assert lake.version("events") == 1


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_override_needs_a_reason(lake, reason):
    refuse(lake, [7])
    with pytest.raises(ValueError, match="needs a reason"):
        lake.publish_refused("events", DAY, reason=reason)


def test_an_override_without_refused_content_says_which_days_have_some(lake):
    with pytest.raises(MissingPartitionError, match="No day has any"):
        lake.publish_refused("events", DAY, reason="x")
    refuse(lake, [7], NEXT)
    with pytest.raises(MissingPartitionError, match="Days with refused content: 2024-03-02"):
        lake.inspect_refused("events", DAY)
    with pytest.raises(MissingPartitionError, match="kept are: "):
        lake.inspect_refused("events", NEXT, digest=digest("other"))


def test_refused_content_survives_a_clean_up(lake, put):
    put(lake, [1])
    refuse(lake, [7])
    lake.clean_up("events", dt.timedelta(0))
    assert lake.inspect_refused("events", DAY).collect()["x"].to_list() == [7]


def test_refused_files_without_a_record_are_cleaned_up(local, put):
    put(local, [1])
    record = refuse(local, [7])
    path = f"tables/events/{record.files[0]}"
    local.store.remove(path.replace(".parquet", ".json"))
    assert local.refused("events", DAY) == []
    assert local.clean_up("events", dt.timedelta(days=1)).leftovers == ()
    assert local.clean_up("events", dt.timedelta(0)).leftovers == (record.files[0],)
    assert local.store.info(path) is None
