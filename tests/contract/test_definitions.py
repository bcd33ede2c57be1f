"""What the code location offers, name by name, and that its layout keeps to the contracts."""

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml
from dagster import AssetCheckKey, AssetKey, DagsterInstance

import assets.components
import orchestration
from assets.lake import Lake, digest
from orchestration.definitions import defs

pytestmark = [
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated"),
    pytest.mark.filterwarnings("ignore:Parameter `execution_type` of function `AssetsDefinition"),
]

ROOT = Path(orchestration.__file__).parents[1]
COMPONENTS = sorted(assets.components.__all__)

ASSETS = {
    "shop_catalogue__landing",
    "shop_catalogue__quarantine",
    "shop_catalogue__raw",
    "shop_clickstream__landing",
    "shop_clickstream__quarantine",
    "shop_clickstream__raw",
    "shop_engagement",
    "shop_events",
    "shop_events__quarantine",
    "shop_examples",
    "shop_examples__daily",
    "shop_ranker",
    "shop_ranker__candidates",
    "shop_ranker__float",
    "shop_ranker__recommendations",
}
HOUSEKEEPING = "shop_nightly__housekeeping"
CHECKS = {
    *(f"{asset}:{name}" for asset in ASSETS for name in ("published", "every_day_published")),
    *(
        f"{source}__landing:{name}"
        for source in ("shop_catalogue", "shop_clickstream")
        for name in ("crawled", "volume")
    ),
    *(
        f"{source}__raw:{name}"
        for source in ("shop_catalogue", "shop_clickstream")
        for name in ("conserved", "mostly_readable", "not_empty", "all_declared_occur")
    ),
    "shop_engagement:covered",
    "shop_engagement:label_model_fitted",
    "shop_engagement:one_label_a_unit",
    "shop_events:conserved",
    "shop_events:mostly_kept",
    "shop_events:expect_column_mean_to_be_between__dwell_seconds",
    "shop_events:expect_column_values_to_be_in_set__event_type",
    "shop_events:expect_column_values_to_be_in_table__item_id",
    "shop_events:expect_column_values_to_be_unique__event_id",
    "shop_events:expect_column_values_to_match_regex__item_id",
    "shop_events:expect_column_values_to_not_be_null__item_id",
    "shop_events:expect_table_row_count_to_be_between",
    "shop_events:history__distribution__event_type",
    "shop_events:history__mean__dwell_seconds",
    "shop_events:history__null_share__dwell_seconds",
    "shop_events:history__null_share__event_type",
    "shop_events:history__row_count",
    "shop_examples:has_positives",
    "shop_ranker__candidates:beats_popularity",
    "shop_ranker:blessed",
}


@pytest.fixture(scope="module")
def repository():
    return defs().get_repository_def()


def test_every_asset_of_the_shop(repository):
    keys = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
    assert keys == ASSETS | {HOUSEKEEPING}


def test_a_refresh_keeps_house_whatever_becomes_of_its_day(repository, tmp_path, monkeypatch):
    lake = Lake(tmp_path)
    day = date(2026, 1, 5)
    refused = lake.stage("shop_events", day, pl.LazyFrame({"x": [1]}), digest=digest("refused"), run_id="run")
    lake.publish(lake.stage("shop_events", day, pl.LazyFrame({"x": [1]}), digest=digest("good"), run_id="run"))
    lake.keep(refused, reason="the gate")
    other = lake.stage("others", day, pl.LazyFrame({"x": [1]}), digest=digest("refused"), run_id="run")
    lake.publish(lake.stage("others", day, pl.LazyFrame({"x": [1]}), digest=digest("good"), run_id="run"))
    lake.keep(other, reason="the gate")
    for path in tmp_path.rglob("*"):
        os.utime(path, (0, 0))
    monkeypatch.setenv("SLUICE_LAKE", str(tmp_path))
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "cache"))
    key = AssetKey(HOUSEKEEPING)
    assert not repository.asset_graph.get(key).parent_keys
    with DagsterInstance.ephemeral(tempdir=str(tmp_path / "dagster")) as instance:
        done = repository.get_job("shop_nightly").execute_in_process(
            partition_key="2026-01-05", asset_selection=[key], instance=instance
        )
    metadata = done.asset_materializations_for_node(HOUSEKEEPING)[0].metadata
    kinds = {(row.data["kind"], row.data["of"]) for row in metadata["removed"].value.records}
    assert kinds == {("refused", "shop_events")}, "another product's house is its own"
    assert metadata["removed_bytes"].value > 0
    assert not lake.refused("shop_events", day)
    assert lake.refused("others", day)
    assert lake.scan("shop_events").collect().height == 1


