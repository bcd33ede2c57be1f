"""The first month of UCI Online Retail, crawled and published for real, counted again with the csv module."""

import csv
import gzip
import importlib
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from dagster import DagsterRunStatus
from dagster._utils.warnings import disable_dagster_warnings
from dagster.components.core.component_tree import ComponentTree
from rich.console import Console

from assets.components import Features, Model
from assets.features.spec import SplitSpec
from assets.lake import Lake
from assets.stages.model.compare import compare
from assets.stages.model.decide import decide
from assets.stages.model.inputs import ModelInputs, Request
from assets.stages.model.train import train
from crawlers.landing import landed
from crawlers.quarantine import QUARANTINE_SCHEMA
from orchestration.report import accounting_table, functions_table
from tests.real.online_retail import data
from tests.real.online_retail.__main__ import CHAIN, DATA, main, materialize, settle
from tests.real.online_retail.definitions import DEFS_MODULE
from tests.real.online_retail.site import Site, serve
from training.families import Ranker
from training.publish import champion

DAYS = data.days(date(2010, 12, 1), date(2010, 12, 23))
CLOSED = [day for day in DAYS if day.weekday() == 5]
CHARGES = {"POST", "DOT", "C2", "M", "D", "CRUK", "BANK CHARGES"}
TABLES = (
    "retail_invoices__raw",
    "retail_invoices__quarantine",
    "retail_events",
    "retail_events__quarantine",
    "retail_satisfaction",
    "retail_examples__daily",
    "retail_examples",
)

needs_data = pytest.mark.skipif(data.missing() is not None, reason=data.missing() or "")
pytestmark = pytest.mark.real


@dataclass
class Product:
    """The days as published, and what it took."""

    lake: Lake
    home: Path
    site: Site
    instance: dg.DagsterInstance

    def backfill(self) -> tuple[DagsterRunStatus, tuple[str, ...]]:
        with io.StringIO() as sink:
            watched = materialize(
                DATA,
                ["--partition-range", f"{DAYS[0]}...{DAYS[-1]}"],
                instance=self.instance,
                console=Console(file=sink),
                log=self.home / "run.log",
                url=self.site.url,
            )
        return watched.run.status, watched.failures

    def digests(self) -> dict[str, dict[date, str]]:
        return {table: {day: e.digest for day, e in self.lake.published_days(table).items()} for table in TABLES}

    def versions(self) -> dict[str, int]:
        return {table: self.lake.version(table) for table in TABLES}


@dataclass
class Counted:
    """What became of the lines of a day file, by the csv module alone."""

    lines: int
    rejected: Counter[str]
    duplicates: int
    kept: list[dict[str, str]]


@pytest.fixture(scope="module")
def product(tmp_path_factory) -> Iterator[Product]:
    home = tmp_path_factory.mktemp("retail")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in settle(home).items():
            environment.setenv(name, value)
        with serve(data.folder()) as site, dg.DagsterInstance.get() as instance:
            made = Product(Lake(str(home / "lake")), home, site, instance)
            status, failures = made.backfill()
            assert (status, failures) == (DagsterRunStatus.SUCCESS, ()), (home / "run.log").read_text()[-5000:]
            yield made


@pytest.fixture(scope="module")
def counted() -> dict[date, Counted]:
    return {day: count(day) for day in DAYS}


def count(day: date) -> Counted:
    path = data.folder() / f"{day}.csv.gz"
    rows: list[dict[str, str]] = []
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    rejected: Counter[str] = Counter()
    kept: dict[tuple[str, ...], dict[str, str]] = {}
    duplicates = 0
    for row in rows:
        assert datetime.fromisoformat(row["InvoiceDate"]).date() == day
        reason = broken(row)
        if reason:
            rejected[reason] += 1
        elif (key := tuple(row.values())) in kept:
            duplicates += 1
        else:
            kept[key] = row
    return Counted(len(rows), rejected, duplicates, list(kept.values()))


def broken(row: dict[str, str]) -> str | None:
    if not row["CustomerID"]:
        return "no_customer"
    if float(row["UnitPrice"]) <= 0:
        return "price_not_positive"
    if row["StockCode"] in CHARGES:
        return "not_a_product"
    if abs(int(row["Quantity"])) > 10_000:
        return "impossible_quantity"
    return None


