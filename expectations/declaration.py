"""A gate as it is declared: read, and checked against what Great Expectations knows, without importing it."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl
import yaml

from foundation.located import LocatedError, Location
from foundation.nearest import hint

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
COLUMN_ARGUMENTS = ("column", "column_A", "column_B")
CATALOGUE = Path(__file__).with_name("catalogue.json")
HISTORY = "history"
IN_TABLE = "expect_column_values_to_be_in_table"
# A gate's own expectations, which Great Expectations does not have.
OWN: Mapping[str, Mapping[str, Any]] = {
    IN_TABLE: {
        "column": {"required": True, "kinds": ["text"]},
        "other_table": {"required": True, "kinds": ["text"]},
        "key": {"required": True, "kinds": ["text"]},
        "mostly": {"required": False, "kinds": ["number"]},
        "row_condition": {"required": False, "kinds": ["text"]},
    }
}
_NUMBERS = ("mean", "median", "stdev", "sum", "quantile_values")
_OF_NUMBERS = {f"expect_column_{what}_to_be_between" for what in _NUMBERS} | {
    "expect_column_value_z_scores_to_be_less_than",
    "expect_column_values_to_not_be_outliers",
    "expect_multicolumn_sum_to_equal",
}
_OF_TEXT = {
    "expect_column_values_to_match_strftime_format",
    "expect_column_values_to_be_dateutil_parseable",
    "expect_column_values_to_be_json_parseable",
    "expect_column_values_to_match_json_schema",
}


class GateError(LocatedError):
    """A gate's declaration cannot be used; the message names the expectation, the culprit and the fix."""


