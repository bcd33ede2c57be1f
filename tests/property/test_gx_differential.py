"""The Polars engine against GX's pandas engine: random frames, every expectation that both know, every result format.

A round is a random frame and a suite of forty random expectations, judged by both engines in one result format. Their
results are compared field by field: `success`, and everything in `result` but the text of a query. One field of one
result, as the two engines have it, is one comparison. What neither engine can evaluate compares nothing and does not
count, nor does what pandas alone cannot evaluate.

Whatever differs must be in `DOCUMENTED`, with its reason; the README of the engine tells people the same list. What was
compared is printed (`pytest -s`). A longer run: `SLUICE_DIFFERENTIAL_ROUNDS=600`.
"""

# ruff: noqa: ARG001, ARG005 - all draws, and all excuses, have one signature
from __future__ import annotations

import datetime as dt
import math
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

ROUNDS = int(os.environ.get("SLUICE_DIFFERENTIAL_ROUNDS", "60"))
# Halves that two workers can take at once, each with every result format.
HALVES = 2
EACH = 40
# What the ordinary run must have compared, and so must a longer one.
COMPARISONS = 20_000
# In turn; the last ones have the most to compare.
FORMATS: list[dict[str, Any]] = [
    {"result_format": "BOOLEAN_ONLY"},
    {"result_format": "BASIC", "partial_unexpected_count": 3},
    {"result_format": "SUMMARY", "exclude_unexpected_values": True, "unexpected_index_column_names": ["key", "int"]},
    {"result_format": "SUMMARY", "include_unexpected_rows": True},
    {"result_format": "SUMMARY", "partial_unexpected_count": 5},
    {"result_format": "SUMMARY", "partial_unexpected_count": 0},
    {"result_format": "COMPLETE", "partial_unexpected_count": 500, "return_unexpected_index_query": False},
    {"result_format": "COMPLETE"},
    {"result_format": "COMPLETE", "unexpected_index_column_names": ["key"]},
    {"result_format": "COMPLETE", "include_unexpected_rows": True},
]
WORDS = [
    "",
    "a",
    "b",
    "ab",
    "Ab",
    "äö",
    "x y",
    "2020-01-02",
    "02/01/2020",
    "12",
    "1.5",
    '{"a": 1}',
    "[]",
    "zz\n",
    "İ",
    "e\u0301",
]
DAY = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - columns without a zone need moments without one


def random_frame(rng: random.Random) -> pl.DataFrame:
    rows = rng.choice([0, 1, 2, 3, 8, 8, 20, 40])
    missing = rng.choice([0.0, 0.0, 0.2, 0.5, 1.0])

    def column(draw: Callable[[], Any], dtype: pl.DataType) -> pl.Series:
        return pl.Series([None if rng.random() < missing else draw() for _ in range(rows)], dtype=dtype)

    few, many = rng.randint(1, 4), rng.randint(5, 60)
    zone = rng.choice(["UTC", "Europe/Berlin"])
    tag = pl.Enum(["low", "mid", "high"])
    infinite = rng.choice([[], [], [], [math.inf], [math.inf, -math.inf]])
    return pl.DataFrame(
        {
            "key": pl.Series(rng.sample(range(1000), rows), dtype=pl.Int64),
            "int": column(lambda: rng.randint(-few, few), pl.Int64()),
            "wide": column(lambda: rng.randint(-many, many), pl.Int32()),
            "small": column(lambda: rng.randint(0, few), pl.UInt8()),
            "float": column(
                lambda: rng.choice([0.5, 1.5, -2.0, 3.25, float("nan"), 10.0, -0.0, 0.0, *infinite]), pl.Float64()
            ),
            "single": column(lambda: rng.choice([0.5, 1.5, -2.0, float("nan")]), pl.Float32()),
            "money": column(lambda: Decimal(rng.randint(-200, 200)) / 4, pl.Decimal(10, 2)),
            "flag": column(lambda: rng.random() < 0.7, pl.Boolean()),
            "text": column(lambda: rng.choice(WORDS), pl.String()),
            "json": column(lambda: rng.choice(['{"a": 1}', "[]", "[1]", "3"]), pl.String()),
            "other": column(lambda: rng.choice(WORDS[:4]), pl.String()),
            "category": column(lambda: rng.choice(["a", "b", "c"]), pl.Categorical()),
            "level": column(lambda: rng.choice(["low", "mid", "high"]), tag),
            "day": column(lambda: DAY.date() + dt.timedelta(days=rng.randint(0, few)), pl.Date()),
            "moment": column(lambda: DAY + dt.timedelta(hours=rng.randint(0, many)), pl.Datetime("us")),
            "zoned": column(lambda: DAY + dt.timedelta(hours=rng.randint(0, many)), pl.Datetime("us"))
            .dt.replace_time_zone("UTC")
            .dt.convert_time_zone(zone),
            "span": column(lambda: dt.timedelta(seconds=rng.randint(0, many)), pl.Duration("us")),
            "clock": column(lambda: dt.time(rng.randint(0, few)), pl.Time()),
            "bytes": column(lambda: rng.choice([b"", b"a", b"\xff"]), pl.Binary()),
            "items": column(lambda: rng.choice([[], [1], [1, 2]]), pl.List(pl.Int64())),
            "record": column(lambda: {"a": rng.randint(0, few)}, pl.Struct({"a": pl.Int64()})),
            "nothing": pl.Series([None] * rows, dtype=pl.Null()),
        }
    )


