"""What every registered kind of labelling function keeps to. A new kind brings its example, and needs no test."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import polars as pl
import pytest
from pydantic import ValidationError

from assets.labeling import (
    FUNCTIONS,
    LabellingFunction,
    LabelsError,
    LabelsSpec,
    check_labels,
    label,
    labels_lineage,
    units,
    votes,
)
from foundation.located import location_of

AGGREGATES = {
    "views": "sum(kind = 'view')",
    "dwell": "sum(seconds)",
    "cheapest": "min(price)",
    "opened": "first(kind)",
}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENTS = pl.DataFrame(
    {
        "user": [f"u{n * 31 % 43}" for n in range(90)],
        "kind": [("view", "buy", "view", "cart")[n * 7 % 4] for n in range(90)],
        "seconds": [None if n % 5 == 0 else float(n * 13 % 40) for n in range(90)],
        "price": [float(n * 29 % 17) for n in range(90)],
        "note": [f"n{n}" for n in range(90)],
        "ts": [NOON + timedelta(seconds=n * 37 % 1000) for n in range(90)],
    }
)


@pytest.fixture(params=FUNCTIONS.names())
def function(request):
    return {"name": "tried", **FUNCTIONS[request.param].example}


def declared(*functions, **changes):
    fixed = {"name": "engagement", "from": "events", "unit": "user", "labels": ["ignored", "engaged"]}
    return LabelsSpec.model_validate(
        fixed | {"aggregate": AGGREGATES, "functions": list(functions), "method": "majority_vote"} | changes
    )


def test_it_votes_labels_or_abstains_and_on_each_unit_alone(function):
    spec = declared(function)
    assert check_labels(spec, EVENTS.schema)["vote_tried"] == pl.Int8
    found = units(EVENTS.lazy(), spec).collect()
    together = votes(found.lazy(), spec).collect()["vote_tried"]
    assert together.dtype == pl.Int8
    assert set(together) <= {-1, 0, 1}
    assert len(set(together)) > 1, "the example says the same of every unit"
    alone = [votes(found[row].lazy(), spec).collect()["vote_tried"].item() for row in range(found.height)]
    assert together.to_list() == alone


def test_it_survives_its_declaration(function):
    spec = declared(function)
    assert LabelsSpec.model_validate_json(spec.model_dump_json(by_alias=True)) == spec


def test_an_unknown_key_is_refused_with_its_place(function):
    with pytest.raises(ValidationError) as caught:
        declared(function, {**function, "name": "other", "whenn": "x"})
    problem = caught.value.errors()[0]
    assert "unknown key 'whenn'" in problem["msg"]
    assert location_of(problem)[:2] == ("functions", 1)


def test_its_votes_come_from_what_it_says_it_reads(function):
    """Events are changed one column at a time, and nothing shows it that is not said to come from there."""
    spec = declared(function, {"name": "cheap", "vote": "ignored", "when": "cheapest < 3"}, gold=None)
    lineage = labels_lineage(spec, EVENTS.schema)
    assert set(lineage) == set(check_labels(spec, EVENTS.schema))
    before = label(units(EVENTS.lazy(), spec), spec).frame
    for column in ("kind", "seconds", "price", "note", "ts"):
        for seed in range(3):
            events = EVENTS.with_columns(pl.col(column).shuffle(seed))
            after = label(units(events.lazy(), spec), spec).frame
            different = {name for name in before.columns if not before[name].equals(after[name], null_equal=True)}
            assert different <= {name for name, origins in lineage.items() if column in origins}


def test_columns_are_followed_from_votes_to_events():
    spec = declared(
        {"name": "long", "vote": "engaged", "when": "dwell > 30 and previous_views > 0"},
        {"name": "cheap", "vote": "ignored", "when": "cheapest < 3"},
        history={"window": "7d", "by": "user"},
    )
    lineage = labels_lineage(spec, EVENTS.schema)
    # The first kind is the first in time, so that all that is aggregated beside it is put in order.
    assert lineage["vote_long"] == {"seconds", "kind", "ts"}
    assert lineage["vote_cheap"] == {"price", "ts"}
    assert lineage["probability"] == {"seconds", "kind", "ts", "price"}
    assert lineage["user"] == {"user"}
    assert "note" not in frozenset().union(*lineage.values())


class Quoted(LabellingFunction):
    """Votes where a column holds one of some words."""

    words: tuple[str, ...]
    column: str
    calls: ClassVar[int] = 0

    def check(self, spec, columns):
        if self.column not in columns:
            raise self.fail(spec, f"no column '{self.column}'.", "column")

    def expression(self, spec, columns):
        del spec, columns
        return pl.when(pl.col(self.column).is_in(self.words)).then(pl.lit(1, pl.Int8)).otherwise(pl.lit(-1, pl.Int8))

    def reads(self, spec, columns):
        del spec, columns
        return frozenset({self.column})


def test_a_kind_registered_elsewhere_is_read_checked_shown_and_forgotten():
    one = {"name": "quoted", "words": ["buy"], "column": "opened"}
    with FUNCTIONS.temporarily("words", Quoted):
        spec = declared(one)
        assert votes(units(EVENTS.lazy(), spec), spec).collect()["vote_quoted"].n_unique() > 1
        assert LabelsSpec.model_validate_json(spec.model_dump_json(by_alias=True)) == spec
        assert "Quoted" in str(LabelsSpec.model_json_schema())
        with pytest.raises(LabelsError, match="labelling function 'quoted': no column 'open'") as caught:
            check_labels(declared(one | {"column": "open"}), EVENTS.schema)
        assert caught.value.location == ("functions", 0, "column")
        with pytest.raises(ValidationError, match="says nowhere how it votes; give it 'python' or 'when' or 'words'"):
            declared({"name": "empty"})
    with pytest.raises(ValidationError, match="give it 'python' or 'when'"):
        declared(one)


def test_a_condition_or_an_aggregate_that_does_not_fit_is_placed():
    with pytest.raises(LabelsError) as caught:
        check_labels(declared({"name": "f", "vote": "engaged", "when": "dwel > 3"}), EVENTS.schema)
    assert caught.value.location == ("functions", 0, "when")
    with pytest.raises(LabelsError) as caught:
        check_labels(
            declared({**FUNCTIONS["when"].example} | {"name": "f"}, aggregate={"dwell": "sum(secs)"}), EVENTS.schema
        )
    assert caught.value.location == ("aggregate", "dwell")
    with pytest.raises(ValidationError) as invalid:
        declared({"name": "f", "vote": "engagd", "when": "dwell > 3"})
    assert location_of(invalid.value.errors()[0]) == ("functions", 0, "vote")
