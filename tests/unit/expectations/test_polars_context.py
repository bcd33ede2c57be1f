"""What people build on the engine: custom expectations, actions, suite parameters, and a context on disk."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.expectations.expectation import (
        BatchExpectation,
        ColumnAggregateExpectation,
        ColumnMapExpectation,
        ColumnPairMapExpectation,
        MulticolumnMapExpectation,
    )
    from great_expectations.expectations.row_conditions import Column as Row

    from expectations.polars_engine import (
        Aggregate,
        Query,
        column_aggregate_metric,
        column_map_metric,
        column_pair_map_metric,
        multicolumn_map_metric,
        table_metric,
    )

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

FRAME = pl.DataFrame({"k": range(6), "n": [1, 2, None, 2, 5, 9], "s": ["x", "y", "x", None, "zz", "x"]})


@column_map_metric("column_values.own_share_of_maximum", keys=("share",), requires=("column.max",))
def at_most_a_share(column, metrics, share):
    return column.expr <= share * metrics["column.max"]


@column_map_metric("column_values.own_not_boolean")
def not_boolean(column):
    return column.expr.str.to_uppercase()


@column_map_metric("column_values.own_failing")
def failing(column):
    raise KeyError(column.name)


@column_pair_map_metric("column_pair_values.own_even_sum")
def even_sum(a, b):
    return (a.expr + b.expr) % 2 == 0


@multicolumn_map_metric("multicolumn_values.own_above", keys=("least",))
def above(columns, least):
    return pl.all_horizontal([column.expr > least for column in columns])


@column_aggregate_metric("column.own_range")
def value_range(column):
    return Aggregate(column.domain.frame, (column.values.max() - column.values.min(),))


@table_metric("table.own_cells")
def cells(domain):
    return Query(domain.rows().select(pl.len()), lambda found: int(found.item()) * len(domain.schema))


class ExpectShareOfMaximum(ColumnMapExpectation):
    map_metric: ClassVar[str] = "column_values.own_share_of_maximum"
    success_keys: ClassVar = ("mostly", "share")
    share: float = 0.5


class ExpectNotBoolean(ColumnMapExpectation):
    map_metric: ClassVar[str] = "column_values.own_not_boolean"


class ExpectFailing(ColumnMapExpectation):
    map_metric: ClassVar[str] = "column_values.own_failing"


class ExpectEvenSum(ColumnPairMapExpectation):
    map_metric: ClassVar[str] = "column_pair_values.own_even_sum"


class ExpectAbove(MulticolumnMapExpectation):
    map_metric: ClassVar[str] = "multicolumn_values.own_above"
    success_keys: ClassVar = ("mostly", "least")
    least: int = 0


class ExpectRange(ColumnAggregateExpectation):
    metric_dependencies: ClassVar = ("column.own_range",)
    success_keys: ClassVar = ("min_value", "max_value")
    min_value: Any = None
    max_value: Any = None

    def _validate(self, metrics, runtime_configuration=None, execution_engine=None):
        return self._validate_metric_value_between("column.own_range", metrics, runtime_configuration, execution_engine)


class ExpectCells(BatchExpectation):
    metric_dependencies: ClassVar = ("table.own_cells",)
    success_keys: ClassVar = ("value",)
    value: int = 0

    def _validate(self, metrics, **_):
        found = metrics["table.own_cells"]
        return {"success": found == self.value, "result": {"observed_value": found}}


@pytest.mark.parametrize(
    ("expectation", "success", "found"),
    [
        (ExpectShareOfMaximum(column="n"), False, [5, 9]),
        (ExpectShareOfMaximum(column="n", mostly=0.6), True, [5, 9]),
        (ExpectShareOfMaximum(column="n", row_condition=Row("k") < 4), False, [2, 2]),
        (ExpectEvenSum(column_A="n", column_B="k"), False, [(1, 0), (2, 1), (None, 2), (2, 3), (5, 4)]),
        (ExpectAbove(column_list=["n", "k"], mostly=0.4, least=1), True, [(1, 0), (2, 1), (None, 2)]),
        (ExpectRange(column="n", max_value=8), True, 8),
        (ExpectRange(column="n", max_value=8, row_condition=Row("n") < 9), True, 4),
        (ExpectCells(value=18), True, 18),
    ],
    ids=lambda each: type(each).__name__,
)
def test_expectations_of_one_s_own(judged, error_of, expectation, success, found):
    result = judged(expectation, FRAME)
    assert (error_of(result), result.success) == ("", success)
    values = result.result.get("unexpected_list", result.result.get("observed_value"))
    if isinstance(expectation, MulticolumnMapExpectation):
        values = [tuple(each.values()) for each in values]
    assert values == found


def test_a_metric_that_goes_wrong_is_named(judged, error_of):
    assert "column_values.own_not_boolean must say true or false of each value; its function gives String" in error_of(
        judged(ExpectNotBoolean(column="s"), FRAME)
    )
    assert "KeyError: 's'" in error_of(judged(ExpectFailing(column="s"), FRAME))


class Remember(gx.checkpoint.ValidationAction):
    """An action of one's own."""

    type: Literal["remember"] = "remember"
    seen: ClassVar[list[bool]] = []

    def run(self, checkpoint_result, action_context=None):  # noqa: ARG002 - GX's signature
        Remember.seen.append(bool(checkpoint_result.success))
        return {}