NUMBERS = ("int", "wide", "small", "float", "single", "money")
TEXTS = ("text", "other", "category", "level")
STRINGS = ("text", "other", "json")
FLOATABLE = NUMBERS[:5]
MOMENTS = ("day", "moment", "zoned")
ALL = (*NUMBERS, "flag", *TEXTS, *MOMENTS, "span", "clock", "bytes", "nothing")


def random_case(rng: random.Random, frame: pl.DataFrame) -> tuple[str, dict[str, Any]]:
    """An expectation of a random kind on a random column, with arguments near the column's values."""
    # Map expectations have the most to tell.
    kind = rng.choice(list(rng.choice([MAPS, MAPS, MAPS, CASES])))
    kwargs = CASES[kind](rng, frame)
    if rng.random() < 0.15 and "column_set" not in kwargs and "row_condition" not in kwargs and kind not in TABLES:
        if rng.random() < 0.3:
            kwargs |= {"row_condition": random_query(rng), "condition_parser": "pandas"}
        else:
            kwargs["row_condition"] = random_condition(rng, frame)
    if kind in MAPS and rng.random() < 0.4:
        kwargs["mostly"] = rng.choice([0.0, 0.3, 0.5, 0.75, 0.9])
    return kind, kwargs


def random_condition(rng: random.Random, frame: pl.DataFrame) -> Any:
    from great_expectations.expectations.row_conditions import Column

    whole, text = Column(rng.choice(["int", "wide", "float", "key"])), Column(rng.choice(["text", "other"]))
    conditions = [
        whole > rng.randint(-3, 3),
        whole <= rng.randint(-3, 3),
        whole == rng.randint(-2, 2),
        whole != rng.randint(-2, 2),
        whole.is_null(),
        whole.is_not_null(),
        text == rng.choice(WORDS[:5]),
        text != "a",
        text.is_in(["a", "b"]),
        text.is_not_in(["a", "b"]),
        whole.is_in([0, 1]),
    ]
    first, second = rng.sample(conditions, 2)
    return rng.choice([first, first, first & second, first | second])


def random_query(rng: random.Random) -> str:
    first, second = rng.sample(
        [
            f"wide > {rng.randint(-3, 3)}",
            f"int != {rng.randint(-1, 1)}",
            "wide.notnull()",
            "other in ['a', 'b']",
            "text.isnull()",
            "-2 < wide <= 3",
            "key % 2 == 0",
        ],
        2,
    )
    return rng.choice([first, f"{first} and {second}", f"{first} | {second}", f"{first} & {second}", f"not ({second})"])


