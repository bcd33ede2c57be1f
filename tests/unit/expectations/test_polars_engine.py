"""The engine used as Great Expectations' own: assets, suites, checkpoints, result formats, custom metrics."""

from __future__ import annotations

import datetime as dt
import warnings
from typing import ClassVar

import polars as pl
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.expectations.expectation import ColumnMapExpectation
    from great_expectations.expectations.row_conditions import Column as Row
    from great_expectations.validator.validator import Validator

    from expectations.polars_engine import (
        Aggregate,
        Column,
        PolarsBatchData,
        PolarsExecutionEngine,
        bundle,
        column_aggregate_metric,
        column_map_metric,
    )

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

FRAME = pl.DataFrame(
    {
        "key": [10, 11, 12, 13, 14],
        "n": [1, 2, None, 2, 5],
        "f": [1.0, float("nan"), None, 2.0, 9.0],
        "s": ["x", "y", "x", None, "zz"],
        "t": [dt.datetime(2020, 1, day, tzinfo=dt.UTC) for day in range(1, 6)],
        "l": [[1], [2], None, [], [3]],
    }
)


@pytest.fixture
def context():
    found = gx.get_context(mode="ephemeral")
    found.variables.progress_bars = {"globally": False}
    return found


def validate(expectation, frame=FRAME, result_format="COMPLETE"):
    engine = PolarsExecutionEngine()
    engine.load_batch_data("batch", PolarsBatchData(engine, frame))
    validator = Validator(execution_engine=engine)
    validator.metrics_calculator.show_progress_bars = False
    configuration = expectation.configuration
    configuration.kwargs["batch_id"] = "batch"
    runtime = {"result_format": result_format if isinstance(result_format, dict) else {"result_format": result_format}}
    (result,) = validator.graph_validate([configuration], runtime_configuration=runtime)
    return result


def error_of(result):
    entries = [each for each in result.exception_info.values() if isinstance(each, dict)]
    return "; ".join(each["exception_message"] for each in entries)


@pytest.mark.parametrize("lazy", [False, True])
def test_frames_are_validated_through_a_checkpoint_and_an_action_sees_it(context, lazy):
    source = context.data_sources.add_polars("frames")
    batch = source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")
    suite = gx.ExpectationSuite(name="suite", expectations=[gxe.ExpectColumnValuesToNotBeNull(column="n")])
    definition = gx.ValidationDefinition(name="it", data=batch, suite=context.suites.add(suite))
    context.validation_definitions.add(definition)
    checkpoint = context.checkpoints.add(gx.Checkpoint(name="check", validation_definitions=[definition]))
    outcome = checkpoint.run(batch_parameters={"dataframe": FRAME.lazy() if lazy else FRAME})
    assert not outcome.success
    # What is written down of a run must not hold the data.
    assert "zz" not in outcome.describe()
    (run,) = outcome.run_results.values()
    assert run.results[0].result["unexpected_count"] == 1


def test_the_next_frame_of_the_same_asset_is_examined_afresh(context):
    batch = context.data_sources.add_polars("p").add_dataframe_asset("f").add_batch_definition_whole_dataframe("w")
    expectation = gxe.ExpectColumnMaxToBeBetween(column="n", max_value=9)
    seen = [
        batch.get_batch(batch_parameters={"dataframe": pl.DataFrame({name: [value]})}).validate(expectation).success
        for name, value in (("n", 1), ("n", 10), ("m", 1), ("n", 2))
    ]
    assert seen == [True, False, False, True]


@pytest.mark.parametrize("wrong", [{}, {"frame": FRAME}, {"dataframe": FRAME.to_dict(as_series=False)}])
def test_wrong_parameters_are_refused(context, wrong):
    batch = context.data_sources.add_polars("p").add_dataframe_asset("f").add_batch_definition_whole_dataframe("w")
    with pytest.raises(Exception, match="dataframe"):
        batch.get_batch(batch_parameters=wrong)


