"""Mistakes in declarations: each error names the file, the line, the field, the value and the fix."""

import re

import pytest

from assets.components.declaration import DeclarationError
from assets.components.product import ProductError
from training.families import FAMILIES

EVENTS, CLICKS, LABELS = "events/defs.yaml", "clickstream/defs.yaml", "engagement/defs.yaml"
EXAMPLES, RANKER, NIGHTLY = "examples/defs.yaml", "ranker/defs.yaml", "nightly/defs.yaml"


@pytest.mark.parametrize(
    ("file", "right", "wrong", "words"),
    [
        pytest.param(CLICKS, "    follow:", "    folow:", ["'folow'", "did you mean 'follow'?"], id="key"),
        pytest.param(
            CLICKS,
            "      device:     {type: string}",
            "      device:     {typ: string}",
            ["contract.columns.device", "'typ'", "did you mean 'type'?"],
            id="key-in-a-list-of-columns",
        ),
        pytest.param(
            CLICKS, "{kind: jsonl}", "{kind: jsonll}", ["format", "'jsonll'", "did you mean 'jsonl'?"], id="kind"
        ),
        pytest.param(
            CLICKS,
            "unknown_columns: keep",
            "unknown_columns: kept",
            ["contract.unknown_columns", "'kept'", "did you mean 'keep'?"],
            id="one-of-a-few",
        ),
        pytest.param(CLICKS, "gz$'", "gz($'", ["crawl.follow", "no regular expression", "gz($"], id="pattern"),
        pytest.param(
            EVENTS, "- sessionize:", "- sessionise:", ["'sessionise'", "did you mean 'sessionize'?"], id="step"
        ),
        pytest.param(EVENTS, "gap: 30m", "gapp: 30m", ["'gapp'", "did you mean 'gap'?"], id="parameter-of-a-step"),
        pytest.param(
            EVENTS, "gap: 30m", "gap: soon", ["'soon' is not a duration", "such as 30m"], id="value-of-a-parameter"
        ),
        pytest.param(
            EVENTS,
            'when: "ts > crawled_at"',
            'when: "tss > crawled_at"',
            ["Step 2 'reject' of table 'shop_events'", "'tss'", "did you mean 'ts'?"],
            id="column-in-sql",
        ),
        pytest.param(
            EVENTS,
            "dwell: {by: [user_id, session_id]}",
            "dwell: {by: [user_id, sesion_id]}",
            ["Step 5 'dwell'", "'sesion_id'", "did you mean 'session_id'?"],
            id="column-that-an-earlier-step-makes",
        ),
        pytest.param(
            EVENTS,
            "expect_column_values_to_be_unique",
            "expect_column_values_to_be_uniqe",
            ["gate", "did you mean 'expect_column_values_to_be_unique'?"],
            id="expectation",
        ),
        pytest.param(
            EVENTS, "{min_value: 1000}", "{min_vlue: 1000}", ["'min_vlue'", "did you mean 'min_value'?"], id="argument"
        ),
        pytest.param(
            EVENTS,
            "be_unique: {column: event_id}",
            "be_unique: {column: evnt_id}",
            ["'evnt_id'", "did you mean 'event_id'?"],
            id="column-of-an-expectation",
        ),
        pytest.param(
            EVENTS, "severity: warning", "severity: warn", ["'warn'", "warning"], id="severity-of-an-expectation"
        ),
        pytest.param(
            EVENTS,
            "from: [shop_clickstream]",
            "from: [shop_clickstreem]",
            ["from", "no source declaration", "did you mean 'shop_clickstream'?"],
            id="source",
        ),
        pytest.param(
            LABELS, "from: shop_events", "from: shop_event", ["from", "did you mean 'shop_events'?"], id="table"
        ),
        pytest.param(
            LABELS,
            'when: "purchases > 0"',
            'when: "purchase > 0"',
            ["labelling function 'purchased'", "'purchase'", "did you mean 'purchases'?"],
            id="aggregate-in-a-labelling-function",
        ),
        pytest.param(
            LABELS,
            '"sum(dwell_seconds)"',
            '"sum(dwel_seconds)"',
            ["aggregate 'dwell'", "'dwel_seconds'", "did you mean 'dwell_seconds'?"],
            id="column-in-an-aggregate",
        ),
        pytest.param(
            LABELS,
            "{name: lingered, vote: engaged",
            "{name: lingered, vote: engagd",
            ["'lingered'", "'engagd'", "did you mean 'engaged'?"],
            id="vote",
        ),
        pytest.param(
            LABELS,
            "engagement.functions:looked_again",
            "engagement.function:looked_again",
            ["'looked_again'", "no Python module 'orchestration.defs.shop.engagement.function'"],
            id="module",
        ),
        pytest.param(
            EXAMPLES,
            "- count: {by: item_id",
            "- cuont: {by: item_id",
            ["features, item 2", "'cuont'", "did you mean 'count'?"],
            id="feature",
        ),
        pytest.param(
            EXAMPLES,
            "{column: category, min_count",
            "{column: categry, min_count",
            ["'categry'", "did you mean 'category'?"],
            id="column-of-a-feature",
        ),
        pytest.param(
            EXAMPLES,
            "catalogue: shop_catalogue",
            "catalogue: shop_catalog",
            ["did you mean 'shop_catalogue'?"],
            id="catalogue",
        ),
        pytest.param(
            RANKER, "examples: shop_examples", "examples: examples", ["did you mean 'shop_examples'?"], id="examples"
        ),
        pytest.param(RANKER, "workers: 2", "workers: two", ["workers", "integer", "'two'"], id="type"),
        pytest.param(RANKER, "[128, 32]", "[128, wide]", ["hidden, item 2", "integer", "'wide'"], id="type-in-a-list"),
        pytest.param(
            RANKER, "name: shop_ranker", "name: Shop-Ranker", ["'Shop-Ranker'", "write 'shop_ranker'"], id="name"
        ),
        pytest.param(
            RANKER, "name: shop_ranker", "name: shop__ranker", ["two underscores in a row"], id="name-of-sluice's-own"
        ),
        pytest.param(
            NIGHTLY, '"0 2 * * *"', '"every night"', ["cron", "'every night'", "'0 2 * * *' for 02:00 UTC"], id="cron"
        ),
        pytest.param(
            NIGHTLY, '"group:shop"', '"group:"', ["select", "'group:'", "such as 'group:shop'"], id="selection"
        ),
    ],
)
def test_an_error_names_file_line_field_value_and_fix(project, file, right, wrong, words):
    line = project.change(file, right, wrong)
    with pytest.raises(DeclarationError) as caught:
        project.load()
    message = str(caught.value)
    assert message.startswith(f"{project.path(file)}:{line}: ")
    for word in words:
        assert word in message
    assert "\n" not in message
    own_name = re.search(r"^  name: (\S+)", project.path(file).read_text(), re.MULTILINE)[1]
    assert message.count(f"'{own_name}'") <= 1


