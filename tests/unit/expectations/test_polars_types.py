"""Columns of every type and name: what is expected of them has a meaning or an error that says why not."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import warnings

import polars as pl
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx
    import great_expectations.expectations as gxe

    from expectations.polars_engine import PolarsBatchData, PolarsExecutionEngine
    from expectations.polars_engine.unexpected import ROW

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::RuntimeWarning")

DAY = dt.date(2020, 1, 2)
DAYS = pl.DataFrame({"x": [DAY, dt.date(2020, 1, 5), None]})
MOMENTS = DAYS.cast(pl.Datetime("us"))
# An hour off UTC, so that a bound without a zone and one in UTC differ.
ZONED = MOMENTS.select(pl.col("x").dt.replace_time_zone("Europe/Berlin"))


@pytest.mark.parametrize("frame", [DAYS, MOMENTS, ZONED], ids=["days", "moments", "zoned"])
@pytest.mark.parametrize(
    ("bound", "met"),
    [
        (DAY, True),
        ("2020-01-02", True),
        ("2020-01-02 00:00:00", True),
        ("2020-01-02 00:00:01", False),
        (dt.date(2020, 1, 3), False),
        (dt.datetime(2020, 1, 1, 22, 59, tzinfo=dt.UTC), True),
        (dt.datetime(2020, 1, 2, 0, 1, tzinfo=dt.UTC), False),
    ],
)
def test_bounds_of_extremes_may_be_days_text_and_moments_with_or_without_a_zone(judged, error_of, frame, bound, met):
    result = judged(gxe.ExpectColumnMinToBeBetween(column="x", min_value=bound), frame)
    assert (error_of(result), result.success) == ("", met)
    between = judged(gxe.ExpectColumnValuesToBeBetween(column="x", min_value=bound), frame)
    assert between.success is met
    assert (
        result.expectation_config.kwargs["min_value"]
        == gxe.ExpectColumnMinToBeBetween(column="x", min_value=bound).configuration.kwargs["min_value"]
    )


@pytest.mark.parametrize("kind", [gxe.ExpectColumnMeanToBeBetween, gxe.ExpectColumnMedianToBeBetween])
def test_means_of_moments_have_bounds_of_the_same_kinds(judged, kind):
    assert judged(kind(column="x", min_value="2020-01-03", max_value="2020-01-04"), ZONED).success
    assert not judged(kind(column="x", min_value=dt.date(2020, 1, 4)), DAYS).success


@pytest.mark.parametrize("value", ["a", dt.time(1), dt.timedelta(1), dt.date(2020, 1, 1)], ids=repr)
def test_bounds_of_another_type_are_named_with_the_column(judged, error_of, value):
    error = error_of(judged(gxe.ExpectColumnMinToBeBetween(column="x", min_value=3), pl.DataFrame({"x": [value]})))
    assert "column.min of column 'x' is" in error
    assert "cannot be compared with min_value 3.0; give bounds of the column's type" in error


NULLS = pl.DataFrame({"x": [None, None], "n": [1, 2], "s": ["a", None]})


@pytest.mark.parametrize(
    "expectation",
    [
        gxe.ExpectColumnValuesToNotBeNull(column="x"),
        gxe.ExpectColumnValuesToBeBetween(column="x", min_value=0),
        gxe.ExpectColumnValuesToBeInSet(column="x", value_set=["a", 1]),
        gxe.ExpectColumnValuesToBeUnique(column="x"),
        gxe.ExpectColumnValuesToBeIncreasing(column="x"),
        gxe.ExpectColumnValuesToMatchRegex(column="x", regex="a"),
        gxe.ExpectColumnValueLengthsToEqual(column="x", value=1),
        gxe.ExpectColumnValuesToMatchStrftimeFormat(column="x", strftime_format="%Y"),
        gxe.ExpectColumnValuesToBeDateutilParseable(column="x"),
        gxe.ExpectColumnValuesToMatchJsonSchema(column="x", json_schema={"type": "object"}),
        gxe.ExpectColumnValueZScoresToBeLessThan(column="x", threshold=1, double_sided=True),
        gxe.ExpectColumnValuesToNotBeOutliers(column="x", method="iqr", multiplier=1.5),
        gxe.ExpectColumnMeanToBeBetween(column="x", min_value=0),
        gxe.ExpectColumnMedianToBeBetween(column="x", min_value=0),
        gxe.ExpectColumnStdevToBeBetween(column="x", min_value=0),
        gxe.ExpectColumnSumToBeBetween(column="x", min_value=0),
        gxe.ExpectColumnMinToBeBetween(column="x", min_value=0),
        gxe.ExpectColumnUniqueValueCountToBeBetween(column="x", max_value=0),
        gxe.ExpectColumnDistinctValuesToContainSet(column="x", value_set=[1]),
        gxe.ExpectColumnQuantileValuesToBeBetween(
            column="x", quantile_ranges={"quantiles": [0.5], "value_ranges": [[0, 1]]}
        ),
        gxe.ExpectColumnPairValuesToBeEqual(column_A="x", column_B="n"),
        gxe.ExpectColumnPairValuesToBeEqual(column_A="s", column_B="x", ignore_row_if="neither"),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="x", column_B="n"),
        gxe.ExpectColumnPairValuesToBeInSet(column_A="x", column_B="n", value_pairs_set=[(None, 1)]),
        gxe.ExpectMulticolumnSumToEqual(column_list=["x", "n"], sum_total=3),
        gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(column_list=["x", "s"]),
        gxe.ExpectMulticolumnValuesToBeEqual(column_list=["x", "s"]),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["x", "n"]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_column_of_nulls_only_may_be_meant_as_anything(judged, error_of, expectation):
    """As pandas has it: its engine judges the same frame alike."""
    ours, theirs = judged(expectation, NULLS), judged(expectation, NULLS.to_pandas())
    assert error_of(ours) == ""
    assert ours.success == theirs.success
    for name in ("element_count", "missing_count", "unexpected_count"):
        assert ours.result.get(name) == theirs.result.get(name), name


INFINITE = pl.DataFrame({"x": [1.5, 2.0, math.inf, -math.inf, None]})


@pytest.mark.parametrize("method", ["iqr", "std"])
@pytest.mark.parametrize("rows", [3, 5])
def test_infinite_values_leave_no_spread_to_go_by(judged, rows, method):
    frame = INFINITE.head(rows)
    for expectation in (
        gxe.ExpectColumnValueZScoresToBeLessThan(column="x", threshold=1, double_sided=True),
        gxe.ExpectColumnValuesToNotBeOutliers(column="x", method=method, multiplier=1.5),
    ):
        ours, theirs = judged(expectation, frame), judged(expectation, frame.to_pandas())
        assert ours.success is True
        assert theirs.success
        assert ours.result["unexpected_count"] == theirs.result["unexpected_count"] == 0


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([True, False, None, True]),
        pl.Series(["1.0", "2.5", None, "2.5"]).cast(pl.Decimal(10, 2)),
        pl.Series([None, None]),
        pl.Series([None], dtype=pl.Int64),
        pl.Series([0.5, float("nan"), 2.0]),
    ],
    ids=lambda each: str(each.dtype),
)
@pytest.mark.parametrize("partition", [None, {"bins": [0, 1, 3], "weights": [0.5, 0.5]}])
def test_distributions_are_those_of_pandas(judged, error_of, values, partition):
    frame = pl.DataFrame({"x": values})
    expectation = gxe.ExpectColumnKLDivergenceToBeLessThan(column="x", partition_object=partition, threshold=0.5)
    ours, theirs = judged(expectation, frame), judged(expectation, frame.to_pandas())
    assert error_of(ours) == error_of(theirs) == ""
    assert str(ours.to_json_dict()["result"]) == str(theirs.to_json_dict()["result"])


def test_bytes_are_members_of_sets(judged):
    frame = pl.DataFrame({"x": [b"a", b"\xff", None]})
    assert judged(gxe.ExpectColumnValuesToBeInSet(column="x", value_set=[b"a"]), frame).result["unexpected_list"] == [
        b"\xff"
    ]


def test_durations_observed_can_be_stored(judged):
    frame = pl.DataFrame({"x": [dt.timedelta(seconds=3), dt.timedelta(seconds=3)]})
    for expectation in (
        gxe.ExpectColumnMostCommonValueToBeInSet(column="x", value_set=["0:00:04"]),
        gxe.ExpectColumnDistinctValuesToBeInSet(column="x", value_set=["0:00:04"]),
    ):
        assert "0:00:03" in json.dumps(judged(expectation, frame).to_json_dict())


def test_rows_are_shown_whatever_types_they_have(judged, error_of):
    frame = pl.DataFrame(
        {
            "n": [1, 2],
            "wide": pl.Series([2**100, None], dtype=pl.Int128),
            "record": [{"a": 1}, None],
            "items": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int64, 2)),
            "nothing": [None, None],
            "clock": [dt.time(1), None],
        }
    )
    result = judged(gxe.ExpectColumnValuesToBeNull(column="n"), frame, include_unexpected_rows=True)
    assert error_of(result) == ""
    assert result.result["unexpected_rows"]["wide"].to_list() == [2**100, None]
    json.dumps(result.to_json_dict())
    assert PolarsBatchData(PolarsExecutionEngine(), frame).head(1)["wide"].to_list() == [2**100]


def test_lists_have_no_order(judged, error_of):
    frame = pl.DataFrame({"a": [[1]], "b": [[2]]})
    result = judged(gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="a", column_B="b"), frame)
    assert "'a' of type List(Int64): it needs a column of single values" in error_of(result)


@pytest.mark.parametrize(
    ("a", "b", "total"),
    [
        (pl.Series([200], dtype=pl.UInt8), pl.Series([100], dtype=pl.UInt8), 300),
        (pl.Series([2**62]), pl.Series([2**62]), 2.0**63),
        (pl.Series([2**63], dtype=pl.UInt64), pl.Series([-1]), 2.0**63 - 1),
        (pl.Series([16777216.0], dtype=pl.Float32), pl.Series([1.0], dtype=pl.Float32), 16777217),
        (pl.Series(["0.1"]).cast(pl.Decimal(10, 2)), pl.Series(["0.2"]).cast(pl.Decimal(10, 2)), 0.3),
        (pl.Series(["0.1"]).cast(pl.Decimal(10, 2)), pl.Series([200], dtype=pl.UInt8), 200.1),
        (pl.Series(["0.5"]).cast(pl.Decimal(10, 2)), pl.Series([0.25]), 0.75),
        (pl.Series([True]), pl.Series([True]), 2),
        (pl.Series([True]), pl.Series([1.5]), 2.5),
    ],
    ids=str,
)
def test_sums_of_a_record_and_of_a_column_neither_wrap_round_nor_lose_digits(judged, error_of, a, b, total):
    frame = pl.DataFrame({"a": a, "b": b})
    for columns in (["a", "b"], ["b", "a"]):
        result = judged(gxe.ExpectMulticolumnSumToEqual(column_list=columns, sum_total=total), frame)
        assert (error_of(result), result.success) == ("", True), columns
    if a.dtype == b.dtype:
        column = pl.DataFrame({"x": pl.concat([a, b])})
        observed = judged(gxe.ExpectColumnSumToBeBetween(column="x", min_value=0), column).result["observed_value"]
        assert float(observed) == pytest.approx(total, rel=1e-12)


NAMES = ["a b", "x.y", "ünï", 'q"q', "'", "`", "0", "index", "value", "count", "len", "bin", "n", "condition"]
OWN = [ROW, f"_{ROW}", "__word", "__key0", "__n", "__unexpected", "0.0", "literal"]


@pytest.mark.parametrize("name", [*NAMES, *OWN])
def test_columns_may_have_any_name(judged, name):
    frame = pl.DataFrame({name: [1, 1, 3, 2, None], "other": [1, 1, 1, 2, 3]})
    crowded = frame.with_columns(pl.lit(7).alias(own) for own in OWN if own != name)
    wanted = {"unexpected_index_column_names": [name], "include_unexpected_rows": True}
    for expectation in (
        gxe.ExpectColumnValuesToBeInSet(column=name, value_set=[1]),
        gxe.ExpectColumnValuesToBeUnique(column=name),
        gxe.ExpectColumnValuesToBeIncreasing(column=name),
        gxe.ExpectColumnUniqueValueCountToBeBetween(column=name, max_value=1),
        gxe.ExpectColumnMostCommonValueToBeInSet(column=name, value_set=[2]),
        gxe.ExpectColumnMedianToBeBetween(column=name, min_value=7),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=[name, "other"]),
    ):
        ours = judged(expectation, crowded, **wanted)
        theirs = judged(expectation, frame.to_pandas(), **wanted)
        assert ours.success is False, expectation
        for field in ("unexpected_count", "unexpected_list", "unexpected_index_list", "observed_value"):
            assert ours.result.get(field) == theirs.result.get(field), (expectation, field)


def test_a_frame_without_columns_has_rows_and_columns_to_count(judged):
    assert judged(gxe.ExpectTableColumnCountToEqual(value=0), pl.DataFrame()).success
    assert judged(gxe.ExpectTableRowCountToEqual(value=0), pl.DataFrame()).success


@pytest.mark.slow
def test_a_set_may_be_large(judged):
    frame = pl.DataFrame({"x": [5, 100_001]})
    result = judged(gxe.ExpectColumnValuesToBeInSet(column="x", value_set=list(range(100_000))), frame)
    assert result.result["unexpected_list"] == [100_001]
    pairs = [(number, number) for number in range(3000)]
    twins = pl.DataFrame({"a": [7, 8], "b": [7, 9]})
    result = judged(gxe.ExpectColumnPairValuesToBeInSet(column_A="a", column_B="b", value_pairs_set=pairs), twins)
    assert result.result["unexpected_list"] == [(8, 9)]


@pytest.mark.parametrize(
    "regex",
    [
        "x$", "^x$|y$", "(x|y)$", r"x$\n", r"[x$]", r"x\$", "x$y?", "(?m)^b$", "[a&&b]", "[+--]", "[[a]", "x{,2}y",
        r"\w$",
        r"\d", r"\bb", "(?i)X$", r"(x)\1", "(?<!a)x", "[]x$]", r"\Ax\Z", "a.b", "(?s)a.b$",
    ],
)  # fmt: skip
def test_regular_expressions_find_what_python_finds(judged, regex):
    words = [
        "x",
        "x\n",
        "x\n\n",
        "xy",
        "y",
        "x$",
        "$",
        "&",
        "a",
        "b",
        "ab",
        "a\nb",
        "a\nb\n",
        "-",
        "[",
        "é",
        "٣",
        "X\n",
        "xx",
        "",
    ]
    result = judged(gxe.ExpectColumnValuesToNotMatchRegex(column="x", regex=regex), pl.DataFrame({"x": words}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        assert result.result["unexpected_list"] == [word for word in words if re.search(regex, word)]


def test_a_column_named_twice_is_one_part_of_a_key(judged):
    frame = pl.DataFrame({"x": [1, 1, 2]})
    result = judged(gxe.ExpectCompoundColumnsToBeUnique(column_list=["x", "x"]), frame)
    assert result.result["unexpected_list"] == [{"x": 1}, {"x": 1}]
    double = judged(gxe.ExpectMulticolumnSumToEqual(column_list=["x", "x"], sum_total=2), frame)
    assert double.result["unexpected_list"] == [{"x": 2}]


def test_what_a_column_cannot_hold_is_missing_from_it(judged):
    frame = pl.DataFrame({"x": [1, None]})
    values = [1, None, math.inf, "a", 2**70]
    for engine in (frame, frame.to_pandas()):
        result = judged(gxe.ExpectColumnDistinctValuesToContainSet(column="x", value_set=values), engine)
        assert result.result["missing_count"] == 4


def test_long_text_is_matched_and_shown(judged):
    frame = pl.DataFrame({"x": ["a" * 200_000, "b"]})
    result = judged(gxe.ExpectColumnValuesToMatchRegex(column="x", regex="^a+$"), frame)
    assert result.result["unexpected_list"] == ["b"]
    assert judged(gxe.ExpectColumnValueLengthsToBeBetween(column="x", max_value=1), frame).result[
        "unexpected_index_list"
    ] == [0]


def test_queries_that_cannot_be_answered_are_named(judged, error_of):
    frame = pl.DataFrame({"x": [1]})
    for query in ("SELECT * FROM {batch} WHERE y > 2", "SELECT * FROM {batch} {more}"):
        result = judged(gxe.UnexpectedRowsExpectation(unexpected_rows_query=query), frame)
        assert f"The query {query!r} cannot be answered" in error_of(result)


def test_variables_in_storage_options_stay_variables_in_what_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_STORE", "1234")
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "a.parquet")
    context = gx.get_context(mode="file", project_root_dir=tmp_path)
    options = {"aws_secret_access_key": "${SECRET_OF_THE_STORE}", "aws_region": "eu-central-1"}
    source = context.data_sources.add_polars("files")
    source.add_parquet_asset("a", path=str(tmp_path / "a.parquet"), storage_options=options)
    written = (tmp_path / "gx" / "great_expectations.yml").read_text(encoding="utf-8")
    assert "${SECRET_OF_THE_STORE}" in written
    assert "1234" not in written
    seen = []
    original = pl.scan_parquet
    monkeypatch.setattr(
        pl, "scan_parquet", lambda path, **more: seen.append(more["storage_options"]) or original(path, **more)
    )
    asset = gx.get_context(mode="file", project_root_dir=tmp_path).data_sources.get("files").get_asset("a")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch()
    assert seen == [{"aws_secret_access_key": "1234", "aws_region": "eu-central-1"}]
    assert batch.validate(gxe.ExpectTableRowCountToEqual(value=1)).success
    assert isinstance(asset.datasource.get_execution_engine(), PolarsExecutionEngine)
