"""Bounds beside an observed moment or decimal.

Great Expectations compares the two as they are. Python refuses to compare a moment with a day, or one with a zone with
one without; and Great Expectations reads the text of a day, `2020-01-31`, as a day. Here a day means its midnight, and
what has no zone means the column's. Beside a decimal, a bound of 0.1 means a tenth and not the nearest binary fraction.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from great_expectations.expectations import core

from expectations.polars_engine.errors import PolarsEngineError
from expectations.polars_engine.literals import as_moment
from expectations.polars_engine.verdict import Judge, Verdict, judge_with


def _of(metric: str) -> Judge:
    def judge(expectation: Any, metrics: dict[str, Any], as_usual: Callable[[Any], Verdict]) -> Verdict:
        observed = metrics[metric]
        bounds = {name: getattr(expectation, name) for name in ("min_value", "max_value")}
        if isinstance(observed, dt.datetime):
            bounds = {name: _beside(observed, bound) for name, bound in bounds.items()}
        elif isinstance(observed, Decimal):
            bounds = {name: _as_written(bound) for name, bound in bounds.items()}
        elif isinstance(observed, float):
            # A mean or a median of integers is a float, and is held against the float nearest to a bound.
            bounds = {name: float(bound) if type(bound) is int else bound for name, bound in bounds.items()}
        try:
            return as_usual(expectation.copy(update=bounds))
        except TypeError:
            given = ", ".join(f"{name} {bound!r}" for name, bound in bounds.items() if bound is not None)
            raise PolarsEngineError(
                f"{metric} of column '{expectation.column}' is {observed!r}, which cannot be compared with {given}; "
                "give bounds of the column's type, or cast the column."
            ) from None

    return judge


def _beside(observed: dt.datetime, bound: Any) -> Any:
    moment = as_moment(bound)
    if moment is None or (moment.tzinfo is None) == (observed.tzinfo is None):
        return bound if moment is None else moment
    if observed.tzinfo is None:
        return moment.astimezone(dt.UTC).replace(tzinfo=None)
    return moment.replace(tzinfo=observed.tzinfo)


def _as_written(bound: Any) -> Any:
    return Decimal(str(bound)) if isinstance(bound, float) and math.isfinite(bound) else bound


for _expectation, _metric in (
    (core.ExpectColumnMinToBeBetween, "column.min"),
    (core.ExpectColumnMaxToBeBetween, "column.max"),
    (core.ExpectColumnMeanToBeBetween, "column.mean"),
    (core.ExpectColumnMedianToBeBetween, "column.median"),
    (core.ExpectColumnSumToBeBetween, "column.sum"),
):
    judge_with(_expectation, _of(_metric))
