"""The contract of a source: which columns its records have, of which type, and what is personal."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from foundation.declaration import Declaration

TypeName = Literal["string", "integer", "float", "boolean", "datetime", "date"]

UNKNOWN = "_unknown"
CRAWLED_AT = "crawled_at"
FILE = "_file"
LINE = "_line"
#: Columns that Sluice adds to every raw record, so no source may declare them.
RESERVED = (UNKNOWN, CRAWLED_AT, FILE, LINE)

TIMESTAMP = pl.Datetime("us", "UTC")
NAMED_FORMATS = ("epoch_ms", "epoch_s", "iso8601")

_POLARS_TYPES: Mapping[str, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "float": pl.Float64(),
    "boolean": pl.Boolean(),
    "datetime": TIMESTAMP,
    "date": pl.Date(),
}


class Column(Declaration):
    """What a contract says of one column.

    Attributes:
        type: the type of the values.
        required: a record without a value in this column is quarantined as `missing_required`.
        one_of: the values allowed; any other is quarantined as `not_allowed`.
        pii: `hash` replaces the value by a keyed hash, `drop` removes it, both before anything is written.
        formats: how dates are spelled, tried in order: `epoch_ms`, `epoch_s`, `iso8601`, or a strptime pattern.
            Without any, `iso8601`.
        minimum: the smallest number allowed; a smaller one is quarantined as `out_of_range`.
        maximum: the largest number allowed.
        null_values: texts that stand for "no value", such as `NA`.
        description: shown beside the column.
    """

    type: TypeName
    required: bool = False
    one_of: tuple[str | int | float | bool, ...] | None = None
    pii: Literal["hash", "drop"] | None = None
    formats: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    null_values: tuple[str, ...] = ()
    description: str = ""

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type of the column in the raw table."""
        return pl.String() if self.pii == "hash" else _POLARS_TYPES[self.type]

    @property
    def declared_dtype(self) -> pl.DataType:
        """The Polars type of the values as served, before hashing."""
        return _POLARS_TYPES[self.type]

    @property
    def spelled(self) -> tuple[str, ...]:
        """The formats to try, in order: the declared ones, or ISO 8601."""
        return self.formats or ("iso8601",)

    @model_validator(mode="after")
    def _options_fit_the_type(self) -> Self:
        temporal = self.type in ("datetime", "date")
        if self.formats and not temporal:
            raise ValueError(f"`formats` is for datetime and date columns, not for {self.type}; remove it")
        for spelling in self.formats:
            if spelling not in NAMED_FORMATS and "%" not in spelling:
                near = difflib.get_close_matches(spelling, NAMED_FORMATS, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(NAMED_FORMATS)}"
                raise ValueError(
                    f"format '{spelling}' is neither known nor a strptime pattern such as '%Y-%m-%d'; {hint}"
                )
        if (self.minimum is not None or self.maximum is not None) and self.type not in ("integer", "float"):
            raise ValueError(f"`minimum` and `maximum` are for integer and float columns, not for {self.type}")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"`minimum` {self.minimum} is above `maximum` {self.maximum}; no number would pass")
        self._check_one_of()
        return self

    def _check_one_of(self) -> None:
        if self.one_of is None:
            return
        allowed: tuple[type, ...]
        match self.type:
            case "string":
                allowed = (str,)
            case "integer":
                allowed = (int,)
            case "float":
                allowed = (int, float)
            case _:
                raise ValueError(f"`one_of` is for string, integer and float columns, not for {self.type}")
        if not self.one_of:
            raise ValueError("`one_of` is empty, so no value would pass; list the values or remove it")
        for value in self.one_of:
            if not isinstance(value, allowed) or isinstance(value, bool):
                # pydantic reports ValueError beside the field that it concerns, and lets TypeError through.
                raise ValueError(  # noqa: TRY004
                    f"`one_of` lists {value!r}, which is not a {self.type}; quote it or change the type",
                )


class Contract(Declaration):
    """The columns of a source's records, in order.

    Attributes:
        columns: the declared columns.
        unknown_columns: what becomes of fields that are not declared: kept as a JSON object in `_unknown`,
            discarded, or a reason to quarantine the record (`unknown_column`).
        event_time: the datetime column that says when a record happened, if one does.
    """

    columns: dict[str, Column] = Field(min_length=1)
    unknown_columns: Literal["keep", "discard", "reject"] = "keep"
    event_time: str | None = None

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        for name in self.columns:
            if not name:
                raise ValueError("a column has an empty name; give it one")
            if name in RESERVED or name.startswith("__") or name == "date":
                raise ValueError(
                    f"column '{name}' is declared, but Sluice uses that name itself "
                    f"({', '.join((*RESERVED, 'date', '__*'))}); rename it at the source, or leave it undeclared",
                )
        if self.event_time is not None:
            self._check_event_time(self.event_time)
        return self

    def _check_event_time(self, name: str) -> None:
        column = self.columns.get(name)
        if column is None:
            near = difflib.get_close_matches(name, self.columns, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"declared are {', '.join(self.columns)}"
            raise ValueError(f"`event_time` names column '{name}', which is not declared; {hint}")
        if column.type != "datetime" or column.pii is not None:
            raise ValueError(f"`event_time` names column '{name}', which must be a datetime without `pii`")

    @property
    def has_pii(self) -> bool:
        """Whether any column is personal, so that raw text must not leave landing."""
        return any(column.pii is not None for column in self.columns.values())

    @property
    def needs_secret(self) -> bool:
        """Whether any column is hashed with the secret key."""
        return any(column.pii == "hash" for column in self.columns.values())

    def kept_columns(self) -> dict[str, Column]:
        """The declared columns that the raw table holds: all but the dropped ones."""
        return {name: column for name, column in self.columns.items() if column.pii != "drop"}

    def raw_schema(self) -> dict[str, pl.DataType]:
        """The schema of the raw table: declared columns in order, then those that Sluice adds."""
        schema: dict[str, pl.DataType] = {name: column.dtype for name, column in self.kept_columns().items()}
        if self.unknown_columns == "keep":
            schema[UNKNOWN] = pl.String()
        return schema | {CRAWLED_AT: TIMESTAMP, FILE: pl.String(), LINE: pl.Int64()}
