"""A day of labels in the lake: its checks."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from assets.labeling import LabelsSpec
from assets.lake import Lake, digest
from assets.stages import labels

DAY = date(2026, 3, 2)


@pytest.fixture
def lake(tmp_path):
    made = Lake(tmp_path / "lake")
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    rows = [(f"u{n % 40}", ("view", "buy")[n % 3 == 0], noon + timedelta(seconds=n)) for n in range(120)]
    schema = {"user": pl.String, "kind": pl.String, "ts": pl.Datetime("us", "UTC")}
    made.publish(
        made.stage("events", DAY, pl.LazyFrame(rows, schema=schema, orient="row"), digest=digest("1"), run_id="r")
    )
    return made


@pytest.mark.parametrize(
    ("method", "passed", "says"),
    [("majority_vote", True, "By majority_vote, as declared"), ("label_model", False, "fewer than 100")],
)
def test_a_method_that_decided_as_declared_is_no_failure_and_a_fallback_is(lake, method, passed, says):
    functions = [
        {"name": f"f{n}", "vote": vote, "when": when}
        for n, (vote, when) in enumerate([("yes", "bought > 0"), ("no", "bought = 0"), ("yes", "bought > 1")])
    ]
    spec = LabelsSpec.model_validate(
        {
            "name": "liking",
            "from": "events",
            "unit": "user",
            "aggregate": {"bought": "sum(kind = 'buy')"},
            "labels": ["no", "yes"],
            "functions": functions,
            "method": method,
        }
    )
    result = labels.materialize(lake, spec, "events", DAY, run_id="run")
    fitted = {check.name: check for check in result.checks}["label_model_fitted"]
    assert (fitted.passed, says in fitted.description) == (passed, True)
    assert result.report["method"] == "majority_vote"
