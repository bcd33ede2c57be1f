from datetime import date

import dagster as dg
import polars as pl

from assets.components import metadata
from assets.stages.day import DayResult


def test_columns_have_readable_types_and_descriptions():
    schema = {"ts": pl.Datetime("us", "UTC"), "item_id": pl.String(), "_line": pl.Int64()}
    shown = metadata.definition(schema, "shop_events", {"item_id": "What was looked at", "ts": ""})
    columns = {column.name: column for column in shown["dagster/column_schema"].columns}
    assert list(columns) == ["date", "ts", "item_id", "_line"]
    assert columns["ts"].type == "Datetime(us, UTC)"
    assert columns["item_id"].description == "What was looked at"
    assert columns["_line"].description


def test_a_local_report_is_a_path_to_copy_because_no_browser_follows_it():
    report = {"digest": "abc", "data_docs_url": "file:///lake/two%20words/index.html", "gate": "passed"}
    shown = metadata.rows(DayResult(date(2026, 1, 1), "published", report))
    assert shown["data_docs"] == dg.MetadataValue.path("/lake/two words/index.html")
    assert list(shown)[-1] == "digest"


def test_a_report_on_a_server_is_a_link():
    shown = metadata.rows(DayResult(date(2026, 1, 1), "published", {"data_docs_url": "https://docs.example/1"}))
    assert shown["data_docs_url"] == dg.MetadataValue.url("https://docs.example/1")


def test_cells_of_tables_are_plain():
    record = metadata.table([{"function": "bought", "polarity": ["engaged", "ignored"], "share": 1 / 3}]).records[0]
    assert record.data == {"function": "bought", "polarity": "engaged, ignored", "share": 0.333333}