def some(rng: random.Random, frame: pl.DataFrame, name: str, most: int = 4) -> list[Any]:
    """A few values, most of them from the column."""
    values = [value for value in frame[name].drop_nulls().to_list() if value == value]  # noqa: PLR0124 - NaN
    drawn = rng.sample(values, min(len(values), rng.randint(0, most)))
    foreign = {
        **{number: [0, 1, 99, 2.5] for number in NUMBERS},
        **{text: ["a", "low", "nothing"] for text in TEXTS},
        "flag": [True],
        "day": [dt.date(2020, 1, 2)],
        "moment": [DAY],
    }.get(name, values[:1])
    return [*drawn, *rng.sample(foreign, min(1, len(foreign)))]


def bound(rng: random.Random, frame: pl.DataFrame, name: str) -> Any:
    if name == "zoned":
        return rng.choice([DAY.replace(tzinfo=dt.UTC), "2020-01-01 05:00:00+00:00"])
    if name in MOMENTS:
        return rng.choice([DAY, DAY + dt.timedelta(hours=9), "2020-01-02", "2020-01-01 05:00:00"])
    return rng.choice([-1, 0, 1, 2, 0.5, 10])


def bounds(rng: random.Random, frame: pl.DataFrame, name: str, *, strict: bool = True) -> dict[str, Any]:
    low, high = bound(rng, frame, name), bound(rng, frame, name)
    chosen = rng.choice([{"min_value": low}, {"max_value": high}, {"min_value": low, "max_value": high}])
    if strict and rng.random() < 0.4:
        chosen |= {
            key.replace("value", "").replace("min_", "strict_min").replace("max_", "strict_max"): True for key in chosen
        }
    return chosen


def on(*names: str, **fixed: Callable[[random.Random], Any]) -> Callable[[random.Random, pl.DataFrame], dict[str, Any]]:
    return lambda rng, frame: {"column": rng.choice(names), **{key: draw(rng) for key, draw in fixed.items()}}


def ranged(*names: str, strict: bool = True) -> Callable[[random.Random, pl.DataFrame], dict[str, Any]]:
    def draw(rng: random.Random, frame: pl.DataFrame) -> dict[str, Any]:
        name = rng.choice(names)
        return {"column": name, **bounds(rng, frame, name, strict=strict)}

    return draw


def setted(*names: str) -> Callable[[random.Random, pl.DataFrame], dict[str, Any]]:
    def draw(rng: random.Random, frame: pl.DataFrame) -> dict[str, Any]:
        name = rng.choice(names)
        return {"column": name, "value_set": some(rng, frame, name)}

    return draw


def fraction(rng: random.Random, frame: pl.DataFrame) -> dict[str, Any]:
    return {"column": rng.choice(ALL), "min_value": rng.choice([0, 0.3, 0.9]), "max_value": 1}


def counted(rng: random.Random, frame: pl.DataFrame) -> dict[str, Any]:
    return {"column": rng.choice(ALL), "min_value": rng.randint(0, 3), "max_value": rng.randint(3, 20)}


def paired(*pairs: tuple[str, str], **fixed: Callable[[random.Random], Any]) -> Callable[..., dict[str, Any]]:
    def draw(rng: random.Random, frame: pl.DataFrame) -> dict[str, Any]:
        a, b = rng.choice(pairs)
        rule = rng.choice(["both_values_are_missing", "either_value_is_missing", "neither"])
        return {"column_A": a, "column_B": b, "ignore_row_if": rule, **{key: each(rng) for key, each in fixed.items()}}

    return draw


def record(*names: str, **fixed: Callable[[random.Random], Any]) -> Callable[..., dict[str, Any]]:
    def draw(rng: random.Random, frame: pl.DataFrame) -> dict[str, Any]:
        rule = rng.choice(["all_values_are_missing", "any_value_is_missing", "never"])
        chosen = rng.sample(names, rng.randint(2, min(3, len(names))))
        return {"column_list": chosen, "ignore_row_if": rule, **{key: each(rng) for key, each in fixed.items()}}

    return draw


