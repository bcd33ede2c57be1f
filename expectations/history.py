"""Gates against the past: bounds for a partition, learned from the last good ones.

Everything here is a function of its arguments: the history is handed over, as one `Profile` a partition. Bounds are
robust: the median of the past, plus and minus a number of median absolute deviations (times 1.4826, so that they are
standard deviations where the past is normal), and never narrower than a share of the median, since a past that never
changed would otherwise forbid every change. Rousseeuw and Croux, Alternatives to the Median
Absolute Deviation, 1993.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, Self, get_args

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from expectations.declaration import HISTORY, SEVERITIES, ExpectationSpec, GateError, Severity
from foundation.nearest import hint

# Of a normal distribution, the standard deviation over the median absolute deviation.
NORMAL = 1.4826
MOST_CATEGORIES = 50

Watch = Literal["row_count", "null_share", "mean", "distribution"]


class HistorySpec(BaseModel):
    """What is held against the past.

    Attributes:
        watch: The row count, and of each column the share of missing values, the mean, the distribution of values.
        partitions: How many of the last good partitions are looked at.
        same_weekday: Only those of the same day of the week, where weekends are unlike other days.
        minimum: With fewer of them nothing is expected yet.
        deviations: How many robust standard deviations from the median are still good.
        slack: Bounds are never nearer to the median than this share of it; of shares, than this much itself.
        columns: The columns watched; None for all. A declaration names those whose distribution is watched: text,
            Booleans or categories, of few values.
        severity: What a deviation means.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    watch: tuple[Watch, ...] = ("row_count", "null_share", "mean")
    partitions: int = Field(default=28, ge=2)
    same_weekday: bool = False
    minimum: int = Field(default=5, ge=2)
    deviations: float = Field(default=4.0, gt=0)
    slack: float = Field(default=0.05, ge=0)
    columns: tuple[str, ...] | None = None
    severity: Severity = "warning"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.minimum > self.partitions:
            raise ValueError(f"minimum {self.minimum} is more than the {self.partitions} partitions that are looked at")
        return self

    def past(self, days: Iterable[date], day: date) -> list[date]:
        """Those of the published days that a day is held against, oldest first: never itself nor a later one."""
        earlier = (one for one in days if one < day and (not self.same_weekday or one.weekday() == day.weekday()))
        return sorted(earlier)[-self.partitions :]


@dataclass(frozen=True)
class Watched:
    """One thing that is held against the past.

    Attributes:
        watch: What of it.
        column: Of which column; None for the row count.
        severity: What a deviation means.
    """

    watch: Watch
    column: str | None
    severity: Severity

    @property
    def check_name(self) -> str:
        """A slug, unique within the gate."""
        words = "__".join(filter(None, ["history", self.watch, self.column]))
        return "".join(c if c.isalnum() or c == "_" else "_" for c in words)


_CATEGORIES = (pl.String, pl.Categorical, pl.Enum, pl.Boolean)


def parse_history(raw: Sequence[Any], schema: Mapping[str, pl.DataType]) -> tuple[HistorySpec, ...]:
    """Read the entries `history: {…}` of a gate, and check them against the columns of their table.

    Args:
        raw: The gate's entries; those that are no `history:` are left out.
        schema: Column types; without those that nobody declared.

    Returns:
        Specs with their columns filled in.

    Raises:
        GateError: An argument is unknown or wrong, a column does not exist or cannot be watched so, or the same thing
            is watched twice.
    """
    specs = tuple(
        _spec_at(number, entry[HISTORY], schema)
        for number, entry in enumerate(raw)
        if isinstance(entry, Mapping) and set(entry) == {HISTORY}
    )
    taken: set[str] = set()
    for each in (one for spec in specs for one in watched(spec, schema)):
        if each.check_name in taken:
            of = f" of '{each.column}'" if each.column else ""
            raise GateError(f"history: the {each.watch}{of} is watched twice; leave it out of one entry.")
        taken.add(each.check_name)
    return specs