@dataclass(frozen=True)
class ExpectationSpec:
    """One declared expectation.

    Attributes:
        check_name: A slug, unique within the gate: the expectation and the columns it speaks of.
        type: Great Expectations' name of it.
        kwargs: Its arguments.
        severity: `critical` refuses the partition, `warning` and `info` only report.
        place: Where its arguments stand in the gate, for errors.
    """

    check_name: str
    type: str
    kwargs: Mapping[str, Any]
    severity: Severity = "critical"
    place: Location = field(default=(), compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it speaks of."""
        return columns_of(self.kwargs)

    @property
    def meaning(self) -> dict[str, Any]:
        """What it says, wherever in the gate it stands."""
        return {
            "check_name": self.check_name,
            "type": self.type,
            "kwargs": dict(self.kwargs),
            "severity": self.severity,
        }


@functools.cache
def catalogue() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Every expectation by name, with its arguments: whether each is required, and the kinds of value it takes."""
    known: dict[str, Any] = _catalogue_file()["expectations"]
    return {**known, **OWN}


@functools.cache
def unsupported() -> Mapping[str, str]:
    """Expectations that a gate cannot use, with the reasons."""
    reasons: dict[str, str] = _catalogue_file()["unsupported"]
    return reasons


@functools.cache
def _catalogue_file() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return found


def parse_gate(raw: Sequence[Any], *, folder: Path | None = None) -> tuple[ExpectationSpec, ...]:
    """Read a gate.

    An entry is `{expectation: {argument: value, severity: …}}`, or Great Expectations' own
    `{type: …, kwargs: {…}, severity: …}`, or `{suite: file}` for a suite file of the latter. What stands behind
    `{history: …}` is left to `expectations.history.parse_history`.

    Args:
        raw: The entries.
        folder: Where suite files lie.

    Raises:
        GateError: An entry is not of these forms, or names an expectation, argument or severity that does not exist.
    """
    taken: dict[str, int] = {}
    entries = [
        flat
        for number, entry in enumerate(raw)
        for flat in _flatten(f"gate entry {number + 1}", (number,), entry, folder)
    ]
    return tuple(_parse(where, place, kind, arguments, taken) for where, place, kind, arguments in entries)


_Entry = tuple[str, Location, str, dict[str, Any]]


def _flatten(where: str, place: Location, entry: Any, folder: Path | None) -> Iterable[_Entry]:
    if isinstance(entry, Mapping) and set(entry) == {HISTORY}:
        return []
    if isinstance(entry, Mapping) and set(entry) == {"suite"}:
        path = (folder or Path()) / str(entry["suite"])
        try:
            suite = read_suite(path)
        except GateError as error:
            raise error.within(*place, "suite") from None
        # Within a suite file every place is that of the entry that names the file.
        return [
            (found, (*place, "suite"), kind, arguments)
            for number, each in enumerate(suite, 1)
            for found, _, kind, arguments in _flatten(f"{path} {number}", (*place, "suite"), each, None)
        ]
    if isinstance(entry, Mapping) and "type" in entry:
        arguments = dict(entry.get("kwargs") or {})
        if entry.get("severity"):
            arguments["severity"] = entry["severity"]
        return [(where, (*place, "kwargs"), str(entry["type"]), arguments)]
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((kind, given),) = entry.items()
        if given is None or isinstance(given, Mapping):
            return [(where, (*place, str(kind)), str(kind), dict(given or {}))]
    raise GateError(
        f"{where} is not an expectation with its arguments; write, for example, "
        "expect_column_values_to_not_be_null: {column: item_id}",
        place,
    )


def read_suite(path: Path) -> list[Any]:
    """The expectations of a suite file, YAML or JSON, as Great Expectations writes them.

    Raises:
        GateError: There is no such file, or it holds no expectations.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GateError(f"The suite file {path} cannot be read: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise GateError(f"The suite file {path} is not YAML: {error}") from None
    if not isinstance(content, Mapping) or not isinstance(content.get("expectations"), list):
        raise GateError(f"The suite file {path} has no list of 'expectations'.")
    return list(content["expectations"])


def _parse(where: str, place: Location, kind: str, arguments: dict[str, Any], taken: dict[str, int]) -> ExpectationSpec:
    if kind in unsupported():
        raise GateError(f"{where}: '{kind}' cannot be used in a gate: {unsupported()[kind]}.", place)
    if kind not in catalogue():
        raise GateError(f"{where}: unknown expectation '{kind}'; {hint(kind, catalogue())}", place)
    severity = arguments.pop("severity", "critical")
    if severity not in SEVERITIES:
        message = f"{kind}: unknown severity '{severity}'; {hint(str(severity), SEVERITIES)}"
        raise GateError(message, (*place, "severity"))
    try:
        _check_arguments(kind, arguments)
    except GateError as error:
        raise error.within(*place) from None
    columns = columns_of(arguments)
    slug = "".join(c if c.isalnum() or c == "_" else "_" for c in "__".join([kind, *columns])[:180])
    taken[slug] = taken.get(slug, 0) + 1
    name = slug if taken[slug] == 1 else f"{slug}__{taken[slug]}"
    return ExpectationSpec(name, kind, arguments, severity, place)


def _check_arguments(kind: str, arguments: Mapping[str, Any]) -> None:
    known = catalogue()[kind]
    for name, value in arguments.items():
        if name not in known:
            raise GateError(f"{kind}: unknown argument '{name}'; {hint(str(name), known)}", [str(name)])
        try:
            _check_value(kind, name, value, known[name])
        except GateError as error:
            raise error.within(str(name)) from None
    for name, argument in known.items():
        if argument["required"] and name not in arguments:
            raise GateError(f"{kind}: the argument '{name}' is required; add it.")
    if "min_value" in known and kind != "expect_column_kl_divergence_to_be_less_than":
        low, high = arguments.get("min_value"), arguments.get("max_value")
        if low is None and high is None:
            raise GateError(f"{kind}: give a min_value, a max_value, or both.")
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            raise GateError(f"{kind}: min_value {low} is greater than max_value {high}.", ["min_value"])


def _check_value(kind: str, name: str, value: Any, argument: Mapping[str, Any]) -> None:
    kinds = argument["kinds"]
    if value is None:
        if argument["required"]:
            raise GateError(f"{kind}: the argument '{name}' has no value; it needs a {' or a '.join(kinds)}.")
        return
    if "anything" not in kinds and not set(kinds) & set(_kinds_of(value)):
        raise GateError(f"{kind}: the argument '{name}' must be a {' or a '.join(kinds)}, not {value!r}.")
    choices = argument.get("choices")
    if choices and value not in choices:
        raise GateError(f"{kind}: the argument '{name}' cannot be {value!r}; {hint(str(value), choices)}")
    if name == "mostly" and not 0 <= value <= 1:
        raise GateError(f"{kind}: 'mostly' is a share between 0 and 1, not {value!r}.")


def _kinds_of(value: Any) -> tuple[str, ...]:
    if isinstance(value, bool):
        return ("boolean",)
    if isinstance(value, int | float):
        return ("number",)
    if isinstance(value, dt.date):
        return ("moment", "text")
    if isinstance(value, str):
        # Moments are written as text.
        return ("text", "moment")
    return ("mapping",) if isinstance(value, Mapping) else ("list",) if isinstance(value, Sequence) else ()


def columns_of(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that an expectation's arguments name."""
    single = [str(arguments[name]) for name in COLUMN_ARGUMENTS if name in arguments]
    return (*single, *(str(name) for name in arguments.get("column_list") or ()))


def check_gate(gate: Sequence[ExpectationSpec], schema: Mapping[str, pl.DataType]) -> None:
    """Check a gate against the columns of its table, when definitions load.

    Raises:
        GateError: A column does not exist (the nearest one is proposed), or its type gives the expectation no meaning.
    """
    for expectation in gate:
        if expectation.type in ("expect_column_to_exist", "expect_table_columns_to_match_ordered_list"):
            continue
        for column in expectation.columns:
            if column not in schema:
                message = f"{expectation.type}: there is no column '{column}'; {hint(column, schema)}"
                raise GateError(message, _place_of(column, expectation))
            try:
                _check_type(expectation.type, column, schema[column])
            except GateError as error:
                raise error.within(*_place_of(column, expectation)) from None
        _check_condition(expectation, schema)


def _place_of(column: str, expectation: ExpectationSpec) -> Location:
    for name, value in expectation.kwargs.items():
        if value == column:
            return (*expectation.place, name)
        if isinstance(value, list) and column in value:
            return (*expectation.place, name, value.index(column))
    return expectation.place


def _check_type(kind: str, column: str, dtype: pl.DataType) -> None:
    # Schemas may hold classes, such as pl.Int64, where frames hold instances.
    dtype = dtype() if isinstance(dtype, type) else dtype
    moments = dtype.is_temporal() and kind not in ("expect_multicolumn_sum_to_equal", "expect_column_sum_to_be_between")
    if kind in _OF_NUMBERS and not (dtype.is_numeric() or dtype == pl.Boolean or moments):
        raise GateError(f"{kind}: column '{column}' is of type {dtype}, but the expectation is about numbers.")
    if kind in _OF_TEXT and dtype not in (pl.String, pl.Categorical, pl.Enum):
        raise GateError(f"{kind}: column '{column}' is of type {dtype}, but the expectation is about text.")


def _check_condition(expectation: ExpectationSpec, schema: Mapping[str, pl.DataType]) -> None:
    condition = expectation.kwargs.get("row_condition")
    if not isinstance(condition, str):
        return
    try:
        names = pl.sql_expr(condition).meta.root_names()
    except pl.exceptions.PolarsError:
        # In the query style of pandas, which is looked at when the gate runs.
        return
    for name in names:
        if name not in schema:
            message = f"{expectation.type}: row_condition: there is no column '{name}'; {hint(name, schema)}"
            raise GateError(message, (*expectation.place, "row_condition"))


def tables_of(gate: Sequence[ExpectationSpec]) -> tuple[str, ...]:
    """The other tables that a gate looks into."""
    return tuple(dict.fromkeys(str(each.kwargs["other_table"]) for each in gate if each.type == IN_TABLE))
