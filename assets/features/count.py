"""How many events of a kind there were in each trailing window, by user, item, category or any of them together."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field, model_validator

from assets.features.inputs import Dense
from assets.features.registry import Feature, Grouping, Names, Windows, register_feature
from foundation.located import LocatedError

_ANY = "events"


def _raw(grouping: Grouping, event_type: str, window: str) -> str:
    return f"__count({','.join(grouping)})__{event_type}__{window}"


@register_feature("count")
class Count(Feature):
    """log1p of the number of events in each window; none is 0.

    Columns are named `user_id__view__7d`, and `user_id_category__view__7d` by two columns.

    Attributes:
        by: Columns to count by: the user, the item, columns of the catalogue, declared attributes.
        of: Event types, each counted apart; without any, all events together (`user_id__events__7d`).
        share_of: Some of `by`: adds, e.g. for user and category, the share of this category among all the user's
            events of the type (`user_id_category__view__7d__share`); 0 when there are none.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "by": ["user_id", "category"],
        "of": ["view", "purchase"],
        "share_of": "user_id",
    }

    by: Names = Field(min_length=1)
    of: Names = ()
    share_of: Names = ()

    @model_validator(mode="after")
    def _share_is_of_fewer_columns(self) -> "Count":
        if self.share_of and not set(self.share_of) < set(self.by):
            raise LocatedError(f"share_of must name some, not all, of by ({', '.join(self.by)})", ["share_of"])
        return self

    def groupings(self) -> tuple[Grouping, ...]:  # noqa: D102
        return (self.by, self.share_of) if self.share_of else (self.by,)

    def event_types(self) -> tuple[str, ...]:  # noqa: D102
        return self.of

    def _names(self, windows: Sequence[str]) -> list[tuple[str, str, str]]:
        stem = "_".join(self.by)
        return [
            (f"{stem}__{event_type}__{window}", event_type, window)
            for event_type in self.of or (_ANY,)
            for window in windows
        ]

    def aggregations(self, windows: Windows) -> Sequence[tuple[Grouping, pl.Expr]]:  # noqa: D102
        wanted = []
        for _, event_type, window in self._names(tuple(windows.lengths)):
            within = pl.col("date") >= windows.since(window)
            if self.of:
                within &= pl.col("event_type") == event_type
            wanted += [
                (grouping, pl.when(within).then("count").sum().alias(_raw(grouping, event_type, window)))
                for grouping in self.groupings()
            ]
        return wanted

    def expressions(self, windows: Windows) -> Sequence[pl.Expr]:  # noqa: D102
        columns = []
        for name, event_type, window in self._names(tuple(windows.lengths)):
            count = pl.col(_raw(self.by, event_type, window)).fill_null(0).cast(pl.Float64)
            columns.append(count.log1p().cast(pl.Float32).alias(name))
            if self.share_of:
                whole = pl.col(_raw(self.share_of, event_type, window)).fill_null(0)
                columns.append((count / whole.clip(lower_bound=1)).cast(pl.Float32).alias(f"{name}__share"))
        return columns

    def inputs(self, windows: Sequence[str]) -> tuple[Dense, ...]:  # noqa: D102
        suffixes = ("", "__share") if self.share_of else ("",)
        return tuple(Dense(name + suffix) for name, _, _ in self._names(windows) for suffix in suffixes)