def _spec_at(number: int, entry: Any, schema: Mapping[str, pl.DataType]) -> HistorySpec:
    try:
        return _spec_of(f"gate entry {number + 1}: {HISTORY}", entry, schema)
    except GateError as error:
        raise error.within(number, HISTORY) from None


def _spec_of(where: str, entry: Any, schema: Mapping[str, pl.DataType]) -> HistorySpec:
    if entry is not None and not isinstance(entry, Mapping):
        raise GateError(f"{where}: write its arguments as a mapping, such as history: {{watch: [row_count, mean]}}")
    try:
        spec = HistorySpec(**(entry or {}))
    except ValidationError as error:
        place = [part for part in error.errors()[0]["loc"] if isinstance(part, str)][:1]
        raise GateError(f"{where}: {_complaint(error)}", place) from None
    if "distribution" in spec.watch and spec.columns is None:
        raise GateError(
            f"{where}: the watch 'distribution' needs 'columns'; name those that have few values.", ["watch"]
        )
    for column in spec.columns or ():
        if column not in schema:
            message = f"{where}: there is no column '{column}'; {hint(column, schema)}"
            raise GateError(message, ("columns", (spec.columns or ()).index(column)))
    spec = spec.model_copy(update={"columns": spec.columns or tuple(schema)})
    for watch in spec.watch:
        if watch != "row_count" and not any(one.watch == watch for one in watched(spec, schema)):
            raise GateError(f"{where}: none of the columns {', '.join(spec.columns or ())} has a {watch} to watch.")
    return spec


def _complaint(error: ValidationError) -> str:
    problem = error.errors()[0]
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        return f"unknown argument '{name}'; {hint(name, HistorySpec.model_fields)}"
    if problem["type"] == "literal_error":
        known = SEVERITIES if name == "severity" else get_args(Watch)
        return f"'{name}' cannot be {problem['input']!r}; {hint(str(problem['input']), known)}"
    message = problem["msg"].removeprefix("Value error, ")
    return f"'{name}': {message} (got {problem['input']!r})" if name else message


def watched(spec: HistorySpec, schema: Mapping[str, pl.DataType]) -> list[Watched]:
    """What a spec watches of a table, known before there is any past: one asset check each."""
    found = [Watched("row_count", None, spec.severity)] if "row_count" in spec.watch else []
    for column in spec.columns or ():
        dtype = schema[column]
        applies = {
            "null_share": True,
            "mean": dtype.is_numeric(),
            "distribution": dtype in _CATEGORIES,
        }
        found += [Watched(watch, column, spec.severity) for watch in spec.watch if applies.get(watch)]
    return found