def test_parquet_and_delta_are_scanned(context, tmp_path):
    FRAME.write_parquet(tmp_path / "a.parquet")
    FRAME.write_parquet(tmp_path / "b.parquet")
    FRAME.drop("l").write_delta(str(tmp_path / "table"))
    FRAME.drop("l").head(2).write_delta(str(tmp_path / "table"), mode="append")
    source = context.data_sources.add_polars("files")
    assets = [
        source.add_parquet_asset("parquet", path=str(tmp_path / "*.parquet")),
        source.add_delta_asset("delta", path=str(tmp_path / "table")),
        source.add_delta_asset("earlier", path=str(tmp_path / "table"), version=0),
    ]
    for asset, rows in zip(assets, (10, 7, 5), strict=True):
        batch = asset.add_batch_definition_whole_dataframe("whole").get_batch()
        assert batch.validate(gxe.ExpectTableRowCountToEqual(value=rows)).success, asset.name
        assert list(batch.head(2).data["key"]) == [10, 11]


def test_a_suite_in_a_file_context_survives_a_reload(tmp_path):
    context = gx.get_context(mode="file", project_root_dir=tmp_path)
    context.data_sources.add_polars("frames").add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")
    context.suites.add(gx.ExpectationSuite(name="s", expectations=[gxe.ExpectColumnValuesToBeUnique(column="n")]))
    again = gx.get_context(mode="file", project_root_dir=tmp_path)
    again.variables.progress_bars = {"globally": False}
    batch = again.data_sources.get("frames").get_asset("frame").get_batch_definition("whole")
    definition = gx.ValidationDefinition(name="it", data=batch, suite=again.suites.get("s"))
    result = again.validation_definitions.add(definition).run(batch_parameters={"dataframe": FRAME})
    assert result.results[0].result["unexpected_count"] == 2


def test_the_aggregates_of_a_suite_are_one_query_and_met_expectations_cost_no_other(context, monkeypatch):
    collected = []
    original = pl.collect_all
    monkeypatch.setattr(
        bundle.pl, "collect_all", lambda frames, **k: collected.append(len(frames)) or original(frames, **k)
    )
    batch = context.data_sources.add_polars("p").add_dataframe_asset("f").add_batch_definition_whole_dataframe("w")
    met = [
        gxe.ExpectColumnValuesToNotBeNull(column="key"),
        gxe.ExpectColumnValuesToBeBetween(column="n", min_value=0),
        gxe.ExpectColumnMeanToBeBetween(column="f", min_value=0),
        gxe.ExpectColumnValuesToMatchRegex(column="s", regex="."),
        gxe.ExpectColumnSumToBeBetween(column="n", min_value=0),
        gxe.ExpectTableRowCountToEqual(value=5),
    ]
    suite = context.suites.add(gx.ExpectationSuite(name="s", expectations=met))
    definition = gx.ValidationDefinition(name="v", data=batch, suite=suite)
    assert context.validation_definitions.add(definition).run(batch_parameters={"dataframe": FRAME}).success
    # One frame for the aggregates; the samples that follow are empty frames, one for each map expectation.
    assert collected == [1, 3]


def test_nan_is_missing():
    assert validate(gxe.ExpectColumnValuesToNotBeNull(column="f")).result["unexpected_count"] == 2
    assert validate(gxe.ExpectColumnMeanToBeBetween(column="f", max_value=9)).result["observed_value"] == 4.0


def test_rows_of_a_failing_expectation_are_told_by_number_by_key_and_whole():
    expectation = gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["x"])
    result = validate(expectation).result
    assert result["unexpected_list"] == ["y", "zz"]
    assert result["unexpected_index_list"] == [1, 4]
    assert FRAME[[1, 4]].equals(eval(result["unexpected_index_query"], {"frame": FRAME}))  # noqa: S307 - our own text
    wanted = {"result_format": "COMPLETE", "unexpected_index_column_names": ["key"], "include_unexpected_rows": True}
    result = validate(expectation, result_format=wanted).result
    assert result["unexpected_index_list"] == [{"s": "y", "key": 11}, {"s": "zz", "key": 14}]
    assert list(result["unexpected_rows"]["key"]) == [11, 14]
    missing = validate(expectation, result_format={**wanted, "unexpected_index_column_names": ["kex"]})
    assert "There is no column 'kex' in the frame; did you mean 'key'?" in error_of(missing)


