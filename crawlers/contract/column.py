"""What a contract says of one column."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import polars as pl
from pydantic import BeforeValidator, Field, model_validator

from crawlers.contract.path import Path, of_field, parse_path
from crawlers.contract.types import COLUMN_TYPES
from foundation.declaration import Declaration
from foundation.located import LocatedError
from foundation.nearest import hint


def _written(value: object) -> object:
    # YAML reads a day or a time for itself; as text it is the same everywhere.
    return value.isoformat() if isinstance(value, dt.date) else value


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _list_types(schema: dict[str, Any]) -> None:
    schema["enum"] = list(COLUMN_TYPES.names())


Bound = Annotated[int | float | str | None, BeforeValidator(_written, json_schema_input_type=int | float | str | None)]
Paths = Annotated[tuple[str, ...], BeforeValidator(_several, json_schema_input_type=str | tuple[str, ...])]
#: Options that only some types have; a type says which.
_OPTIONS = ("one_of", "formats", "zone", "minimum", "maximum", "items", "fields", "separator", "quoted")


class Column(Declaration):
    """What a contract says of one column.

    Attributes:
        type: the type of the values: a name in the registry of column types.
        source: written `from`: where in the record the value stands, by default under the column's own name; see
            `crawlers.contract.path`. In CSV it is the header, as it is. Several are put together with spaces between
            them, for a time whose day and hour are fields of their own.
        required: a record without a value in this column is quarantined as `missing_required`.
        one_of: the values allowed; any other is quarantined as `not_allowed`.
        pii: `hash` replaces the value by a keyed hash, `drop` removes it, both before anything is written.
        formats: how times are spelled, tried in order: a named format (`epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`,
            `iso8601`) or a pattern as Python's `strptime` takes it. Without any, `iso8601`.
        zone: the time zone of times that name none, such as `Europe/Berlin`; UTC by default. A local time that a
            change of the clocks repeats or leaves out is quarantined.
        minimum: the smallest number, or the earliest time or day (ISO 8601), allowed; what is below is quarantined as
            `out_of_range`.
        maximum: the largest or latest allowed.
        items: what each element of a list is.
        fields: what is kept of a struct, as columns are declared; `from` is seen from the struct.
        separator: what stands between the elements of a list that is written as text.
        quoted: whether numbers and booleans may be served as text in JSON, as some exports do with large numbers.
        null_values: texts that stand for "no value", such as `NA`.
        description: shown beside the column.
    """

    type: str = Field(json_schema_extra=_list_types)
    source: Paths = Field(default=(), alias="from")
    required: bool = False
    one_of: tuple[str | int | float | bool, ...] | None = None
    pii: Literal["hash", "drop"] | None = None
    formats: tuple[str, ...] = ()
    zone: str | None = None
    minimum: Bound = None
    maximum: Bound = None
    items: Column | None = None
    fields: dict[str, Column] = Field(default_factory=dict)
    separator: str | None = Field(default=None, min_length=1)
    quoted: bool = False
    null_values: tuple[str, ...] = ()
    description: str = ""

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type of the column in the raw table."""
        if self.pii == "hash":
            return pl.List(pl.String()) if self.type == "list" else pl.String()
        return self.declared_dtype

    @property
    def declared_dtype(self) -> pl.DataType:
        """The Polars type of the values as served, before hashing."""
        return COLUMN_TYPES[self.type].dtype(self)

    @property
    def spelled(self) -> tuple[str, ...]:
        """The formats to try, in order: the declared ones, or ISO 8601."""
        return self.formats or ("iso8601",)

    @cached_property
    def bounds(self) -> tuple[Any, Any]:
        """The smallest and the largest value allowed, as they are compared with values; None where there is none."""
        kind = COLUMN_TYPES[self.type]
        return (
            None if self.minimum is None else kind.bound(self.minimum),
            None if self.maximum is None else kind.bound(self.maximum),
        )

    def paths(self, name: str) -> tuple[Path, ...]:
        """Where its value stands in a record.

        Args:
            name: the column's own, under which it is looked for unless `from` says otherwise.
        """
        return tuple(parse_path(text) for text in self.source) or (of_field(name),)

    def headers(self, name: str) -> tuple[str, ...]:
        """The names of its fields where records are flat, as in CSV: `from` as it is written, without quotes."""
        return tuple(path.field if len(path.segments) == 1 else path.text for path in self.paths(name))

    @model_validator(mode="after")
    def _options_fit_the_type(self) -> Self:
        if self.type not in COLUMN_TYPES:
            raise LocatedError(f"column type '{self.type}' is unknown; {hint(self.type, COLUMN_TYPES)}", ["type"])
        kind = COLUMN_TYPES[self.type]
        for option in _OPTIONS:
            declared = getattr(self, option)
            if option not in kind.options and declared not in (None, (), False, {}):
                takers = [name for name, each in COLUMN_TYPES.entries().items() if option in each.options]
                raise LocatedError(
                    f"`{option}` is for columns of type {', '.join(takers)}, not for {self.type}; remove it", [option]
                )
        kind.check(self)
        self._check_bounds()
        self._check_one_of(kind.listed)
        self._check_paths()
        return self

    def _check_bounds(self) -> None:
        for option in ("minimum", "maximum"):
            value = getattr(self, option)
            if isinstance(value, bool):
                raise LocatedError(f"`{option}` is {value}, which is no bound", [option])
            if value is not None:
                try:
                    COLUMN_TYPES[self.type].bound(value)
                except LocatedError as error:
                    raise error.within(option) from None
        low, high = self.bounds
        if low is not None and high is not None and low > high:
            raise LocatedError(
                f"`minimum` {self.minimum} is above `maximum` {self.maximum}; no value would pass", ["minimum"]
            )

    def _check_one_of(self, allowed: tuple[Any, ...]) -> None:
        if self.one_of is None:
            return
        if not self.one_of:
            raise LocatedError("`one_of` is empty, so no value would pass; list the values or remove it", ["one_of"])
        for place, value in enumerate(self.one_of):
            if not isinstance(value, allowed) or isinstance(value, bool):
                raise LocatedError(
                    f"`one_of` lists {value!r}, which is not {COLUMN_TYPES[self.type].noun}; "
                    "quote it or change the type",
                    ["one_of", place],
                )

    def _check_paths(self) -> None:
        for place, text in enumerate(self.source):
            try:
                path = parse_path(text)
            except LocatedError as error:
                raise error.within("from", place) from None
            if path.many and self.type != "list":
                raise LocatedError(
                    f"path '{text}' gives a list ([]), but the column is of type {self.type}; declare type: list",
                    ["from", place],
                )
        if len(self.source) > 1 and self.type in ("list", "json", "struct"):
            raise LocatedError(f"a column of type {self.type} comes from one field, not from several", ["from"])