@dataclass(frozen=True)
class ColumnProfile:
    """One column of one partition.

    Attributes:
        null_share: The share of missing values (null or NaN) of all rows.
        distinct: How many different values there are, about.
        mean: Of numbers.
        standard_deviation: Of numbers.
        minimum: Of numbers.
        maximum: Of numbers.
        shares: Of text with few values: each value's share of the rows with a value.
    """

    null_share: float
    distinct: int = 0
    mean: float | None = None
    standard_deviation: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    shares: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Profile:
    """One partition as later ones will be compared with it."""

    day: date
    rows: int
    columns: Mapping[str, ColumnProfile]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, to be kept with the partition's report."""
        return {
            "day": self.day.isoformat(),
            "rows": self.rows,
            "columns": {k: asdict(v) for k, v in self.columns.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        columns = {name: ColumnProfile(**each) for name, each in content["columns"].items()}
        return cls(date.fromisoformat(content["day"]), int(content["rows"]), columns)


@dataclass(frozen=True)
class Bounds:
    """What a value of this partition is expected to be."""

    low: float
    high: float

    def hold(self, value: float) -> bool:
        """Whether a value is good."""
        return self.low <= value <= self.high


def profile(
    frame: pl.LazyFrame, *, day: date, columns: Sequence[str] | None = None, hidden: Collection[str] = ()
) -> Profile:
    """Describe a partition: one streaming query, and a small one for the texts with few values.

    Args:
        frame: Its rows.
        day: The partition.
        columns: Those to describe; None for all.
        hidden: Those about persons, whose values are not written down.
    """
    schema = {name: dtype for name, dtype in frame.collect_schema().items() if columns is None or name in columns}
    plans = [pl.len().alias("rows")]
    for name, dtype in schema.items():
        plans += [plan.alias(f"{name}\0{what}") for what, plan in _plans(name, dtype).items()]
    row = frame.select(plans).collect(engine="streaming").row(0, named=True)
    rows = int(row["rows"])
    found: dict[str, dict[str, Any]] = {name: {} for name in schema}
    for key, value in row.items():
        if "\0" in key:
            name, what = key.split("\0")
            found[name][what] = value
    few = [
        name
        for name, dtype in schema.items()
        if name not in hidden and dtype in _CATEGORIES and 0 < found[name]["distinct"] <= MOST_CATEGORIES
    ]
    shares = _shares(frame, few)
    return Profile(day, rows, {name: _column(each, rows, shares.get(name)) for name, each in found.items()})


def _plans(name: str, dtype: pl.DataType) -> dict[str, pl.Expr]:
    column = pl.col(name)
    if dtype.is_float():
        column = column.fill_nan(None)
    plans = {"nulls": column.null_count()}
    if not dtype.is_nested():
        plans["distinct"] = column.drop_nulls().approx_n_unique() if _counts(dtype) else column.n_unique()
    if dtype.is_numeric():
        number = column.cast(pl.Float64)
        plans |= {"mean": number.mean(), "std": number.std(), "minimum": number.min(), "maximum": number.max()}
    return plans


def _counts(dtype: pl.DataType) -> bool:
    # What HyperLogLog is there for; other types have few values or none that it knows.
    return dtype.is_integer() or dtype == pl.String


def _shares(frame: pl.LazyFrame, names: Sequence[str]) -> dict[str, dict[str, float]]:
    if not names:
        return {}
    queries = [frame.select(pl.col(name).cast(pl.String)).drop_nulls().group_by(name).len("n") for name in names]
    shares = {}
    for name, counted in zip(names, pl.collect_all(queries, engine="streaming"), strict=True):
        total = counted["n"].sum()
        shares[name] = {value: n / total for value, n in counted.sort(name).iter_rows()}
    return shares


def _column(found: Mapping[str, Any], rows: int, shares: Mapping[str, float] | None) -> ColumnProfile:
    numbers = (found.get(what) for what in ("mean", "std", "minimum", "maximum"))
    # What JSON cannot hold (an infinity among the values) is left out.
    mean, deviation, low, high = (None if n is None or not math.isfinite(n) else float(n) for n in numbers)
    nulls = found["nulls"] / rows if rows else 0.0
    return ColumnProfile(nulls, int(found.get("distinct") or 0), mean, deviation, low, high, shares)


def learn(values: Iterable[float], *, deviations: float, slack: float, share: bool = False) -> Bounds:
    """Bounds from past values.

    Args:
        values: The past, in any order; at least one.
        deviations: How many robust standard deviations from the median are still good.
        slack: The least distance of a bound from the median, as a share of it.
        share: Whether the values are shares: then `slack` is the distance itself, and bounds stay within 0 and 1.
    """
    past = list(values)
    middle = statistics.median(past)
    spread = NORMAL * statistics.median(abs(value - middle) for value in past)
    reach = max(deviations * spread, slack if share else slack * abs(middle))
    low, high = middle - reach, middle + reach
    return Bounds(max(low, 0.0), min(high, 1.0)) if share else Bounds(low, high)


def expectations_from_history(
    spec: HistorySpec, history: Sequence[Profile], *, day: date, schema: Mapping[str, Any] | None = None
) -> tuple[ExpectationSpec, ...]:
    """The expectations of a partition that its past gives reason for.

    They are ordinary ones, to be put behind the declared ones and evaluated with them in the same query.

    Args:
        spec: What is watched.
        history: Profiles of good partitions; those of `day` and later are left out, so that a backfill is not judged by
            its own future.
        day: The partition.
        schema: The columns of the partition, if known: what is gone from it is another expectation's business.

    Returns:
        None of them as long as there are fewer than `spec.minimum` profiles.

    Raises:
        GateError: A watched column is in no profile.
    """
    known = {each.day: each for each in history}
    past = [known[one] for one in spec.past(known, day)]
    if len(past) < spec.minimum:
        return ()
    found: list[ExpectationSpec] = []
    if "row_count" in spec.watch:
        bounds = learn([each.rows for each in past], deviations=spec.deviations, slack=spec.slack)
        found.append(_spec(spec, "row_count", "expect_table_row_count_to_be_between", None, _whole(bounds)))
    for name in _watched(spec, past):
        if schema is not None and name not in schema:
            continue
        columns = [each.columns[name] for each in past if name in each.columns and each.rows]
        if len(columns) >= spec.minimum:
            found.extend(_of_column(spec, name, columns))
    return tuple(found)


def _watched(spec: HistorySpec, past: Sequence[Profile]) -> Sequence[str]:
    known = list(dict.fromkeys(name for each in past for name in each.columns))
    for name in spec.columns or ():
        if name not in known:
            raise GateError(f"The history knows no column '{name}'; {hint(name, known)}")
    return spec.columns or known


def _of_column(spec: HistorySpec, name: str, past: Sequence[ColumnProfile]) -> Iterable[ExpectationSpec]:
    bounded = functools.partial(learn, deviations=spec.deviations, slack=spec.slack)
    if "null_share" in spec.watch:
        present = bounded([1 - each.null_share for each in past], share=True)
        kind = "expect_column_proportion_of_non_null_values_to_be_between"
        yield _spec(spec, "null_share", kind, name, {"min_value": present.low, "max_value": present.high})
    means = [each.mean for each in past if each.mean is not None]
    if "mean" in spec.watch and len(means) >= spec.minimum:
        # A mean near zero has no share to speak of; the spread of the values themselves gives the slack its size.
        spreads = [each.standard_deviation or 0.0 for each in past]
        bounds = bounded(means)
        least = spec.slack * statistics.median(spreads)
        middle = statistics.median(means)
        limits = {"min_value": min(bounds.low, middle - least), "max_value": max(bounds.high, middle + least)}
        yield _spec(spec, "mean", "expect_column_mean_to_be_between", name, limits)
    shares = [each.shares for each in past if each.shares]
    if "distribution" in spec.watch and len(shares) >= spec.minimum:
        yield _spec(
            spec, "distribution", "expect_column_kl_divergence_to_be_less_than", name, _divergence(spec, shares)
        )


def _divergence(spec: HistorySpec, past: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """The mean of the past distributions, and the divergence from it that the past itself has shown."""
    values = sorted({value for shares in past for value in shares})
    # A value that one partition has never shown is not impossible.
    tail = 0.01
    mean = {value: statistics.fmean(shares.get(value, 0.0) for shares in past) for value in values}
    seen = [divergence(shares, mean, tail=tail) for shares in past]
    threshold = max(learn(seen, deviations=spec.deviations, slack=spec.slack).high, spec.slack)
    return {
        "partition_object": {"values": values, "weights": [mean[value] for value in values]},
        "tail_weight_holdout": tail,
        "threshold": threshold,
    }


def divergence(observed: Mapping[str, float], expected: Mapping[str, float], *, tail: float) -> float:
    """The Kullback-Leibler divergence of observed from expected shares, in nats; `tail` is the share of unseen ones."""
    unseen = [value for value in observed if value not in expected]
    scale = 1 - tail if unseen else 1.0
    total = 0.0
    for value, share in observed.items():
        if share > 0:
            likely = expected[value] * scale if value in expected else tail / len(unseen)
            total += share * math.log(share / likely) if likely > 0 else math.inf
    return total


def _whole(bounds: Bounds) -> dict[str, int]:
    return {"min_value": max(0, math.floor(bounds.low)), "max_value": math.ceil(bounds.high)}


def _spec(spec: HistorySpec, watch: Watch, kind: str, column: str | None, limits: Mapping[str, Any]) -> ExpectationSpec:
    arguments = {**({"column": column} if column else {}), **limits}
    return ExpectationSpec(Watched(watch, column, spec.severity).check_name, kind, arguments, spec.severity)
