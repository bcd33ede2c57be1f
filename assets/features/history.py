"""What is known before a day: the only thing that the features of that day's examples are made of.

Nothing here sees the day itself: of what happened before it, only what had become known before it began.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from assets.features.catalogue import catalogue_rows, item_key
from assets.features.daily import daily_schema, grouping_name
from assets.features.errors import FeaturesError
from assets.features.inputs import Category
from assets.features.registry import Grouping, Windows
from assets.features.spec import KNOWN_ON, FeaturesSpec, inputs


@dataclass(frozen=True)
class FeatureView:
    """Columns that an example gets by joining on keys.

    Attributes:
        keys: The columns to join on.
        source: One row a key, or with aggregations the partial aggregates to be rolled up.
        aggregations: How to roll them up to one row a key.
    """

    keys: tuple[str, ...]
    source: pl.LazyFrame
    aggregations: tuple[pl.Expr, ...] = ()

    @property
    def frame(self) -> pl.LazyFrame:
        """One row a key."""
        return self.source.group_by(self.keys).agg(self.aggregations) if self.aggregations else self.source

    def about(self, rows: pl.LazyFrame, columns: tuple[str, ...]) -> "FeatureView":
        """Return the same of these rows only, as told by some columns: those of all others need not be rolled up."""
        known = [column for column in self.keys if column in columns]
        if not known:
            return self
        return replace(self, source=self.source.join(rows.select(known).unique(), on=known, how="semi"))


@dataclass(frozen=True)
class History:
    """What is known before a day, apart for items, for users, and for both together.

    Attributes:
        spec: The declaration.
        windows: The windows that end before the day.
        items: FeatureView whose keys an item determines, in the order in which they must be joined.
        users: Likewise for users.
        pairs: FeatureView that take both.
        popularity: Item and number of its events in the longest window, all types together.
    """

    spec: FeaturesSpec
    windows: Windows
    items: tuple[FeatureView, ...]
    users: tuple[FeatureView, ...]
    pairs: tuple[FeatureView, ...]
    popularity: pl.LazyFrame

    def examples(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return rows (user, item and time, among others) with the columns of all features, in the same order."""
        pairs = tuple(view.about(rows, (self.spec.user, self.spec.item)) for view in self.pairs)
        return self.expressed(_joined(rows, (*self.items, *self.users, *pairs)), rows.collect_schema().names())

    def expressed(self, rows: pl.LazyFrame, keep: Iterable[str]) -> pl.LazyFrame:
        """Return the columns to keep and those of all features, from rows with all views joined."""
        wanted = inputs(self.spec)
        columns = [expr for feature in self.spec.features for expr in feature.expressions(self.windows)]
        categories = [entry.source for entry in wanted if isinstance(entry, Category)]
        others = [entry.name for entry in wanted if not isinstance(entry, Category)]
        return rows.with_columns(columns).select(list(dict.fromkeys([*keep, *categories, *others])))

    def of_items(self, items: pl.LazyFrame) -> pl.LazyFrame:
        """Return items with the views about them."""
        return _joined(items, self.items)

    def of_users(self, users: pl.LazyFrame) -> pl.LazyFrame:
        """Return users with the views about them."""
        return _joined(users, self.users)

    def of_pairs(self, pairs: pl.LazyFrame, users: pl.LazyFrame) -> pl.LazyFrame:
        """Return pairs of users and items, with the views about either, with those about both; `users` has them all."""
        # Building each join on what is about these users only keeps a chunk's cost to the chunk.
        return _joined(pairs, tuple(view.about(users, (self.spec.user,)) for view in self.pairs))

    def collected(self) -> "History":
        """Return the same with everything computed, for use on many chunks. Its size is that of distinct keys."""
        views = [*self.items, *self.users, *self.pairs]
        frames = pl.collect_all([self.popularity, *(each.frame for each in views)], engine="streaming")
        ready = [FeatureView(each.keys, frame.lazy()) for each, frame in zip(views, frames[1:], strict=True)]
        ends = (len(self.items), len(self.items) + len(self.users))
        return replace(
            self,
            items=tuple(ready[: ends[0]]),
            users=tuple(ready[ends[0] : ends[1]]),
            pairs=tuple(ready[ends[1] :]),
            popularity=frames[0].lazy(),
        )


def _joined(rows: pl.LazyFrame, views: tuple[FeatureView, ...]) -> pl.LazyFrame:
    for each in views:
        rows = rows.join(each.frame, on=list(each.keys), how="left", maintain_order="left")
    return rows