def test_index_lists_stay_bounded(monkeypatch):
    monkeypatch.setattr(PolarsExecutionEngine, "longest_index_list", 7)
    result = validate(gxe.ExpectColumnValuesToBeNull(column="n"), pl.DataFrame({"n": range(1000)})).result
    assert (result["unexpected_count"], result["unexpected_index_list"]) == (1000, list(range(7)))


def test_durations_among_the_samples_can_be_stored():
    frame = pl.DataFrame({"span": [dt.timedelta(seconds=2), dt.timedelta(seconds=1)]})
    result = validate(gxe.ExpectColumnValuesToBeIncreasing(column="span"), frame)
    assert result.to_json_dict()["result"]["unexpected_list"] == ["0:00:01"]


def test_regexes_that_rust_does_not_know_are_python_s():
    result = validate(gxe.ExpectColumnValuesToMatchRegex(column="s", regex="^(?!x)")).result
    assert result["unexpected_list"] == ["x", "x"]
    frame = pl.DataFrame({"s": ["aa", "ab", None]})
    assert validate(gxe.ExpectColumnValuesToMatchRegex(column="s", regex=r"(.)\1"), frame).result[
        "unexpected_list"
    ] == ["ab"]


@pytest.mark.parametrize(
    ("pattern", "expected"), [("x%", ["y", "zz"]), ("__", ["x", "y", "x"]), ("%z", ["x", "y", "x"]), ("%", [])]
)
def test_like_patterns_which_pandas_does_not_have(pattern, expected):
    result = validate(gxe.ExpectColumnValuesToMatchLikePattern(column="s", like_pattern=pattern)).result
    assert result["unexpected_list"] == expected


@pytest.mark.parametrize(
    "text",
    [
        "2020-02-29",
        "2021-02-29",
        "2020-2-9",
        "0000-01-01",
        " 2020-01-01",
        "2020-01-01x",
        "\uff19\uff19\uff19\uff19-01-01",
        "2020-13-01",
    ],
)
def test_formats_are_read_as_python_reads_them(text):
    def reads():
        try:
            dt.datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007
        except ValueError:
            return False
        return True

    frame = pl.DataFrame({"s": [text]})
    expectation = gxe.ExpectColumnValuesToMatchStrftimeFormat(column="s", strftime_format="%Y-%m-%d")
    assert validate(expectation, frame).success is reads()


def test_a_moment_without_a_zone_is_meant_in_the_column_s_zone():
    frame = FRAME.with_columns(pl.col("t").dt.convert_time_zone("Europe/Berlin"))
    result = validate(gxe.ExpectColumnValuesToBeBetween(column="t", min_value="2020-01-02 01:00:00"), frame).result
    assert result["unexpected_index_list"] == [0]


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        (gxe.ExpectColumnMeanToBeBetween(column="s", min_value=0), "of type String: it needs numbers"),
        (gxe.ExpectColumnMeanToBeBetween(column="ss", min_value=0), "no column 'ss' in the frame; did you mean 's'?"),
        (gxe.ExpectColumnValuesToBeUnique(column="l"), "of type List(Int64): it needs a column of single values"),
        (gxe.ExpectColumnValuesToBeBetween(column="s", min_value=0), "of type String cannot be compared with 0"),
        (
            gxe.ExpectColumnPairValuesToBeEqual(column_A="s", column_B="n"),
            "'s' of type String cannot be compared with 'n'",
        ),
        (gxe.ExpectColumnValuesToBeDateutilParseable(column="n"), "of type Int64: it needs text"),
        (gxe.ExpectColumnValuesToMatchJsonSchema(column="s", json_schema={"type": "objekt"}), "the schema is wrong"),
        (gxe.ExpectTableRowCountToEqualOtherTable(other_table_name="b"), "has no table 'b' in it"),
    ],
)
def test_what_has_no_meaning_says_so(expectation, message):
    result = validate(expectation)
    assert not result.success
    assert message in error_of(result)
    assert "Resolved plan" not in error_of(result)