def divergence(rng: random.Random, frame: pl.DataFrame) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {
            "column": rng.choice(NUMBERS[:5]),
            "partition_object": {"bins": [-5, 0, 1, 6], "weights": [0.3, 0.3, 0.4]},
            "threshold": 0.5,
            "tail_weight_holdout": 0.1,
        }
    partition = {"values": ["a", "b", "c"], "weights": [0.2, 0.3, 0.5]}
    return {"column": rng.choice(["other", "category"]), "partition_object": partition, "threshold": 0.5}


def quantiled(rng: random.Random, frame: pl.DataFrame) -> dict[str, Any]:
    ranges = {"quantiles": [0.1, 0.5, 0.9], "value_ranges": [[-10, 0], [None, 3], [0, None]]}
    return {
        "column": rng.choice(NUMBERS[:5]),
        "quantile_ranges": ranges,
        "allow_relative_error": rng.choice([False, "linear", "lower", "higher", "midpoint", "nearest"]),
    }


def pick(*options: Any) -> Callable[[random.Random], Any]:
    return lambda rng: rng.choice(options)


REGEXES = (
    "^a",
    "b$",
    "[0-9]+",
    "(?i)ab",
    "(?i)i",
    r"^\w+$",
    r"e\b",
    r"\d{4}-\d{2}",
    "ö",
    "^$",
    "^(?!a)",
    "(a|x)",
    r"(.)\1",
    "zz$",
    "(a|zz)$|x",
    "[a&&b]",
)
LIKE_TEXT = ("text", "other", "category", "level", "int", "flag", "small")
MAPS: dict[str, Callable[..., dict[str, Any]]] = {
    "expect_column_values_to_not_be_null": on(*ALL, "items", "record"),
    "expect_column_values_to_be_null": on(*ALL, "items", "record"),
    "expect_column_values_to_be_in_set": setted(*NUMBERS, *TEXTS, *MOMENTS, "flag", "bytes", "nothing"),
    "expect_column_values_to_not_be_in_set": setted(*NUMBERS, *TEXTS, *MOMENTS, "flag", "bytes", "nothing"),
    "expect_column_values_to_be_between": ranged(*NUMBERS, "flag", "moment", "zoned", "day", "nothing"),
    "expect_column_values_to_be_unique": on(*ALL, "key"),
    "expect_column_values_to_match_regex": on(*LIKE_TEXT, regex=pick(*REGEXES)),
    "expect_column_values_to_not_match_regex": on(*LIKE_TEXT, regex=pick(*REGEXES)),
    "expect_column_values_to_match_regex_list": on(
        *TEXTS, regex_list=pick(["^a", "b"], ["ö", "x"], ["a"]), match_on=pick("any", "all")
    ),
    "expect_column_values_to_not_match_regex_list": on(*TEXTS, regex_list=pick(["^a", "b"], ["ö", "x"])),
    "expect_column_value_lengths_to_be_between": on(*TEXTS, "int", min_value=pick(0, 1, 2), max_value=pick(2, 3, 9)),
    "expect_column_value_lengths_to_equal": on(*TEXTS, "int", value=pick(0, 1, 2, 3)),
    "expect_column_values_to_match_strftime_format": on(*STRINGS, strftime_format=pick("%Y-%m-%d", "%d/%m/%Y", "%H")),
    "expect_column_values_to_be_dateutil_parseable": on(*STRINGS),
    "expect_column_values_to_be_json_parseable": on(*TEXTS),
    "expect_column_values_to_match_json_schema": on("json", json_schema=pick({"type": "object"}, {"type": "array"})),
    "expect_column_values_to_be_increasing": on(*NUMBERS[:5], "moment", "zoned", "span", strictly=pick(None, True)),
    "expect_column_values_to_be_decreasing": on(*NUMBERS[:5], "moment", "zoned", "span", strictly=pick(None, True)),
    "expect_column_value_z_scores_to_be_less_than": on(
        *NUMBERS[:5], threshold=pick(0.5, 1.0, 2.0), double_sided=pick(True, False)
    ),
    "expect_column_values_to_not_be_outliers": on(*NUMBERS[:5], method=pick("iqr", "std"), multiplier=pick(0.5, 1.5)),
    "expect_column_pair_values_to_be_equal": paired(
        ("int", "wide"), ("text", "other"), ("float", "int"), ("category", "other"), ("day", "moment")
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": paired(
        ("int", "wide"), ("float", "int"), ("wide", "small"), ("text", "other"), or_equal=pick(None, True)
    ),
    "expect_column_pair_values_to_be_in_set": paired(
        ("int", "small"), ("other", "text"), value_pairs_set=pick([(0, 1), (1, 0)], [("a", "b"), ("a", None)])
    ),
    "expect_compound_columns_to_be_unique": record("int", "text", "flag", "float", "category", "moment"),
    "expect_select_column_values_to_be_unique_within_record": record("int", "wide", "small", "float"),
    "expect_multicolumn_sum_to_equal": record("int", "wide", "small", "float", sum_total=pick(0, 1, 2.5)),
    "expect_multicolumn_values_to_be_equal": record("int", "wide", "small", "float"),
}  # fmt: skip
TABLES: dict[str, Callable[..., dict[str, Any]]] = {
    "expect_table_row_count_to_be_between": lambda rng, frame: {"min_value": rng.randint(0, 9)},
    "expect_table_row_count_to_equal": lambda rng, frame: {"value": rng.randint(0, 9)},
    "expect_table_column_count_to_equal": lambda rng, frame: {"value": frame.width - rng.randint(0, 1)},
    "expect_table_column_count_to_be_between": lambda rng, frame: {"max_value": frame.width - rng.randint(0, 1)},
    "expect_column_to_exist": lambda rng, frame: {"column": rng.choice(["int", "nothing"])},
    "expect_table_columns_to_match_set": lambda rng, frame: {
        "column_set": rng.sample(frame.columns, 14) + rng.choice([[], ["more"]]),
        "exact_match": rng.choice([True, False]),
    },
    "expect_table_columns_to_match_ordered_list": lambda rng, frame: {
        "column_list": rng.choice([frame.columns, frame.columns[::-1], frame.columns[:5]])
    },
}
AGGREGATES: dict[str, Callable[..., dict[str, Any]]] = {
    "expect_column_mean_to_be_between": ranged(*FLOATABLE, strict=False),
    "expect_column_median_to_be_between": ranged(*NUMBERS, strict=False),
    "expect_column_stdev_to_be_between": ranged(*FLOATABLE, strict=False),
    "expect_column_sum_to_be_between": ranged(*FLOATABLE, strict=False),
    "expect_column_min_to_be_between": ranged(*NUMBERS, "moment", "zoned"),
    "expect_column_max_to_be_between": ranged(*NUMBERS, "moment", "zoned"),
    "expect_column_quantile_values_to_be_between": quantiled,
    "expect_column_proportion_of_unique_values_to_be_between": fraction,
    "expect_column_proportion_of_non_null_values_to_be_between": fraction,
    "expect_column_unique_value_count_to_be_between": counted,
    "expect_column_distinct_values_to_be_in_set": setted(*NUMBERS, *TEXTS, "flag", "moment"),
    "expect_column_distinct_values_to_contain_set": setted(*NUMBERS, *TEXTS, "flag", "moment"),
    "expect_column_distinct_values_to_equal_set": setted(*NUMBERS, *TEXTS, "flag", "moment"),
    "expect_column_most_common_value_to_be_in_set": setted("int", "small", "text", "other", "flag"),
    "expect_column_kl_divergence_to_be_less_than": divergence,
}
CASES = {**MAPS, **TABLES, **AGGREGATES}


