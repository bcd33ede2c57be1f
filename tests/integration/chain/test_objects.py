"""The whole road with its lake on an S3-compatible object store: `SLUICE_LAKE=s3://…` is all that differs."""

from datetime import timedelta
from pathlib import Path

import pytest

from assets.lake import Lake
from training.publish import champion

pytestmark = [pytest.mark.slow, pytest.mark.objects]

ROAD = ("baker__float", "baker__candidates", "baker", "baker__recommendations")
LAX = """\
  compress: {prune: {epochs: 1}}
  bless: {max_drop_vs_float: 1, max_drop_vs_champion: 1, max_bytes_ratio: 9}
  evaluate: {users: 12, k: 3}
  recommend: {k: 3}
"""


@pytest.fixture(scope="module")
def road(bread, new_site, s3, tmp_path_factory):
    """A bakery on the object store, and its twin in a folder."""
    site = new_site()
    days = [*bread.DAYS, bread.DAYS[-1] + timedelta(days=1)]
    for day in days:
        site.put(day, bread.visits(day))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAKERY_URL", site.url)
        patch.setenv("SLUICE_PII_KEY", bread.KEY)
        for name, value in s3.environment.items():
            patch.setenv(name, value)
        patch.setenv("SLUICE_CACHE", str(tmp_path_factory.mktemp("cache")))
        declared = {**bread.DECLARATIONS, "baker": bread.DECLARATIONS["baker"] + LAX}
        root = tmp_path_factory.mktemp("objects")
        bakery = bread.Bakery(root, declared, on_disk=True)
        bakery.root = root
        bakery.lake = Lake(s3.place())
        bakery.outcomes = [bakery.run(bread.DATA, bread.FIRST, days[-1]), bakery.run(ROAD, bread.DAYS[-1])]
        twin = bread.Bakery(tmp_path_factory.mktemp("folder"), declared)
        assert twin.run(bread.DATA, bread.FIRST, days[-1]).failures == {}
        bakery.twin = twin
        yield bakery
        bakery.close()
        twin.close()


def test_every_stage_succeeds(road):
    assert [outcome.failures for outcome in road.outcomes] == [{}, {}]


def test_the_rows_are_those_of_a_folder(road):
    tables = [name for name in road.twin.lake.tables() if road.twin.lake.exists(name)]
    assert len(tables) >= 6
    for name in tables:
        mine, theirs = (bakery.rows(name).drop("crawled_at", strict=False) for bakery in (road, road.twin))
        assert mine.equals(theirs), name


def test_a_champion_is_published_and_recommends(road):
    current = champion(road.lake.models("baker"))
    assert road.rows("baker__recommendations")["model_version"].unique().to_list() == [current.version]


def test_a_second_run_changes_nothing(road, bread):
    versions = road.versions()
    assert road.run(bread.DATA, bread.FIRST, bread.DAYS[-1] + timedelta(days=1)).failures == {}
    again = road.run(ROAD, bread.DAYS[-1])
    assert again.failures == {}
    assert road.versions() == versions


def test_nothing_of_the_lake_is_in_a_folder(road):
    assert not [path for path in Path(road.root).rglob("*.parquet") if "project" not in path.parts]
    assert not (road.root / "lake").exists()


def test_the_secret_key_is_in_no_log(road, s3):
    secret = s3.environment["AWS_SECRET_ACCESS_KEY"].encode()
    assert not [path for path in road.home.rglob("*") if path.is_file() and secret in path.read_bytes()]
