import datetime as dt

import polars as pl
import pytest

from assets.lake import Lake, digest

DAY = dt.date(2024, 3, 1)


@pytest.fixture
def clock():
    return [dt.datetime.now(dt.UTC)]


@pytest.fixture
def lake(any_place, clock):
    """A lake in a folder whose name is unusual, and one on an object store."""

    def now():
        clock[0] += dt.timedelta(seconds=1)
        return clock[0]

    return Lake(any_place, now=now)


@pytest.fixture
def local(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture
def put():
    """Stage and publish; the digest derives from the rows unless it is given."""

    def put(lake, values, day=DAY, *, table="events", name=None, **columns):
        frame = pl.LazyFrame({"x": values, **columns}, schema_overrides={"x": pl.Int64})
        staged = lake.stage(table, day, frame, digest=name or digest(values, str(day), str(columns)), run_id="run-1")
        return lake.publish(staged)

    return put


@pytest.fixture
def rows():
    def rows(lake, day=None, *, table="events", version=None):
        return sorted(lake.scan(table, start=day, end=day, version=version).collect()["x"].to_list())

    return rows
