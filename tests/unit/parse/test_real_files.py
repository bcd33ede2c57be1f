import csv
import gzip
import io
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "online-retail"
COLUMNS = {
    "InvoiceNo": {"type": "string", "required": True},
    "StockCode": {"type": "string", "required": True},
    "Description": {"type": "string"},
    "Quantity": {"type": "integer", "required": True},
    "InvoiceDate": {"type": "datetime", "required": True, "formats": ["%Y-%m-%d %H:%M:%S"]},
    "UnitPrice": {"type": "float", "required": True},
    "CustomerID": {"type": "integer", "pii": "hash"},
    "Country": {"type": "string", "required": True},
}


@pytest.mark.real
@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the folder of real day files, {FOLDER}, is not here")
def test_real_invoice_lines_load_to_the_row(parse):
    files = {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.csv.gz"))[:40]}
    expected = [row for body in files.values() for row in csv.DictReader(io.StringIO(gzip.decompress(body).decode()))]
    parsed = parse(files, COLUMNS, kind="csv")
    records = parsed.records.collect()
    assert (parsed.accounting.rows_in, records.height) == (len(expected), len(expected))
    assert records["Quantity"].to_list() == [int(row["Quantity"]) for row in expected]
    assert records["UnitPrice"].to_list() == [float(row["UnitPrice"]) for row in expected]
    assert records["Description"].to_list() == [row["Description"] or None for row in expected]
    assert records["CustomerID"].null_count() == sum(not row["CustomerID"] for row in expected)
