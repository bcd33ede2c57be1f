"""How long ago the last event was."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from assets.features.inputs import Dense
from assets.features.registry import MISSING, Feature, Grouping, Names, Windows, register_feature

_SECONDS_A_DAY = 86_400


@register_feature("recency")
class Recency(Feature):
    """log1p of the seconds from the last event before the example's day to the example's own time.

    Bounded by the longest window. Without any event in it the value is 0 and the flag `…__recency__missing` is 1.

    Attributes:
        by: Columns to look by: the user, the item, columns of the catalogue, declared attributes.
        of: Event types that count; without any, all.
    """

    example: ClassVar[Mapping[str, Any]] = {"by": ["user_id", "item_id"], "of": "view"}

    by: Names = Field(min_length=1)
    of: Names = ()

    @property
    def _name(self) -> str:
        return "__".join(["_".join(self.by), *(["_".join(self.of)] if self.of else []), "recency"])

    @property
    def _raw(self) -> str:
        return f"__last({','.join(self.by)})__{'+'.join(self.of)}"

    def groupings(self) -> tuple[Grouping, ...]:  # noqa: D102
        return (self.by,)

    def event_types(self) -> tuple[str, ...]:  # noqa: D102
        return self.of

    def aggregations(self, windows: Windows) -> Sequence[tuple[Grouping, pl.Expr]]:  # noqa: D102
        del windows
        last = pl.col("last").filter(pl.col("event_type").is_in(self.of)) if self.of else pl.col("last")
        return [(self.by, last.max().alias(self._raw))]

    def expressions(self, windows: Windows) -> Sequence[pl.Expr]:  # noqa: D102
        seconds = (pl.col("time") - pl.col(self._raw)).dt.total_microseconds() / 1e6
        bounded = seconds.clip(0, windows.longest * _SECONDS_A_DAY)
        return [
            bounded.log1p().fill_null(0).cast(pl.Float32).alias(self._name),
            pl.col(self._raw).is_null().cast(pl.Float32).alias(self._name + MISSING),
        ]

    def inputs(self, windows: Sequence[str]) -> tuple[Dense, ...]:  # noqa: D102
        del windows
        return (Dense(self._name), Dense(self._name + MISSING))