def evaluate(frame: Any, suite: list[tuple[str, dict[str, Any]]], wanted: Mapping[str, Any]) -> list[Any]:
    """GX's results of a suite on a pandas or a Polars frame."""
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.validator.validator import Validator

    from expectations.polars_engine import PolarsExecutionEngine

    engine = PandasExecutionEngine() if isinstance(frame, pd.DataFrame) else PolarsExecutionEngine()
    engine.load_batch_data("batch", frame)
    validator = Validator(execution_engine=engine)
    validator.metrics_calculator.show_progress_bars = False
    configurations = [
        ExpectationConfiguration(type=kind, kwargs={**kwargs, "batch_id": "batch"}, meta={"number": number})
        for number, (kind, kwargs) in enumerate(suite)
    ]
    results = validator.graph_validate(configurations, runtime_configuration={"result_format": dict(wanted)})
    return sorted(results, key=lambda result: result.expectation_config.meta["number"])


# The text of a query for the unexpected rows: each engine's own.
NOT_COMPARED = {"unexpected_index_query"}


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line a type
    """A value as either engine means it: numbers as floats, moments as text in UTC, missing as None."""
    if isinstance(value, pd.DataFrame):
        return plain(value.to_dict("records"))
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | np.ndarray | pd.Series):
        return [plain(each) for each in value]
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, np.generic) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timedelta | np.timedelta64 | dt.timedelta):
        return str(pd.Timedelta(value).to_pytimedelta())
    if isinstance(value, dt.datetime | dt.date | np.datetime64):
        moment = pd.Timestamp(value)
        return str(moment if moment.tzinfo is None else moment.tz_convert("UTC").tz_localize(None))
    if isinstance(value, bool | np.bool_):
        return float(value)
    if isinstance(value, int | float | np.number | Decimal):
        return None if math.isnan(value) else float(f"{float(value):.9g}") + 0.0
    return value