@needs_data
@pytest.mark.slow
def test_every_line_is_accounted_for(product, counted):
    assert sum(not one.lines for one in counted.values()) == len(CLOSED)
    assert len(DAYS) - len(CLOSED) == 20
    for day, truth in counted.items():
        raw = product.lake.ledger("retail_invoices__raw", day)["report"]["accounting"]
        assert raw == {"rows_in": truth.lines, "rows_out": truth.lines, "quarantined": {}, "removed": {}}
        clean = product.lake.ledger("retail_events", day)["report"]["accounting"]
        removed = {"duplicate": truth.duplicates} if truth.duplicates else {}
        assert clean == {
            "rows_in": truth.lines,
            "rows_out": len(truth.kept),
            "quarantined": dict(truth.rejected),
            "removed": removed,
        }
    # The month has of everything, so that nothing above compared nothing with nothing.
    rejected = sum((one.rejected for one in counted.values()), Counter())
    assert set(rejected) == {"no_customer", "price_not_positive", "not_a_product"}
    assert sum(one.duplicates for one in counted.values()) > 100


@needs_data
@pytest.mark.slow
def test_the_rows_are_those_of_the_files(product, counted):
    events = product.lake.scan("retail_events").collect()
    by_day = dict(events.group_by("date").len().iter_rows())
    assert by_day == {day: len(truth.kept) for day, truth in counted.items() if truth.kept}
    kept = [row for truth in counted.values() for row in truth.kept]
    lines = Counter(
        (row["InvoiceNo"], row["StockCode"], row["Description"], int(row["Quantity"]), float(row["UnitPrice"]))
        for row in kept
    )
    columns = ["InvoiceNo", "item_id", "Description", "Quantity", "UnitPrice"]
    assert Counter(events.select(columns).iter_rows()) == lines
    returned = sum(int(row["Quantity"]) < 0 for row in kept)
    assert returned > 0
    assert dict(events.group_by("event_type").len().iter_rows()) == {
        "return": returned,
        "purchase": len(kept) - returned,
    }
    assert events.filter(pl.col("pieces") != pl.col("Quantity").abs()).is_empty()
    assert all(no.startswith("C") for no in events.filter(pl.col("event_type") == "return")["InvoiceNo"])
    quarantine = product.lake.scan("retail_events__quarantine").collect()
    assert set(QUARANTINE_SCHEMA) <= set(quarantine.columns)
    assert Counter(quarantine["reason"]) == sum((one.rejected for one in counted.values()), Counter())
    assert quarantine.select("_file", "_line").is_unique().all()


@needs_data
@pytest.mark.slow
def test_days_without_a_file_are_empty_partitions(product):
    assert [day.isoformat() for day in CLOSED] == ["2010-12-04", "2010-12-11", "2010-12-18"]
    for day in CLOSED:
        manifest = landed(product.lake.store, "retail_invoices", day)
        assert (manifest.complete, manifest.finish_reason, manifest.files) == (True, "no_files", ())
    for table in TABLES:
        published = product.lake.published_days(table)
        assert sorted(published) == DAYS
        assert {published[day].rows for day in CLOSED} == {0}
    assets = (
        "retail_invoices__landing",
        "retail_invoices__raw",
        "retail_events",
        "retail_satisfaction",
        "retail_examples",
    )
    for asset in assets:
        made = product.instance.get_materialized_partitions(dg.AssetKey(asset))
        assert made == {day.isoformat() for day in DAYS}, asset


@needs_data
@pytest.mark.slow
def test_the_report_condenses_the_month(product, counted):
    lines = sum(truth.lines for truth in counted.values())
    kept = sum(len(truth.kept) for truth in counted.values())
    with io.StringIO() as page:
        console = Console(file=page, width=160)
        console.print(accounting_table(product.lake, CHAIN, DAYS, by="month"))
        console.print(functions_table(product.lake, CHAIN.labels, DAYS))
        text = page.getvalue()
    (month,) = (line for line in text.splitlines() if "2010-12" in line)
    cells = [cell.strip() for cell in month.split("│")[1:-1]]
    assert cells[:3] == ["2010-12", str(lines), str(kept)]
    assert "passed, 3 of 23 days without a file" in cells[-1]
    assert "bought_again" in text


