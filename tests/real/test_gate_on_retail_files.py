"""The worked example of the Polars engine's README, run as it stands on the real files and counted again with csv."""

from __future__ import annotations

import csv
import gzip
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.online_retail import data

README = data.PROJECT / "expectations" / "polars_engine" / "README.md"
DOCS = "Data Docs: file://"

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(data.missing() is not None, reason=data.missing() or ""),
]


def block(opening: str) -> str:
    """The one block of the README that opens so."""
    (found,) = re.findall(rf"```{re.escape(opening)}\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    home = tmp_path_factory.mktemp("retail")
    (home / "retail.py").write_text(block("python file=retail.py"), encoding="utf-8")
    known = {"ONLINE_RETAIL": str(data.folder()), "PYTHONPATH": str(data.PROJECT)}
    done = subprocess.run(
        [sys.executable, "retail.py"],
        cwd=home,
        env={**os.environ, **known},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return done.stdout.splitlines()


def lines() -> Iterator[dict[str, str]]:
    for path in sorted(data.folder().glob("????-??-??.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def counted() -> Counter[str]:
    """Rows by what is remarkable about them, by the csv module alone."""
    counts: Counter[str] = Counter()
    seen: Counter[tuple[str, ...]] = Counter()
    for row in lines():
        cancelled = row["InvoiceNo"].startswith("C")
        quantity, price = int(row["Quantity"]), float(row["UnitPrice"])
        counts["rows"] += 1
        counts["no customer"] += not row["CustomerID"]
        counts["adjustments"] += not re.fullmatch("C?[0-9]{6}", row["InvoiceNo"])
        counts["charges"] += not re.fullmatch("[0-9]{5}[A-Za-z]{0,2}", row["StockCode"])
        counts["cancelled"] += cancelled
        counts["sold less than nothing"] += quantity < 1 and not cancelled
        counts["cancelled more than nothing"] += quantity > -1 and cancelled
        counts["negative price"] += price < 0
        counts["no price"] += price == 0
        seen[tuple(row.values())] += 1
    counts["twins"] = sum(number for number in seen.values() if number > 1)
    return counts


def test_it_prints_what_the_readme_says(printed: list[str]) -> None:
    assert printed[:-1] == block("text").splitlines()
    page = Path(printed[-1].removeprefix(DOCS))
    assert printed[-1].startswith(DOCS)
    validations = list((page.parent / "validations").rglob("*.html"))
    assert len(validations) == 1
    assert "1336" in validations[0].read_text(encoding="utf-8").replace(",", "")


def test_its_figures_are_those_of_the_csv_module(printed: list[str], counted: Counter[str]) -> None:
    found = [line.split(" | ") for line in printed if line.count(" | ") == 3]
    rows = counted["rows"]
    sold = rows - counted["cancelled"]
    expected = [
        ("CustomerID", "no customer", rows, "met" if counted["no customer"] <= 0.3 * rows else "critical"),
        ("InvoiceNo", "adjustments", rows, "critical"),
        ("StockCode", "charges", rows, "met" if counted["charges"] <= 0.01 * rows else "critical"),
        ("Quantity", "sold less than nothing", sold, "warning"),
        ("Quantity", "cancelled more than nothing", counted["cancelled"], "met"),
        ("UnitPrice", "negative price", rows, "critical"),
        ("UnitPrice", "no price", rows, "met" if counted["no price"] <= 0.01 * rows else "critical"),
        ("-", "twins", rows, "info"),
    ]
    figures = [(column, seen, state) for state, _, column, seen in found if " of " in seen]
    assert figures == [(column, f"{counted[what]:,} of {of:,}", state) for column, what, of, state in expected]
    # Each kind is there, so that nothing above compared nothing with nothing.
    assert all(counted[what] for _, what, _, _ in expected if what != "cancelled more than nothing")


def test_its_extremes_are_the_first_and_the_last_moment(printed: list[str]) -> None:
    moments = sorted(row["InvoiceDate"] for row in lines())
    observed = [line.split(" | ")[3] for line in printed if "_to_be_between | InvoiceDate |" in line]
    assert observed == [moments[0], moments[-1]]
