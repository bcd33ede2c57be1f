import datetime as dt

import polars as pl
import pytest

from assets.lake import Lake, digest
from assets.lake.files import ObjectFiles

DAY = dt.date(2024, 3, 1)


@pytest.fixture
def clock():
    return [dt.datetime.now(dt.UTC)]


@pytest.fixture(params=["folder", "objects"])
def lake(request, tmp_path, clock):
    """A lake in a folder whose name is unusual, and one whose files go through the object store client."""

    def now():
        clock[0] += dt.timedelta(seconds=1)
        return clock[0]

    lake = Lake(tmp_path / "my lake é [1]*", home=tmp_path / "home", now=now)
    if request.param == "objects":
        (tmp_path / "objects").mkdir()
        lake.root = f"file://{tmp_path}/objects"
        lake._files = ObjectFiles(lake.root, None)
    return lake


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
