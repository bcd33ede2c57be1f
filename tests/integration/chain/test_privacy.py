"""Marked values of persons, planted wherever a site can put them, are nowhere but in landing, and hashed ones only in
tables: not in reports, Data Docs, the run history or what the terminal shows.
"""

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from crawlers.parse import hash_value

pytestmark = pytest.mark.slow

MARK = "zx9-marked-person"
MAIL = f"{MARK}@bakery.example"
# A column that nobody declared personal holds what it holds; errors and reports do not repeat it.
NOTED = "zx8-noted-by-hand"

GATE = """\
    - expect_column_values_to_match_regex: {column: user_id, regex: '^nobody$', severity: warning}
    - expect_column_distinct_values_to_be_in_set: {column: user_id, value_set: [x], severity: warning}
    - expect_column_values_to_be_unique: {column: user_id, severity: warning}
    - expect_column_pair_values_to_be_equal: {column_A: user_id, column_B: item_id, severity: warning}
    - expect_column_values_to_be_in_set: {column: item_id, value_set: [bread-1], severity: warning}
    - history: {columns: [user_id, event_type], watch: [null_share]}
"""


@pytest.fixture(scope="module")
def planted(bread, new_site, tmp_path_factory):
    """A day whose gate looks at persons and fails, and a day whose step dies of a value."""
    first, second = bread.DAYS[0], bread.DAYS[0] + timedelta(days=1)
    site = new_site()
    odd = [
        bread.event(first, 500, Email=MAIL, mail=MAIL, note="plain"),
        bread.event(first, 501, device={"owner": {"email": MAIL}}, note="plain"),
        bread.event(first, 502, tags=[MAIL, {"of": MAIL}], note="plain"),
        bread.event(first, 503, **{MAIL: "as a name"}, note="plain"),
        bread.event(first, 504, item_id=None, referrer=f"https://shop.example/?user={MAIL}"),
        bread.event(first, 505, ts=MAIL),
        bread.event(first, 506, event_type=MAIL),
        bread.event(first, 507, user_id=[MAIL]),
    ]
    broken = b'{"event_id": "1", "email": "%s"\n' % MAIL.encode()
    long = b'{"event_id": "%s"}\n' % (MAIL.encode() * 2_500_000)
    plain = [bread.event(first, number, note="7") for number in range(40)]
    site.put(first, plain, bread.lines(odd) + broken, long)
    noted = [bread.event(second, 99, note=NOTED)]
    site.put(second, [*(bread.event(second, number, note="7") for number in range(40)), *noted])
    source = bread.DECLARATIONS["visits"].replace("      email: ", "      note:       {type: string}\n      email: ")
    derive = "    - derive: {columns: {noted: \"cast(nullif(note, 'plain') as double)\"}}\n"
    table = bread.DECLARATIONS["sales"].replace("    - sessionize:", f"{derive}    - sessionize:")
    table = table.replace("  gate:\n", f"  gate:\n{GATE}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAKERY_URL", site.url)
        patch.setenv("SLUICE_PII_KEY", bread.KEY)
        declared = {**bread.DECLARATIONS, "visits": source, "sales": table}
        bakery = bread.Bakery(tmp_path_factory.mktemp("planted"), declared, on_disk=True)
        bakery.days = (first, second)
        bakery.outcome = bakery.run(bread.DATA, first, second)
        yield bakery
        bakery.close()


def contents(folder):
    """Every file below a folder as bytes, with the text columns of Parquet spelt out."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += pl.read_parquet(path, hive_partitioning=False).write_json().encode()
        yield path, content


def test_the_first_day_is_published_and_the_second_dies_of_a_value(planted):
    first, second = (day.isoformat() for day in planted.days)
    checks = planted.outcome.checks("sales")
    assert checks[first, "published"].passed
    assert not checks[second, "published"].passed
    failed = str(checks[second, "published"].description)
    assert "note" in failed, failed
    assert {row["reason"] for row in planted.rows("visits__quarantine").to_dicts()} >= {
        "not_json",
        "wrong_type",
        "line_too_long",
        "missing_required",
        "not_allowed",
    }


def test_plain_values_of_persons_are_in_landing_only(planted):
    root = Path(planted.lake.root)
    found = {path.relative_to(root).parts[0] for path, content in contents(root) if MARK.encode() in content}
    # What landed is gzipped but for one file.
    assert found == {"landing"}
    assert not [path for path, content in contents(planted.home) if MARK.encode() in content]
    assert MARK not in planted.outcome.log()


def test_what_a_step_died_of_is_not_repeated(planted):
    root = Path(planted.lake.root)
    found = {path.relative_to(root).parts[0] for path, content in contents(root) if NOTED.encode() in content}
    assert found <= {"landing", "tables"}
    assert not [path for path, content in contents(planted.home) if NOTED.encode() in content]
    assert NOTED not in planted.outcome.log()


def test_hashed_persons_are_in_tables_only(planted, bread):
    hashed = planted.rows("sales")["user_id"].unique().to_list()
    assert hash_value(bread.event(planted.days[0], 0)["user_id"], bread.KEY.encode()) in hashed
    root = Path(planted.lake.root)
    places = {"tables": 0}
    for path, content in contents(root):
        if any(one.encode() in content for one in hashed):
            place = path.relative_to(root).parts[0]
            places[place] = places.get(place, 0) + 1
    assert set(places) == {"tables"}, places
    assert places["tables"] > 0
    assert not [path for path, content in contents(planted.home) if any(one.encode() in content for one in hashed)]


def test_what_is_about_nobody_is_still_told(planted):
    first = planted.days[0].isoformat()
    checks = {name: one for (day, name), one in planted.outcome.checks("sales").items() if day == first}
    (items,) = [one for name, one in checks.items() if "item_id" in name and "in_set" in name]
    assert "bread-" in json.dumps(items.metadata["examples"].value)
    (people,) = [one for name, one in checks.items() if "user_id" in name and "match_regex" in name]
    assert people.metadata["unexpected_count"].value > 0
    assert people.metadata["examples"].value == []
