"""A number or an age taken from the catalogue as it stands."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from assets.features.inputs import Dense
from assets.features.registry import MISSING, Feature, Windows, register_feature

_SECONDS_A_DAY = 86_400


@register_feature("column")
class Column(Feature):
    """A number of the catalogue (`price__number`), or the log1p of the days since a date of it (`added_at__age`).

    No value, or one that is not finite, is 0 with the flag `…__missing` at 1.

    Attributes:
        column: A column of the catalogue, or a declared attribute.
        as_: `number` (also of true and false), or `age` of a date or time, at the example's own time.
        log: Take sign(x)·log1p(|x|) of the number; for prices and other long tails.
    """

    example: ClassVar[Mapping[str, Any]] = {"column": "price", "log": True}

    column: str
    as_: Literal["number", "age"] = Field(default="number", alias="as")
    log: bool = False

    @property
    def _name(self) -> str:
        return f"{self.column}__{self.as_}"

    def descriptions(self) -> Sequence[tuple[str, pl.Expr]]:  # noqa: D102
        source = pl.col(self.column)
        if self.as_ == "age":
            moment = source.cast(pl.Datetime("us", "UTC"), strict=False)
            return [(self.column, moment.alias(self._name))]
        # A text that is not a number has no value: attributes are kept as text.
        number = source.cast(pl.Float64, strict=False)
        if self.log:
            number = number.sign() * number.abs().log1p()
        finite = pl.when(number.is_finite()).then(number).cast(pl.Float32)
        # A number that only Float64 can hold is not finite here.
        return [(self.column, pl.when(finite.is_finite()).then(finite).alias(self._name))]

    def expressions(self, windows: Windows) -> Sequence[pl.Expr]:  # noqa: D102
        del windows
        value = pl.col(self._name)
        missing = value.is_null().cast(pl.Float32).alias(self._name + MISSING)
        if self.as_ == "age":
            days = (pl.col("time") - value).dt.total_seconds() / _SECONDS_A_DAY
            value = days.clip(lower_bound=0).log1p().cast(pl.Float32)
        return [value.fill_null(0).alias(self._name), missing]

    def inputs(self, windows: Sequence[str]) -> tuple[Dense, ...]:  # noqa: D102
        del windows
        return (Dense(self._name), Dense(self._name + MISSING))

    def complaint(self, types: Mapping[str, pl.DataType]) -> str | None:  # noqa: D102
        found = types[self.column]
        if self.as_ == "age":
            fits = found.is_temporal() and found not in (pl.Time, pl.Duration)
            return None if fits else f"column '{self.column}' is {found}, not a date or time; leave out 'as: age'"
        if found.is_numeric() or found == pl.Boolean:
            return None
        fix = "use 'as: age'" if found.is_temporal() else "use 'vocabulary' for a category, 'tokens' for a text"
        return f"column '{self.column}' is {found}, not a number; {fix}"