def test_a_checkpoint_takes_suite_parameters_and_calls_an_action():
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_polars("p")
    batch = source.add_dataframe_asset("f").add_batch_definition_whole_dataframe("w")
    window = {"constraint_fn": "mean", "parameter_name": "top", "range": 5, "offset": {"positive": 1, "negative": 1}}
    kinds = [
        gxe.ExpectColumnMaxToBeBetween(column="n", max_value={"$PARAMETER": "top"}, windows=[window]),
        gxe.ExpectColumnValuesToBeInSet(column="s", value_set={"$PARAMETER": "known"}, severity="warning"),
        gxe.ExpectColumnValuesToNotBeNull(column="gone", severity="info", meta={"owner": "me"}, notes="**soon**"),
    ]
    suite = context.suites.add(gx.ExpectationSuite(name="s", expectations=kinds))
    definition = gx.ValidationDefinition(name="v", data=batch, suite=suite)
    context.validation_definitions.add(definition)
    checkpoint = gx.Checkpoint(name="c", validation_definitions=[definition], actions=[Remember(name="r")])
    outcome = context.checkpoints.add(checkpoint).run(
        batch_parameters={"dataframe": FRAME}, expectation_parameters={"top": 9, "known": ["x", "y", "zz"]}
    )
    (run,) = outcome.run_results.values()
    found = {result.expectation_config.severity: result for result in run.results}
    assert {str(severity.value): result.success for severity, result in found.items()} == {
        "critical": True,
        "warning": True,
        "info": False,
    }
    assert Remember.seen == [False]


REOPEN = """
import sys
import great_expectations as gx
import polars as pl
import expectations.polars_engine

context = gx.get_context(mode="file", project_root_dir=sys.argv[1])
context.variables.progress_bars = {"globally": False}
outcome = context.checkpoints.get("files").run(expectation_parameters={"top": 5})
frame = pl.scan_parquet(sys.argv[1] + "/one.parquet")
more = context.checkpoints.get("frames").run(batch_parameters={"dataframe": frame}, expectation_parameters={"top": 5})
for each in (outcome, more):
    for run in each.run_results.values():
        print(run.asset_name, run.suite_name, [
            (result.expectation_config.type, result.success, result.result.get("unexpected_count"))
            for result in sorted(run.results, key=lambda result: result.expectation_config.type)
        ])
"""


def test_a_context_on_disk_is_reopened_by_another_process(tmp_path):
    FRAME.write_parquet(tmp_path / "one.parquet")
    for year in (2020, 2021):
        (tmp_path / f"years/year={year}").mkdir(parents=True)
        FRAME.write_parquet(tmp_path / f"years/year={year}/part.parquet")
    FRAME.write_delta(str(tmp_path / "table"))
    FRAME.head(1).write_delta(str(tmp_path / "table"), mode="append")
    context = gx.get_context(mode="file", project_root_dir=tmp_path)
    source = context.data_sources.add_polars("p")
    files = [
        source.add_parquet_asset("one", path=tmp_path / "one.parquet"),
        source.add_parquet_asset("folder", path=tmp_path / "years", hive_partitioning=True),
        source.add_parquet_asset("glob", path=tmp_path / "years/*/part.parquet"),
        source.add_delta_asset("table", path=tmp_path / "table"),
        source.add_delta_asset("first", path=tmp_path / "table", version=0),
    ]
    frames = [source.add_dataframe_asset("frame")]
    suite = context.suites.add(
        gx.ExpectationSuite(
            name="s",
            expectations=[
                gxe.ExpectColumnMaxToBeBetween(column="n", max_value={"$PARAMETER": "top"}),
                gxe.ExpectColumnValuesToBeBetween(
                    column="n", max_value=4, row_condition=(Row("s") == "zz") | (Row("n") < 4)
                ),
                gxe.ExpectColumnValuesToBeInSet(
                    column="s", value_set=["y"], row_condition=(Row("k") > 0) & Row("s").is_not_null(), mostly=0.1
                ),
                gxe.UnexpectedRowsExpectation(unexpected_rows_query="SELECT * FROM {batch} WHERE n > 5"),
            ],
        )
    )
    docs = gx.checkpoint.UpdateDataDocsAction(name="docs")
    for name, assets in (("files", files), ("frames", frames)):
        definitions = [
            context.validation_definitions.add(
                gx.ValidationDefinition(
                    name=asset.name, data=asset.add_batch_definition_whole_dataframe("whole"), suite=suite
                )
            )
            for asset in assets
        ]
        context.checkpoints.add(gx.Checkpoint(name=name, validation_definitions=definitions, actions=[docs]))
    project = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", REOPEN, str(tmp_path)],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]

    def told(asset, rows):
        # Rows: how many of n are above 4 where s is zz, and how many of s are not y from the second row on.
        return f"{asset} s " + str(
            [
                ("expect_column_max_to_be_between", False, None),
                ("expect_column_values_to_be_between", False, rows),
                ("expect_column_values_to_be_in_set", True, 3 * rows),
                ("unexpected_rows_expectation", False, None),
            ]
        )

    found = [("one", 1), ("folder", 2), ("glob", 2), ("table", 1), ("first", 1), ("frame", 1)]
    assert done.stdout.splitlines() == [told(asset, rows) for asset, rows in found]
    pages = list((tmp_path / "gx/uncommitted/data_docs/local_site/validations").rglob("*.html"))
    assert len(pages) == len(found)
