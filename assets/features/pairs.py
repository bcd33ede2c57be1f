"""Encoded rows for users and items that have not met: what ranking and recommending score."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl

from assets.features.catalogue import catalogue_rows, item_key
from assets.features.daily import DATETIME
from assets.features.encode import Encoding, load_encoding
from assets.features.history import History, known_before
from assets.features.spec import TIME, FeaturesSpec


def as_of(day: date) -> datetime:
    """Return the time that a pair of a day is scored at: noon, amid the times of day that the model was trained on."""
    return datetime.combine(day, time(12), tzinfo=UTC)


def known_items(history: History, catalogue: pl.LazyFrame | None, spec: FeaturesSpec) -> pl.DataFrame:
    """Return every item of the catalogue, or without one every item with events in the days before, sorted."""
    if spec.catalogue is not None:
        return catalogue_rows(catalogue, (), spec).select(item_key(spec)).unique().sort(spec.item).collect()
    return history.popularity.select(spec.item).unique().sort(spec.item).collect()


class PairEncoder:
    """Encodes every user x item as of a day, a chunk of users at a time.

    What is known before the day is computed once; a chunk then costs the chunk. Memory is that of the distinct keys of
    the window and of one chunk.

    Args:
        history: What is known before the day.
        encoding: The vocabularies of the model.
        items: The items, one column named like the declaration's item; repeated ones are scored once.
    """

    def __init__(self, history: History, encoding: Encoding, items: pl.DataFrame) -> None:
        self._history = history.collected()
        self._encoding = encoding
        self._spec = history.spec
        names = items.lazy().select(pl.col(self._spec.item).cast(pl.String)).unique(maintain_order=True)
        self._items = self._history.of_items(names).collect()

    @property
    def items(self) -> pl.DataFrame:
        """The items, in the order of the rows of each user."""
        return self._items.select(self._spec.item)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return self._encoding.columns()

    def encoded(self, users: pl.DataFrame) -> pl.LazyFrame:
        """Return user, item and the inputs for each of the users (in their order) and each item (in theirs)."""
        user, item = self._spec.user, self._spec.item
        names = users.lazy().select(pl.col(user).cast(pl.String)).unique(maintain_order=True)
        described = self._history.of_users(names).collect().lazy()
        # A cross join keeps the order of both sides.
        crossed = described.join(self._items.lazy(), how="cross", maintain_order="left_right")
        moment = pl.lit(as_of(self._history.windows.day), dtype=DATETIME).alias(TIME)
        pairs = self._history.of_pairs(crossed.with_columns(moment), described)
        rows = self._encoding.encoded(self._history.expressed(pairs, [user, item]))
        return rows.select(user, item, *self._encoding.columns())

    def chunks(self, users: pl.DataFrame, *, rows: int = 65_536) -> Iterator[pl.DataFrame]:
        """Yield the encoded rows of all users, whole users at a time, about so many rows each; at least one frame."""
        step = max(1, rows // max(1, self._items.height))
        for start in range(0, max(1, users.height), step):
            yield self.encoded(users.slice(start, step)).collect()


def pair_encoder(
    items: pl.DataFrame | None,
    daily_window: pl.LazyFrame | None,
    catalogue: pl.LazyFrame | None,
    spec: FeaturesSpec,
    encoding_dir: Path,
    *,
    day: date,
) -> PairEncoder:
    """Return the encoder of pairs as of a day, to be used on many chunks of users.

    Args:
        items: The items, in a column named like the declaration's item; None for every item of the catalogue, or
            without one every item with events in the days before.
        daily_window: Daily partial aggregates with their `date`; those of the day and after it are left out.
        catalogue: The catalogue's snapshot of the day, or the last one before; None when none is declared.
        spec: The declaration.
        encoding_dir: The folder `encoding` of the training set that the model was trained on.
        day: The day to score for; for recommendations, the one after the window.
    """
    history = known_before(day, daily_window, catalogue, spec).collected()
    wanted = known_items(history, catalogue, spec) if items is None else items
    return PairEncoder(history, load_encoding(encoding_dir, spec), wanted)


def score_pairs(
    users: pl.DataFrame,
    items: pl.DataFrame | None,
    daily_window: pl.LazyFrame | None,
    catalogue: pl.LazyFrame | None,
    spec: FeaturesSpec,
    encoding_dir: Path,
    *,
    day: date,
) -> pl.LazyFrame:
    """Return the encoded rows of every user x item as of a day; see `pair_encoder`, which many users should go by."""
    return pair_encoder(items, daily_window, catalogue, spec, encoding_dir, day=day).encoded(users)
