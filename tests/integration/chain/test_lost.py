"""What is not the data itself may be lost: reports, as a whole and one by one, and the cache. Days read as done, or are
made again to the same rows.
"""

import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(bread, new_site, tmp_path_factory):
    site = new_site()
    days = bread.DAYS[:2]
    for day in days:
        site.put(day, bread.visits(day))
    table = bread.DECLARATIONS["sales"].replace("  gate:\n", "  gate:\n    - history: {minimum: 2}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAKERY_URL", site.url)
        patch.setenv("SLUICE_PII_KEY", bread.KEY)
        patch.setenv("SLUICE_CACHE", str(tmp_path_factory.mktemp("cache")))
        bakery = bread.Bakery(tmp_path_factory.mktemp("lost"), {**bread.DECLARATIONS, "sales": table})
        bakery.days, bakery.data = days, bread.DATA
        assert bakery.run(bread.DATA, *days).failures == {}
        bakery.tables = [name for name in bakery.lake.tables() if bakery.lake.exists(name)]
        bakery.kept = {name: bakery.rows(name) for name in bakery.tables}
        yield bakery
        bakery.close()


def runs_again_to_the_same(bakery, what):
    outcome = bakery.run(bakery.data, *bakery.days)
    assert outcome.failures == {}, what
    bad = [check for check in outcome.result.get_asset_check_evaluations() if not check.passed]
    assert not [check for check in bad if check.severity.value == "ERROR"], what
    for name in bakery.tables:
        assert bakery.rows(name).equals(bakery.kept[name]), (what, name)
    return outcome


def test_all_reports(made):
    shutil.rmtree(Path(made.lake.root) / "reports")
    outcome = runs_again_to_the_same(made, "reports")
    for asset in made.data[1:]:
        assert len(outcome.materialized(asset)) == len(made.days), asset
    # Once more everything is known again.
    outcome = runs_again_to_the_same(made, "again")
    states = {asset: {shown.get("status") for shown in outcome.materialized(asset).values()} for asset in made.data[1:]}
    assert states == {key: {"unchanged"} for key in made.data[1:]}


@pytest.mark.matrix
def test_the_reports_of_each_table(made):
    folders = sorted(path for path in (Path(made.lake.root) / "reports").iterdir() if path.is_dir())
    assert {folder.name for folder in folders} >= {"visits__raw", "sales", "liking", "portions", "portions__daily"}
    for folder in folders:
        shutil.rmtree(folder)
        runs_again_to_the_same(made, folder.name)


@pytest.mark.matrix
def test_each_report_of_a_day(made):
    reports = Path(made.lake.root) / "reports"
    files = sorted(path for path in reports.rglob("*.json") if "docs" not in path.parts)
    files = [path for path in files if str(made.days[0]) in path.parts]
    assert len(files) >= 6, "a ledger of each stage, and the profile of the table"
    for path in files:
        path.unlink()
        runs_again_to_the_same(made, path)
        path.unlink(missing_ok=True)
        path.write_bytes(b'{"report": {"rows"')  # or half of it is there
        runs_again_to_the_same(made, f"half of {path}")


def test_the_cache(made, monkeypatch, tmp_path):
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "another"))
    runs_again_to_the_same(made, "cache")