def test_missing_values_may_be_looked_for_in_any_type():
    assert validate(gxe.ExpectColumnValuesToNotBeNull(column="l")).result["unexpected_count"] == 1


@pytest.mark.parametrize(
    ("type_", "column", "success"),
    [
        ("Int64", "n", True), ("int64", "n", True), ("int", "n", True), ("float", "n", False), ("String", "s", True),
        ("list", "l", True),
        ("str", "s", True), ("object", "s", True), ("datetime64[us, UTC]", "t", True), ("Datetime", "t", True),
        ("datetime64[us, CET]", "t", False), ("Datetime(time_unit='us', time_zone='UTC')", "t", True),
    ],
)  # fmt: skip
def test_types_have_many_names(type_, column, success):
    assert validate(gxe.ExpectColumnValuesToBeOfType(column=column, type_=type_)).success is success
    assert validate(gxe.ExpectColumnTypeToBe(column=column, type_=type_)).success is success
    assert validate(gxe.ExpectColumnValuesToBeInTypeList(column=column, type_list=[type_, "Binary"])).success is success


def test_a_type_that_nobody_knows_is_named_with_the_nearest_one():
    result = validate(gxe.ExpectColumnValuesToBeOfType(column="n", type_="Integr"))
    assert "There is no type 'Integr'; did you mean" in str(result.exception_info)


def test_row_conditions_restrict_every_kind_of_metric():
    some = Row("s") == "x"
    assert validate(gxe.ExpectColumnValuesToNotBeNull(column="n", row_condition=some)).result["element_count"] == 2
    assert (
        validate(gxe.ExpectColumnSumToBeBetween(column="n", max_value=9, row_condition=some)).result["observed_value"]
        == 1
    )
    odd = Row("n").is_null() | (Row("n") > 2)
    result = validate(gxe.ExpectColumnValuesToBeInSet(column="key", value_set=[12], row_condition=odd)).result
    assert result["unexpected_index_list"] == [4]


def test_a_custom_expectation_needs_one_function():
    @column_map_metric("column_values.polars_even")
    def even(column: Column) -> pl.Expr:
        return column.expr % 2 == 0

    @column_aggregate_metric("column.polars_range")
    def spread(column: Column) -> Aggregate:
        return Aggregate(column.domain.frame, (column.values.max() - column.values.min(),))

    class ExpectColumnValuesToBePolarsEven(ColumnMapExpectation):
        map_metric: ClassVar[str] = "column_values.polars_even"

    result = validate(ExpectColumnValuesToBePolarsEven(column="n", mostly=0.4, row_condition=Row("key") > 10))
    assert (result.success, result.result["unexpected_list"]) == (True, [5])
    assert even
    engine = PolarsExecutionEngine(batch_data_dict={"b": FRAME})
    from great_expectations.validator.metric_configuration import MetricConfiguration
    from great_expectations.validator.metrics_calculator import MetricsCalculator

    metric = MetricConfiguration("column.polars_range", {"column": "n", "batch_id": "b"})
    assert MetricsCalculator(engine).get_metric(metric) == 4
    assert spread


def test_a_narrowed_core_expectation_works_unmodified():
    class ExpectPriceToBeSensible(gxe.ExpectColumnValuesToBeBetween):
        column: str = "n"
        min_value: float = 0
        max_value: float = 3

    assert validate(ExpectPriceToBeSensible()).result["unexpected_list"] == [5]


def test_sums_of_integers_do_not_wrap_round():
    frame = pl.DataFrame({"n": [2**62] * 4})
    assert validate(gxe.ExpectColumnSumToBeBetween(column="n", min_value=0), frame).result["observed_value"] == 2**64


def test_decimals_are_compared_as_written():
    frame = pl.DataFrame({"d": pl.Series(["0.10", "0.20"]).cast(pl.Decimal(10, 2))})
    result = validate(gxe.ExpectColumnValuesToBeBetween(column="d", min_value=0.1, max_value=0.2), frame)
    assert result.success
    assert validate(gxe.ExpectColumnValuesToBeInSet(column="d", value_set=[0.1, 0.2]), frame).success