def test_a_family_takes_the_shape_that_the_features_make(project, monkeypatch):
    line = project.change(RANKER, "family: {kind: ranker", "family: {kind: ranker")
    monkeypatch.setattr(FAMILIES["ranker"], "shape", "documents")
    with pytest.raises(DeclarationError) as caught:
        project.load()
    message = str(caught.value)
    assert message.startswith(f"{project.path(RANKER)}:{line}: ")
    assert "family 'ranker' takes examples of the shape 'documents', and 'shop_examples' makes 'pairs'" in message


def test_every_mistake_of_a_declaration_is_listed_at_once(project):
    lines = [
        project.change(RANKER, "workers: 2", "workers: two"),
        project.change(RANKER, "[128, 32]", "[128, wide]"),
    ]
    with pytest.raises(DeclarationError) as caught:
        project.load()
    found = [
        int(line.removeprefix(f"{project.path(RANKER)}:").split(":")[0]) for line in str(caught.value).splitlines()
    ]
    assert sorted(found) == sorted(lines)


def test_a_key_that_is_missing_is_named(project):
    project.change(EVENTS, "  from: [shop_clickstream]\n", "")
    with pytest.raises(DeclarationError, match=r"events/defs.yaml:2: Table: from: this key is required; add it\.$"):
        project.load()


@pytest.mark.parametrize("other", ["Table", "Source"])
def test_two_declarations_of_one_name_are_refused_with_both_places(project, other):
    text = project.path(EVENTS if other == "Table" else CLICKS).read_text()
    project.add("again/defs.yaml", text.replace("name: shop_clickstream", "name: shop_events"))
    with pytest.raises(DeclarationError, match="the name is taken by the") as caught:
        project.load()
    message = str(caught.value)
    assert f"{project.path('again/defs.yaml')}:3" in message
    assert f"{project.path(EVENTS)}:3" in message
    assert "'shop_events'" in message


def test_a_product_file_is_asked_for_where_it_may_stand(project):
    project.path("product.yaml").unlink()
    with pytest.raises(ProductError) as caught:
        project.load()
    message = str(caught.value)
    assert "No product.yaml stands in" in message
    assert str(project.defs) in message
    assert "start: 2026-01-01" in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("start: 2026-01-01", "start: someday", ["start", "date"]),
        ("start: 2026-01-01", "stat: 2026-01-01", ["stat", "keys name, start, owners, description"]),
        ("start: 2026-01-01", "[", ["is not a YAML mapping"]),
    ],
)
def test_a_product_file_that_is_wrong_is_named_with_its_keys(project, old, new, words):
    project.change("product.yaml", old, new)
    with pytest.raises(ProductError) as caught:
        project.load()
    for word in [str(project.path("product.yaml")), *words]:
        assert word in str(caught.value)


def test_a_file_that_is_no_yaml_is_named_with_its_line(project):
    line = project.change(EVENTS, "[shop_clickstream]", "[shop_clickstream")
    with pytest.raises(Exception, match=rf'events/defs\.yaml", line {line}, column \d+'):
        project.load()


def test_attributes_that_are_no_mapping_are_named_with_their_line(project):
    project.add(EVENTS, "type: assets.components.Table\nattributes: [1]\n")
    with pytest.raises(Exception, match=r"events/defs\.yaml:2"):
        project.load()


def test_without_a_mistake_the_declarations_load(project):
    assert len({spec.key for spec in project.load().resolve_all_asset_specs()}) == 16