def error_of(result: Any) -> str:
    info = result.exception_info or {}
    entries = [info] if "raised_exception" in info else list(info.values())
    return "; ".join(str(entry["exception_message"]) for entry in entries if entry.get("raised_exception"))


def fields(theirs: Any, ours: Any) -> Iterator[tuple[str, Any, Any]]:
    """What two results say, field by field; only `error` when one of them could not be evaluated."""
    if error_of(theirs) or error_of(ours):
        yield "error", error_of(theirs), error_of(ours)
        return
    yield "success", bool(theirs.success), bool(ours.success)
    for name in sorted({*theirs.result, *ours.result} - NOT_COMPARED):
        yield name, plain(theirs.result.get(name)), plain(ours.result.get(name))


def is_cut_short(theirs: Any, ours: Any) -> bool:
    if not (theirs and ours and isinstance(theirs[0], Mapping) and isinstance(ours[0], Mapping)):
        return False
    return all(
        isinstance(long := theirs[0][key], list) and long[: len(ours[0][key])] == ours[0][key] for key in ours[0]
    )


def counts_differ_by_missing(a: Any, b: Any) -> bool:
    """Whether pandas counts each missing value by itself, or counts where GX could not sort None among other values."""
    if not a or "None" not in str(a):
        return False
    if not b:
        return True
    together: Counter[str] = Counter()
    for each in a:
        together[str(each["value"])] += each["count"]
    # Polars keeps null and NaN apart; as pandas has them, both are None.
    counted: Counter[str] = Counter()
    for each in b:
        counted[str(each["value"])] += each["count"]
    # pandas' list is cut at its length, with its missing values one by one.
    return all(
        value in counted and (count == counted[value] or ("None" in value and count < counted[value]))
        for value, count in together.items()
    )


