"""The second half of the road through Dagster: trained, compressed, compared, blessed, published, recommended."""

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from deltalake import DeltaTable

from assets.lake.places import place_of
from training.publish import champion

pytestmark = pytest.mark.slow

ROAD = ("baker__float", "baker__candidates", "baker", "baker__recommendations")
RECOMMENDATIONS = ROAD[-1]
K = 3
MODEL_FILE = "model.tflite"
# Models of this size are no use, and any of them may be blessed.
LAX = """\
  compress: {prune: {epochs: 1}}
  bless: {max_drop_vs_float: 1, max_drop_vs_champion: 1, max_bytes_ratio: 9}
  evaluate: {users: 12, k: 3}
  recommend: {k: 3}
"""
STRICT = LAX.replace("bless: {", "bless: {minimum: 1, ").replace("prune: {epochs: 1}", "prune: null")


@pytest.fixture(scope="module")
def new_road(bread, new_site, tmp_path_factory):
    """Bakeries with five days on one site; the declarations of the model differ."""
    site = new_site()
    days = [*bread.DAYS, bread.DAYS[-1] + timedelta(days=1)]
    for day in days:
        site.put(day, bread.visits(day))
    made = []

    def make(model, lake=None):
        bakery = bread.Bakery(tmp_path_factory.mktemp("road"), {**bread.DECLARATIONS, "baker": model}, on_disk=True)
        bakery.lake = lake or bakery.lake
        made.append(bakery)
        return bakery

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAKERY_URL", site.url)
        patch.setenv("SLUICE_PII_KEY", bread.KEY)
        yield make
        for bakery in made:
            bakery.close()


@pytest.fixture(scope="module")
def road(bread, new_road):
    """One bakery whose model was published and has recommended."""
    bakery = new_road(bread.DECLARATIONS["baker"] + LAX)
    bakery.models = Path(bakery.lake.root) / "models" / "baker"
    assert bakery.run(bread.DATA, bread.FIRST, bread.DAYS[-1] + timedelta(days=1)).failures == {}
    bakery.outcome = bakery.run(ROAD, bread.DAYS[-1])
    return bakery


def recommended(road, day):
    return road.lake.scan(RECOMMENDATIONS, start=day, end=day).collect().sort("user_id", "rank")


@contextmanager
def put_back(path):
    """Whatever happens to a file, it is as it was afterwards."""
    kept = path.with_suffix(".kept")
    shutil.copyfile(path, kept)
    try:
        yield kept
    finally:
        kept.replace(path)


def test_one_run_leads_from_examples_to_recommendations(road, bread):
    day = bread.DAYS[-1].isoformat()
    assert road.outcome.failures == {}
    assert [road.outcome.materialized(asset)[day]["status"] for asset in ROAD] == ["published"] * 4
    assert road.outcome.checks("baker")[day, "blessed"].passed
    assert road.outcome.checks("baker__candidates")[day, "beats_popularity"].metadata
    current = champion(road.lake.models("baker"))
    assert current.version.startswith(day)
    assert road.outcome.materialized(RECOMMENDATIONS)[day]["model_version"] == current.version
    card = json.loads((current.path / "card.json").read_text())
    assert card["verdict"]["candidate"] in {"int8", "pruned_int8"}
    assert (current.path / MODEL_FILE).read_bytes() == next(
        path.read_bytes() for path in road.models.rglob(f"candidates/{card['verdict']['candidate']}/{MODEL_FILE}")
    )


def test_everybody_gets_the_best_items_in_their_order(road, bread):
    day = bread.DAYS[-1]
    found = recommended(road, day)
    assert found["user_id"].n_unique() == road.rows("sales")["user_id"].n_unique()
    assert found.group_by("user_id").agg(pl.col("rank")).select(pl.col("rank").list.sort() == [1, 2, 3])["rank"].all()
    assert not found.select("user_id", "item_id").is_duplicated().any()
    assert found.select((pl.col("score").diff() <= 0).over("user_id"))["score"].drop_nulls().all()
    assert found["score"].is_between(0, 1).all()
    assert set(found["item_id"]) <= set(road.rows("sales")["item_id"])
    assert found["model_version"].unique().to_list() == [champion(road.lake.models("baker")).version]


def origins(road, asset, column):
    """The columns that nothing materialised comes from, which a column leads back to."""
    shown = road.instance.get_latest_materialization_event(dg.AssetKey(asset)).asset_materialization.metadata
    lineage = shown.get("dagster/column_lineage")
    before = lineage.value.deps_by_column.get(column, ()) if lineage else ()
    if not before:
        return {(asset, column)}
    found = [origins(road, dep.asset_key.to_user_string(), dep.column_name) for dep in before]
    return set().union(*found)