@needs_data
@pytest.mark.slow
def test_customers_are_known_by_hash_only(product, counted):
    customers = {row["CustomerID"] for truth in counted.values() for row in truth.kept}
    users = set(product.lake.scan("retail_events").select(pl.col("user_id").unique()).collect()["user_id"])
    assert len(users) == len(customers)
    assert not users & (customers | {customer.removesuffix(".0") for customer in customers})
    records = product.lake.scan("retail_events__quarantine").select("record").collect()["record"].drop_nulls()
    known = [json.loads(record)["user_id"] for record in records]
    assert set(known) - {None}
    assert set(known).isdisjoint(customers)


@needs_data
@pytest.mark.slow
def test_labels_are_plausible(product):
    labels = product.lake.scan("retail_satisfaction").collect()
    assert labels["covered"].all()
    assert labels["probability"].is_between(0, 1).all()
    assert 0.9 < (labels["label"] == "satisfied").mean() < 0.995
    satisfied = labels.group_by((pl.col("returns") > 0).alias("returned")).agg(
        (pl.col("label") == "satisfied").mean().alias("share"), pl.len()
    )
    share = {returned: share for returned, share, _ in satisfied.iter_rows()}
    assert share[True] < 0.1
    assert share[False] > 0.98
    again = labels.filter((pl.col("previous_purchases") > 0) & (pl.col("purchases") > 0) & (pl.col("returns") == 0))
    assert again.height > 100
    assert again["probability"].mean() > labels["probability"].mean()


@needs_data
@pytest.mark.slow
def test_a_second_run_fetches_and_changes_nothing(product):
    fetched = product.site.files(200)
    assert len(fetched) == len(set(fetched)) == 20
    before = product.digests(), product.versions()
    rows = product.lake.scan("retail_examples").collect()
    product.site.served.clear()
    assert product.backfill() == (DagsterRunStatus.SUCCESS, ())
    assert product.site.files(200) == []
    assert sorted(product.site.files(304)) == sorted(fetched)
    assert (product.digests(), product.versions()) == before
    assert product.lake.scan("retail_examples").collect().equals(rows)


@needs_data
@pytest.mark.slow
def test_a_small_model_learns_from_the_month(product, tmp_path):
    inputs = small_model()
    day = DAYS[-1]

    def launch(task: Mapping[str, Any]) -> None:
        spec = tmp_path / f"{task['task']}.json"
        spec.write_text(json.dumps(task), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "training", str(spec)], capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr[-5000:]

    request = Request("run")
    trained = train(product.lake, inputs, day, launch, request)
    assert [len(part["days"]) for part in trained.report["parts"].values()] == [14, 2, 4]
    compared = compare(product.lake, inputs, day, launch, request)
    measured = {row["name"]: row for row in compared.report["evaluation"]["candidates"]}
    float_model = next(row for name, row in measured.items() if "float" in name)
    assert float_model["auc"] > 0.6
    assert min(row["bytes"] for row in measured.values() if row.get("bytes")) < 0.5 * float_model["bytes"]
    decided = decide(product.lake, inputs, day, request)
    assert decided.status == "published", decided.message
    assert champion(product.lake.models(inputs.model.name)).version.startswith(day.isoformat())


def small_model() -> ModelInputs:
    """The declared road, but for a split that a month can fill and a network that trains in seconds."""
    tree = ComponentTree.from_module(defs_module=importlib.import_module(DEFS_MODULE), project_root=data.PROJECT)
    with disable_dagster_warnings():
        tree.build_defs()
        (declared,), (features,) = (tree.get_all_components(of_type=kind) for kind in (Model, Features))
        inputs = features.inputs(tree.load_context)
    small = {
        "workers": 1,
        "epochs": 1,
        "family": Ranker(hidden=(32,)),
        "evaluate": declared.spec.evaluate.model_copy(update={"users": 50}),
    }
    return ModelInputs(
        declared.spec.model_copy(update=small),
        features.spec.model_copy(update={"split": SplitSpec(validation="2d", test="4d")}),
        inputs,
    )


def test_a_missing_folder_is_said_in_plain_words(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(data.VARIABLE, str(tmp_path))
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Skipped: ")
    assert str(tmp_path / "online-retail") in printed
    assert data.VARIABLE in printed