def known_before(
    day: date, daily_window: pl.LazyFrame | None, catalogue: pl.LazyFrame | None, spec: FeaturesSpec
) -> History:
    """Return what is known before a day.

    Args:
        day: The day. Partial aggregates of it and of later days are left out, whatever is passed.
        daily_window: The daily partial aggregates with their `date`; None when there are none yet.
        catalogue: The newest snapshot that was known before the day began; None when none was, or none is declared.
        spec: The declaration.
    """
    windows = spec.windows_before(day)
    window = _window(day, daily_window, spec)
    items = [FeatureView((spec.item,), _catalogue_view(catalogue, spec))] if spec.catalogue is not None else []
    users: list[FeatureView] = []
    pairs: list[FeatureView] = []
    for attribute, owner in sorted(spec.attributes.items()):
        (items if owner == spec.item else users).append(_attribute_view(window, attribute, owner, spec))
    for grouping, expressions in _aggregations(windows, spec).items():
        view = FeatureView(grouping, _of(window, grouping), tuple(expressions))
        owners = {_owner(column, spec) for column in grouping}
        (pairs if len(owners) == 2 else items if spec.item in owners else users).append(view)
    counts = _of(window, (spec.item,)).group_by(spec.item).agg(pl.col("count").sum().cast(pl.UInt64))
    return History(spec, windows, tuple(items), tuple(users), tuple(pairs), counts)


def _window(day: date, daily_window: pl.LazyFrame | None, spec: FeaturesSpec) -> pl.LazyFrame:
    schema = pl.Schema({"date": pl.Date(), **daily_schema(spec)})
    if daily_window is None:
        return pl.LazyFrame(schema=schema)
    found = daily_window.collect_schema()
    if lacking := [name for name in schema if name not in found]:
        raise FeaturesError(
            f"The daily aggregates of '{spec.name}' lack the column '{lacking[0]}': they were made by an earlier "
            f"declaration; materialise '{spec.name}__daily' again for the {spec.longest_window} days before {day}."
        )
    first = day - timedelta(days=spec.longest_window)
    # Two times matter: when it happened, and when it became known. A late event is in the window, and nobody knew it.
    within = daily_window.filter(pl.col("date") >= first, pl.col("date") < day, pl.col(KNOWN_ON) < day)
    return within.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _of(window: pl.LazyFrame, grouping: Grouping) -> pl.LazyFrame:
    return window.filter(pl.col("grouping") == grouping_name(grouping))


def _owner(column: str, spec: FeaturesSpec) -> str:
    if column == spec.user:
        return spec.user
    return spec.attributes.get(column, spec.item)


def _aggregations(windows: Windows, spec: FeaturesSpec) -> dict[Grouping, list[pl.Expr]]:
    wanted: dict[Grouping, dict[str, pl.Expr]] = {}
    for feature in spec.features:
        for grouping, expression in feature.aggregations(windows):
            wanted.setdefault(grouping, {})[expression.meta.output_name()] = expression
    return {grouping: list(expressions.values()) for grouping, expressions in wanted.items()}


def _descriptions(columns: tuple[str, ...], spec: FeaturesSpec) -> list[pl.Expr]:
    described = {
        expression.meta.output_name(): expression
        for feature in spec.features
        for source, expression in feature.descriptions()
        if source in columns
    }
    return list(described.values())


def _catalogue_view(catalogue: pl.LazyFrame | None, spec: FeaturesSpec) -> pl.LazyFrame:
    keys = [key for feature in spec.features for key in feature.key_columns()]
    texts = [pl.col(column).cast(pl.String) for column in dict.fromkeys(spec.catalogue_columns(keys))]
    columns = spec.catalogue_columns(spec.read_columns)
    return catalogue_rows(catalogue, columns, spec).select(item_key(spec), *texts, *_descriptions(columns, spec))


def _attribute_view(window: pl.LazyFrame, attribute: str, owner: str, spec: FeaturesSpec) -> FeatureView:
    # Of two values seen at the same moment, the one that sorts first: the order of rows must not matter.
    newest = pl.col(attribute).sort_by(["last", attribute], descending=[True, False]).first()
    rows = _of(window, (owner, attribute)).group_by(owner).agg(newest)
    described = _descriptions((attribute,), spec)
    return FeatureView((owner,), rows.with_columns(described))