def test_each_file_of_the_lake_is_of_one_kind_that_says_whether_it_can_hold_a_person(road):
    root = Path(road.lake.root)
    files = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    found = {path: list(place_of(path)) for path in files}
    assert {path: kinds for path, kinds in found.items() if len(kinds) != 1} == {}
    assert {kind for kinds in found.values() for kind in kinds} >= {
        "landed files",
        "rows",
        "reports",
        "training runs",
        "published models",
        "champions",
    }


def test_every_input_of_the_model_leads_back_to_the_fields_that_the_site_sends(road):
    shown = road.instance.get_latest_materialization_event(dg.AssetKey("baker")).asset_materialization.metadata
    inputs = shown["dagster/column_lineage"].value.deps_by_column
    assert {name.split("__")[0] for name in inputs} == {"user_id", "item_id", "user_id_item_id"}
    fields = {
        name: {field for asset, field in origins(road, "baker", name) if asset == "visits__landing"} for name in inputs
    }
    assert fields["item_id__vocabulary"] == {"item_id"}
    assert fields["user_id__view__1d"] == {"user_id", "event_type"}
    assert fields["user_id_item_id__recency"] == {"user_id", "item_id", "ts"}
    # What a recommendation says is known to come from the same.
    assert origins(road, RECOMMENDATIONS, "user_id") == {("visits__landing", "user_id")}


@pytest.mark.filterwarnings("ignore:Parameter .execution_type. of function .AssetsDefinition")
def test_every_table_of_the_lake_has_the_columns_that_its_asset_declares(road):
    declared = {}
    for spec in road.definitions().resolve_all_asset_specs():
        shape = spec.metadata
        if "dagster/column_schema" in shape:
            declared[shape["dagster/table_name"]] = {
                column.name: column.type for column in shape["dagster/column_schema"].columns
            }
    assert RECOMMENDATIONS in declared
    for table, columns in declared.items():
        if not road.lake.exists(table):
            assert table.endswith("__quarantine"), f"{table} was never written"
            continue
        folder = f"{road.lake.root}/tables/{table}"
        assert {field.name for field in DeltaTable(folder).schema().fields} == set(columns), table
        read = pl.scan_delta(folder).collect_schema()
        assert {name: str(dtype).partition("(")[0] for name, dtype in read.items()} == {
            name: dtype.partition("(")[0] for name, dtype in columns.items()
        }, table


def test_a_second_run_changes_nothing(road, bread):
    before = (road.versions(), champion(road.lake.models("baker")))
    again = road.run(ROAD, bread.DAYS[-1])
    assert again.failures == {}
    assert {again.materialized(asset)[bread.DAYS[-1].isoformat()]["status"] for asset in ROAD} == {"unchanged"}
    assert (road.versions(), champion(road.lake.models("baker"))) == before


