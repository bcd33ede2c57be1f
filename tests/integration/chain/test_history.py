"""A history through Dagster: landed and split as one, then materialised day by day like any other source."""

import dagster as dg

CRAWL = """\
  history: true
  crawl: {kind: folder, path: %s, files: "*.gz"}
"""


def as_history(bread, folder):
    text = bread.DECLARATIONS["visits"]
    start, end = text.index("  crawl:"), text.index("  format:")
    return text[:start] + CRAWL % folder + text[end:]


def test_days_are_materialised_from_one_file_of_many_days(bread, new_bakery, tmp_path, monkeypatch):
    monkeypatch.setenv("SLUICE_PII_KEY", bread.KEY)
    archive = tmp_path / "archive"
    archive.mkdir()
    records = [bread.event(day, number) for number in range(40) for day in bread.DAYS]
    (archive / "2026.jsonl.gz").write_bytes(bread.packed([*records, bread.event(bread.DAYS[0], 99, ts="yesterday")]))
    bakery = new_bakery(visits=as_history(bread, archive))
    job = bakery.definitions().resolve_implicit_global_asset_job_def()
    made = job.execute_in_process(
        instance=bakery.instance,
        asset_selection=[dg.AssetKey("visits__landing"), dg.AssetKey("visits__history")],
        raise_on_error=False,
    )
    assert made.success
    (shown,) = [
        event.step_materialization_data.materialization.metadata
        for event in made.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("visits__history")
    ]
    assert (shown["days"].value, shown["rows_in"].value, shown["quarantined"].value) == (4, 161, 1)
    lineage = shown["dagster/column_lineage"].value.deps_by_column
    assert [(dep.asset_key.path[-1], dep.column_name) for dep in lineage["item_id"]] == [("visits__landing", "item_id")]
    outcome = bakery.run(["visits__raw", "sales"], bread.DAYS[0], bread.DAYS[-1])
    assert outcome.failures == {}
    raw = outcome.result.asset_materializations_for_node("visits__raw")[0].metadata["dagster/column_lineage"].value
    assert [(dep.asset_key.path[-1], dep.column_name) for dep in raw.deps_by_column["user_id"]] == [
        ("visits__history", "user_id")
    ]
    counts = bakery.rows("sales").group_by("date").len().sort("date").rows()
    assert counts == [(day, 40) for day in bread.DAYS]


def test_a_history_that_is_not_there_fails_and_says_what_to_do(bread, new_bakery, tmp_path, monkeypatch):
    monkeypatch.setenv("SLUICE_PII_KEY", bread.KEY)
    bakery = new_bakery(visits=as_history(bread, tmp_path / "nowhere"))
    job = bakery.definitions().resolve_implicit_global_asset_job_def()
    made = job.execute_in_process(
        instance=bakery.instance,
        asset_selection=[dg.AssetKey("visits__landing"), dg.AssetKey("visits__history")],
        raise_on_error=False,
    )
    assert not made.success
    (failed,) = made.get_step_failure_events()
    assert "nowhere" in failed.step_failure_data.user_failure_data.description
    outcome = bakery.run(["visits__raw"], bread.DAYS[0])
    assert "materialise visits__history" in " ".join(outcome.failures.values()).lower()
