"""Whatever the order of operations, the lake reads like a plain dictionary of days."""

import datetime as dt
import tempfile
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from assets.lake import Lake, MissingVersionError, digest

DAYS = [dt.date(2024, 2, 28) + dt.timedelta(days=offset) for offset in range(4)]
VALUES = st.lists(st.integers(-5, 5), max_size=4)


class LakeBesideADictionary(RuleBasedStateMachine):
    """Each rule does one thing to the lake and to a dictionary of what each version should hold."""

    staged = Bundle("staged")

    @initialize()
    def empty(self):
        self.folder = tempfile.TemporaryDirectory()
        self.lake = Lake(Path(self.folder.name) / "lake")
        self.days: dict = {}
        self.versions: dict = {}

    def teardown(self):
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(target=staged, day=st.sampled_from(DAYS), values=VALUES, wide=st.booleans())
    def stage(self, day, values, wide):
        frame = pl.LazyFrame({"x": values}, schema={"x": pl.Int64})
        if wide:
            frame = frame.with_columns(y=pl.col("x").cast(pl.String))
        name = digest(values, wide)
        return self.lake.stage("t", day, frame, digest=name, run_id="run"), sorted(values), name

    @rule(part=staged)
    def publish(self, part):
        content, values, _ = part
        if not all(self.lake.store.info(f"tables/t/{file.path}") for file in content.files):
            return  # published and replaced before, then cleaned up
        version = self.lake.publish(content)
        self.days[content.day] = values
        self.versions[version] = dict(self.days)

    @rule(part=staged)
    def discard(self, part):
        self.lake.discard(part[0])

    @rule(target=staged, part=staged)
    def refuse_and_override(self, part):
        content, values, name = part
        published = self.lake.published("t", content.day)
        fresh = self.lake.stage(
            "t", content.day, pl.LazyFrame({"x": values}, schema={"x": pl.Int64}), digest=name, run_id="refused"
        )
        self.lake.keep(fresh, reason="a gate")
        version = self.lake.publish_refused("t", content.day, reason="on purpose")
        if published is not None and published.digest == name:
            assert version == self.lake.version("t")
        self.days[content.day] = values
        self.versions[version] = dict(self.days)
        return multiple()

    @rule(choice=st.integers(0, 100))
    def restore(self, choice):
        if not self.versions:
            return
        version = sorted(self.versions)[choice % len(self.versions)]
        try:
            new = self.lake.restore("t", version)
        except MissingVersionError:
            return
        self.days = dict(self.versions[version])
        self.versions[new] = dict(self.days)

    @rule()
    def clean_up(self):
        if self.lake.exists("t"):
            self.lake.clean_up("t", dt.timedelta(0))
            on_disk = {info.path for info in self.lake.store.walk("tables/t") if "/date=" in info.path}
            named = {path for published in self.lake.published_days("t").values() for path in published.files}
            assert on_disk == {f"tables/t/{path}" for path in named}

    @invariant()
    def every_day_reads_as_it_should(self):
        published = self.lake.published_days("t")
        assert {day: len(values) for day, values in self.days.items()} == {
            day: found.rows for day, found in published.items()
        }
        if not self.lake.exists("t"):
            return
        frame = self.lake.scan("t").collect()
        for day in DAYS:
            assert sorted(frame.filter(pl.col("date") == day)["x"].to_list()) == self.days.get(day, [])


TestLakeBesideADictionary = LakeBesideADictionary.TestCase
TestLakeBesideADictionary.settings = settings(
    max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

MOMENTS = st.integers(-(2**51), 2**52).map(
    lambda micros: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "n": st.none() | st.integers(-(2**63), 2**63 - 1),
            "f": st.none() | st.floats(),
            "s": st.none() | st.text(st.characters(blacklist_categories=["Cs"]), max_size=40),
            "t": st.none() | MOMENTS,
            "d": st.none() | st.dates(),
        }
    ),
    max_size=6,
)
SCHEMA = {"n": pl.Int64, "f": pl.Float64, "s": pl.String, "t": pl.Datetime("us", "UTC"), "d": pl.Date}


@given(first=ROWS, second=ROWS, data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_statistics_never_hide_a_row_from_a_reader(first, second, data):
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        frames = [pl.DataFrame(rows, schema=SCHEMA) for rows in (first, second)]
        for day, frame in zip(DAYS, frames, strict=False):
            lake.publish(lake.stage("t", day, frame.lazy(), digest=digest(str(day)), run_id="run"))
        everything = pl.concat(frames)
        column = data.draw(st.sampled_from(list(SCHEMA)))
        values = everything[column].drop_nulls()
        if values.is_empty():
            return
        pivot = values[data.draw(st.integers(0, len(values) - 1))]
        for predicate in (
            pl.col(column) == pl.lit(pivot, SCHEMA[column]),
            pl.col(column) >= pl.lit(pivot, SCHEMA[column]),
            pl.col(column) <= pl.lit(pivot, SCHEMA[column]),
            pl.col(column).is_null(),
        ):
            expected = everything.filter(predicate).height
            assert lake.scan("t").filter(predicate).collect().height == expected
            assert pl.scan_delta(f"{folder}/tables/t").filter(predicate).collect().height == expected


@given(rows=ROWS, data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_another_reader_finds_every_row_by_its_statistics(rows, data):
    import pyarrow.dataset as ds

    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        frame = pl.DataFrame(rows, schema=SCHEMA)
        lake.publish(lake.stage("t", DAYS[0], frame.lazy(), digest=digest("a"), run_id="run"))
        dataset = DeltaTable(f"{folder}/tables/t").to_pyarrow_dataset()
        assert dataset.count_rows() == frame.height
        column = data.draw(st.sampled_from(["n", "t", "d"]))
        for value in frame[column].drop_nulls():
            expected = frame.filter(pl.col(column) >= pl.lit(value, SCHEMA[column])).height
            assert dataset.to_table(filter=ds.field(column) >= value).num_rows == expected


@pytest.mark.parametrize("micros", [0, 1, 999, 1000, 1_500])
def test_datetime_bounds_are_rounded_outwards(tmp_path, micros):
    lake = Lake(tmp_path)
    moment = dt.datetime(1960, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
    staged = lake.stage("t", DAYS[0], pl.LazyFrame({"t": [moment]}), digest=digest(micros), run_id="run")
    statistics = staged.files[0].statistics
    assert dt.datetime.fromisoformat(statistics["minValues"]["t"]) <= moment
    assert dt.datetime.fromisoformat(statistics["maxValues"]["t"]) >= moment