def test_it_is_the_blessed_file_that_recommends(road, bread):
    day = bread.DAYS[-1]
    before = recommended(road, day)
    current = champion(road.lake.models("baker"))
    weights, file = current.path / "float" / "weights.h5", current.path / MODEL_FILE
    blessed = file.read_bytes()
    (other,) = {
        path.read_bytes() for path in road.models.rglob(f"candidates/*/{MODEL_FILE}") if "int8" in path.parent.name
    } - {blessed}
    with put_back(weights), put_back(file):
        weights.write_bytes(b"")
        assert road.run((RECOMMENDATIONS,), day, force=True).failures == {}
        assert recommended(road, day).equals(before), "the float model has no part in it"
        file.write_bytes(other)
        assert road.run((RECOMMENDATIONS,), day, force=True).failures == {}
        assert not recommended(road, day)["score"].equals(before["score"])
        other_scores = recommended(road, day)
        file.write_bytes(blessed[: len(blessed) // 2])
        damaged = road.run((RECOMMENDATIONS,), day, force=True)
        assert list(damaged.failures) == [RECOMMENDATIONS]
        assert MODEL_FILE in damaged.log()
        assert recommended(road, day).equals(other_scores), "the last good partition stands"
    assert road.run((RECOMMENDATIONS,), day, force=True).failures == {}
    assert recommended(road, day).equals(before)


def statuses(outcome, day):
    return {asset: metadata[day.isoformat()]["status"] for asset in ROAD if (metadata := outcome.materialized(asset))}


@pytest.mark.parametrize(
    ("changed", "made_anew"),
    [
        ("bless: {max_drop_vs_float: 1, max_drop_vs_champion: 1, max_bytes_ratio: 8}", {"baker"}),
        ("recommend: {k: 2}", {RECOMMENDATIONS}),
        ("evaluate: {users: 11, k: 3}", {"baker__candidates", "baker"}),
    ],
)
def test_a_change_of_the_declaration_makes_only_the_phases_anew_that_read_it(road, new_road, bread, changed, made_anew):
    day, before = bread.DAYS[-1], champion(road.lake.models("baker"))
    key = changed.partition(":")[0]
    text = "".join(line if line.strip().partition(":")[0] != key else f"  {changed}\n" for line in LAX.splitlines(True))
    other = new_road(bread.DECLARATIONS["baker"] + text, road.lake)
    outcome = other.run(ROAD, day)
    assert outcome.failures == {}
    found = statuses(outcome, day)
    assert {asset for asset, status in found.items() if status == "published"} == made_anew
    assert champion(road.lake.models("baker")) == before, "the same file is the same version"
    assert road.run(ROAD, day).failures == {}


def test_recommendations_are_made_anew_with_what_they_rank_by(road, bread):
    day = bread.DAYS[-1]
    daily = road.lake.published("portions__daily", day)
    frame = road.lake.scan("portions__daily", start=day, end=day)
    changed = road.lake.stage("portions__daily", day, frame.drop("date"), digest="ab" * 16, run_id="by hand")
    road.lake.publish(changed)
    assert statuses(road.run((RECOMMENDATIONS,), day), day) == {RECOMMENDATIONS: "published"}
    back = road.lake.stage("portions__daily", day, frame.drop("date"), digest=daily.digest, run_id="by hand")
    road.lake.publish(back)
    assert statuses(road.run((RECOMMENDATIONS,), day), day) == {RECOMMENDATIONS: "published"}
    assert statuses(road.run((RECOMMENDATIONS,), day), day) == {RECOMMENDATIONS: "unchanged"}


def test_a_model_of_an_older_day_is_kept_and_leaves_the_newer_champion(road, bread):
    day, before = bread.DAYS[-2], champion(road.lake.models("baker"))
    outcome = road.run(ROAD[:3], day, force=True)
    assert outcome.failures == {}
    assert champion(road.lake.models("baker")) == before
    told = outcome.materialized("baker")[day.isoformat()]
    assert told["champion"] == before.version
    assert f"was trained as of {day}" in told["why_it_is_not_the_champion"]
    assert "has been champion since" in outcome.log()
    assert (road.models / "versions" / told["version"] / MODEL_FILE).is_file()


def test_without_a_blessing_the_champion_stays_and_nothing_is_recommended(road, new_road, bread):
    day = bread.DAYS[-1] + timedelta(days=1)
    before = champion(road.lake.models("baker"))
    strict = new_road(bread.DECLARATIONS["baker"].replace("workers: 2", "workers: 1") + STRICT, road.lake)
    refused = strict.run(ROAD, day)
    assert list(refused.failures) == ["baker"]
    assert "misses the declared minimum 1" in refused.failures["baker"]
    assert not refused.checks("baker")[day.isoformat(), "blessed"].passed
    assert refused.materialized("baker") == {}
    assert champion(road.lake.models("baker")) == before
    assert recommended(road, day).is_empty()


def test_a_champion_that_is_rolled_back_recommends_again_and_stays(road, new_road, bread):
    first, day = champion(road.lake.models("baker")), bread.DAYS[-1] + timedelta(days=1)
    outcome = road.run(ROAD, day)
    assert outcome.failures == {}
    second = champion(road.lake.models("baker"))
    assert second.version.startswith(day.isoformat())
    assert second.history == (first.version, second.version)
    assert [one.by.split()[0] for one in second.record.switches] == ["run", "run"]
    measured = json.loads((second.path / "card.json").read_text())["evaluation"]["candidates"]
    assert "champion" in {row["kind"] for row in measured}, "a candidate is measured beside the champion of its time"
    command = [sys.executable, "-m", "training", "rollback", str(road.models), "--by", "ana", "--reason", "too sweet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    again = road.run((RECOMMENDATIONS,), day)
    assert again.failures == {}
    assert recommended(road, day)["model_version"].unique().to_list() == [first.version]
    assert statuses(road.run(ROAD, day), day) == dict.fromkeys(ROAD, "unchanged")
    assert champion(road.lake.models("baker")).version == first.version, "a decision that nobody asked for leaves it"
    other = new_road(bread.DECLARATIONS["baker"] + LAX.replace("max_bytes_ratio: 9", "max_bytes_ratio: 8"), road.lake)
    held = other.run(("baker",), day)
    assert "rolled back by ana (too sweet)" in held.materialized("baker")[day.isoformat()]["why_it_is_not_the_champion"]
    assert champion(road.lake.models("baker")).version == first.version
    assert road.run(("baker",), day, force=True, by="ben").failures == {}
    asked = champion(road.lake.models("baker")).record.current
    assert (asked.version, asked.by) == (second.version, "ben")