def test_every_check_of_the_shop(repository):
    assert {f"{key.asset_key.to_user_string()}:{key.name}" for key in repository.asset_graph.asset_check_keys} == CHECKS


def test_no_asset_of_days_can_fail_unseen(repository):
    graph = repository.asset_graph
    for key in graph.get_all_asset_keys():
        if graph.get(key).partitions_def is None:
            continue
        checks = {name: graph.get(AssetCheckKey(key, name)) for name in ("published", "every_day_published")}
        assert checks["published"].partitions_def == graph.get(key).partitions_def, key
        assert not any(check.blocking for check in checks.values()), "a bad day must not stop the good ones"


def test_every_job_and_schedule_of_the_shop(repository):
    assert {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")} == {"shop_nightly"}
    (schedule,) = repository.schedule_defs
    assert (schedule.name, schedule.cron_schedule, schedule.execution_timezone, schedule.default_status.value) == (
        "shop_nightly_schedule",
        "0 2 * * *",
        "UTC",
        "RUNNING",
    )


def test_people_see_who_owns_an_asset_what_it_is_and_which_columns_it_has(repository):
    graph = repository.asset_graph
    for key in graph.get_all_asset_keys() - {AssetKey(HOUSEKEEPING)}:
        node = graph.get(key)
        assert len(key.path) == 1, "the UI shows the last part of a key only"
        assert node.group_name == "shop", key
        assert node.owners == ["team:shop"], key
        assert node.description, key
        assert node.kinds, key
        assert node.partitions_def is not None, key
        assert node.code_version or key.path[-1].endswith(("__landing", "__quarantine")), key
        if "deltalake" in node.kinds:
            columns = node.metadata["dagster/column_schema"].columns
            assert columns[0].name == "date", key
            assert len(columns) > 3, key


def test_the_import_contracts_hold():
    done = subprocess.run([tool("lint-imports")], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout


def test_the_layout_is_five_packages_on_a_foundation():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {"orchestration", "assets", "crawlers", "expectations", "training", "foundation"}


def tool(name):
    return str(Path(sys.executable).with_name(name))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of one's own, empty."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "bakery" / "defs").mkdir(parents=True)
    (folder / "bakery" / "__init__.py").write_text("")
    (folder / "bakery" / "definitions.py").write_text(
        "from pathlib import Path\n\nimport dagster as dg\n\nfrom orchestration.resources import resources\n\n\n"
        "@dg.definitions\ndef defs():\n    return dg.Definitions.merge(\n"
        "        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),\n"
        "        dg.Definitions(resources=resources()),\n    )\n"
    )
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "bakery"\nversion = "0"\n\n[tool.dg]\ndirectory_type = "project"\n\n'
        '[tool.dg.project]\nroot_module = "bakery"\nregistry_modules = ["assets.components"]\n'
    )
    return folder


def dg(project, *arguments):
    return subprocess.run(
        [tool("dg"), *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "DAGSTER_HOME": "", "DAGSTER_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_scaffolded_declaration_loads_as_it_stands(project):
    done = dg(project, "scaffold", "defs", "assets.components.Source", "my_source")
    assert done.returncode == 0, done.stderr
    written = project / "bakery" / "defs" / "my_source" / "defs.yaml"
    assert written.read_text().startswith("# A source: one crawled origin.")
    assert (written.parent / "product.yaml").is_file()
    checked = dg(project, "check", "defs")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "All component YAML validated successfully" in checked.stdout


def test_a_name_that_cannot_be_one_is_refused_with_one_that_can(project):
    done = dg(project, "scaffold", "defs", "assets.components.Source", "My-Source")
    assert done.returncode != 0
    assert "Try 'my_source'" in done.stdout + done.stderr
    assert not (project / "bakery" / "defs" / "My-Source" / "defs.yaml").exists()


@pytest.mark.slow
def test_the_schema_accepts_the_declarations_and_refuses_an_unknown_key_and_a_wrong_type(tmp_path, project):
    copy = shutil.copytree(project, tmp_path / "project")
    shutil.rmtree(copy / "bakery" / "defs")
    shutil.copytree(
        ROOT / "orchestration" / "defs", copy / "bakery" / "defs", ignore=shutil.ignore_patterns("*.py*", "__*")
    )
    accepted = dg(copy, "check", "yaml")
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr

    path = copy / "bakery" / "defs" / "shop" / "ranker" / "defs.yaml"
    declared = yaml.safe_load(path.read_text())
    declared["attributes"] |= {"sead": 7, "workers": "two"}
    path.write_text(yaml.safe_dump(declared))
    refused = dg(copy, "check", "yaml")
    assert refused.returncode != 0
    told = refused.stdout + refused.stderr
    assert "ranker/defs.yaml" in told
    assert "'sead' was unexpected" in told
    assert "'two' is not of type 'integer'" in told