# Name, and what it covers: (expectation, its column, field, pandas' answer, Polars' answer). The reasons are in
# expectations/polars_engine/README.md, under the same names.
DOCUMENTED: dict[str, Callable[[str, pl.Series | None, str, Any, Any], bool]] = {
    "index lists are bounded": lambda kind, column, field, a, b: (
        field in ("partial_unexpected_index_list", "unexpected_index_list") and is_cut_short(a, b)
    ),
    "missing values are counted together": lambda kind, column, field, a, b: (
        field == "partial_unexpected_counts" and counts_differ_by_missing(a, b)
    ),
    "unsigned numbers do not wrap round": lambda kind, column, field, a, b: (
        kind.endswith(("increasing", "decreasing")) and column is not None and column.dtype == pl.UInt8
    ),
    "integers are written as integers": lambda kind, column, field, a, b: (
        ("length" in kind or "regex" in kind)
        and column is not None
        and column.dtype.is_integer()
        and column.null_count() > 0
    ),
    "dates are dates": lambda kind, column, field, a, b: (
        kind.endswith("in_set") and column is not None and column.dtype == pl.Date
    ),
    "single precision is summed in double": lambda kind, column, field, a, b: (
        column is not None
        and column.dtype == pl.Float32
        and field == "observed_value"
        and a == pytest.approx(b, rel=1e-6)
    ),
    "sets have no order": lambda kind, column, field, a, b: (
        field == "partial_missing_list" and sorted(map(str, a)) == sorted(map(str, b))
    ),
    "Polars answers where pandas raises": lambda kind, column, field, a, b: field == "error" and bool(a) and not b,
}


@dataclass
class Tally:
    """What has been compared.

    Attributes:
        fields: Comparisons by expectation.
        results: Results of which at least one field was compared.
        unanswered: Results that neither engine could give.
        known: Documented differences by name.
        wrong: What is documented nowhere.
    """

    fields: Counter[str] = field(default_factory=Counter)
    results: int = 0
    unanswered: int = 0
    known: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def compare(self, where: str, kind: str, column: pl.Series | None, theirs: Any, ours: Any) -> None:
        """Compare two results of one expectation."""
        answered = 0
        for name, x, y in fields(theirs, ours):
            if name == "error" and x and y:
                # Each engine words its own error.
                self.unanswered += 1
                continue
            answered += name != "error"
            if x == y:
                continue
            excuse = next((name_ for name_, covers in DOCUMENTED.items() if covers(kind, column, name, x, y)), None)
            if excuse is None:
                self.wrong.append(f"{where}: {name}: pandas {x!r}, Polars {y!r}")
            else:
                self.known[excuse] += 1
        self.fields[kind] += answered
        self.results += answered > 0

    def __str__(self) -> str:
        """The counts, for people."""
        known = ", ".join(f"{name} {count:,}" for name, count in self.known.most_common())
        return (
            f"{self.fields.total():,} comparisons: {self.results:,} results, {len(self.fields)} expectations; "
            f"{self.known.total():,} documented differences ({known}); "
            f"{self.unanswered:,} results that neither engine can give."
        )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # GX and pandas warn about each other at length.
@pytest.mark.parametrize("half", range(HALVES))
def test_agrees_with_pandas_on_random_frames(half: int) -> None:
    tally = Tally()
    for number in (each for each in range(ROUNDS) if each // len(FORMATS) % HALVES == half):
        rng = random.Random(number)
        frame, wanted = random_frame(rng), FORMATS[number % len(FORMATS)]
        suite = [random_case(rng, frame) for _ in range(EACH)]
        theirs, ours = evaluate(frame.to_pandas(), suite, wanted), evaluate(frame, suite, wanted)
        for (kind, kwargs), a, b in zip(suite, theirs, ours, strict=True):
            column = frame.get_column(kwargs.get("column", ""), default=None)
            where = f"round {number}, {wanted}: {kind} {kwargs} ({None if column is None else column.dtype})"
            tally.compare(where, kind, column, a, b)
    print(tally)
    assert not tally.wrong, f"{len(tally.wrong)} undocumented differences:\n" + "\n".join(tally.wrong[:20])[:8000]
    assert set(+tally.fields) == set(CASES), f"never compared: {set(CASES) - set(+tally.fields)}"
    assert tally.fields.total() >= COMPARISONS // HALVES, f"only {tally}"
    # A difference that has become rare is no excuse for one that is not documented, but many of them would hide others.
    assert tally.known.total() < tally.fields.total() / 50, str(tally)
