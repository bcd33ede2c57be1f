"""A training set: a window of examples, split by time and encoded, in files that a trainer shards."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from assets.features.encode import Encoding, fit_encoding, load_encoding
from assets.features.errors import NoExamplesError, NoPositivesError
from assets.features.examples import POSITIVE
from assets.features.history import known_before
from assets.features.pairs import PairEncoder, known_items
from assets.features.ranking import Ranking, write_ranking
from assets.features.rowgroups import row_group_rows, write_row_groups
from assets.features.spec import LABEL, ORIGIN, TIME, WEIGHT, FeaturesSpec
from assets.features.split import Split, split_days
from foundation.stable_hash import stable_hash

_FOLDERS = ("encoding", "train", "validation", "test", "ranking")


@dataclass(frozen=True)
class Part:
    """One part of the split, as written."""

    days: tuple[date, ...]
    rows: int
    positives: int


@dataclass(frozen=True)
class TrainingSet:
    """What `prepare` wrote.

    Attributes:
        folder: Holds train, validation, test and ranking (part-*.parquet) and encoding.
        parts: Days, rows and positives of train, validation and test.
        inputs: The inputs as features.json describes them.
        ranking: What was written for ranking; None when no users were asked for.
    """

    folder: Path
    parts: dict[str, Part]
    inputs: tuple[dict[str, Any], ...]
    ranking: Ranking | None

    def to_json(self) -> dict[str, Any]:
        """Return it for metadata: days as text, no path."""
        parts = {
            name: {"days": [day.isoformat() for day in part.days], "rows": part.rows, "positives": part.positives}
            for name, part in self.parts.items()
        }
        ranking = None if self.ranking is None else vars(self.ranking)
        return {"parts": parts, "inputs": list(self.inputs), "ranking": ranking}


def prepare(
    examples: pl.LazyFrame,
    spec: FeaturesSpec,
    *,
    as_of: date,
    window_days: int,
    out: Path,
    daily_window: pl.LazyFrame | None = None,
    catalogue: pl.LazyFrame | None = None,
    ranking_users: int = 0,
    seed: int = 0,
    encoding_dir: Path | None = None,
) -> TrainingSet:
    """Write the training set of the window that ends with a day.

    Vocabularies are fitted on the training days alone. Rows are written in an order drawn by hash within each day, a
    day at a time: memory is bounded by the largest day, and the files are the same however the examples are batched.

    Args:
        examples: The examples with their `date`; those outside the window are left out.
        spec: The declaration.
        as_of: The last day of the window.
        window_days: Its length.
        out: A folder; what an earlier, perhaps interrupted, call left of the same names in it is replaced.
        daily_window: Daily partial aggregates with their `date`, for ranking: at least those of the longest window
            before the first test day.
        catalogue: The catalogue's snapshot of the first test day, or the last one before, for ranking.
        ranking_users: The most users to write for ranking; none writes nothing there.
        seed: Of the order of rows and of the sample of users.
        encoding_dir: Vocabularies of an earlier training set, to measure an earlier model on the same examples: then
            nothing is fitted, and only test and ranking are written.

    Raises:
        NoExamplesError: The window has no example at all.
        NoPositivesError: No label in the window, or in its training days, is positive.
        TooFewDaysError: The split needs more days with examples.
    """
    window = _window(examples, as_of, window_days)
    counts = _counts(window, spec, as_of, window_days)
    split = split_days(counts["date"].to_list(), spec)
    parts = {name: _part(counts, days) for name, days in split.items()}
    if parts["train"].positives == 0:
        raise NoPositivesError(
            f"'{spec.name}' has no positive label on its training days, {_span(split.train)}, though there are some "
            f"later. Widen the model's window, or shorten 'split'."
        )
    for folder in _FOLDERS:
        shutil.rmtree(out / folder, ignore_errors=True)
    if encoding_dir is None:
        encoding = fit_encoding(window.filter(pl.col("date").is_in(split.train)), spec)
        written = dict(split.items())
    else:
        encoding = load_encoding(encoding_dir, spec)
        written = {"test": split.test}
    for name, days in written.items():
        frames = _encoded_days(window, days, encoding, spec, seed)
        write_row_groups(frames, out / name / "part-00000.parquet", group_rows=row_group_rows(parts[name].rows))
    ranking = None
    if ranking_users:
        ranking = _rank(window, split, encoding, daily_window, catalogue, out=out, users=ranking_users, seed=seed)
    encoding.save(out / "encoding")
    return TrainingSet(out, parts, tuple(encoding.description()["inputs"]), ranking)


def _window(examples: pl.LazyFrame, as_of: date, window_days: int) -> pl.LazyFrame:
    first = as_of - timedelta(days=window_days - 1)
    return examples.filter(pl.col("date") >= first, pl.col("date") <= as_of)


def _counts(window: pl.LazyFrame, spec: FeaturesSpec, as_of: date, window_days: int) -> pl.DataFrame:
    positive = (pl.col(LABEL) >= POSITIVE).sum().alias("positives")
    counts = window.group_by("date").agg(pl.len().alias("rows"), positive).sort("date").collect(engine="streaming")
    where = f"in the {window_days} days to {as_of}"
    if counts.is_empty():
        raise NoExamplesError(
            f"'{spec.name}' has no example {where}. Materialise '{spec.labels}' and '{spec.name}' for those days; if "
            f"they are, no label was covered: see the coverage of the labelling functions."
        )
    if counts["positives"].sum() == 0:
        raise NoPositivesError(
            f"None of the {counts['rows'].sum()} examples of '{spec.name}' {where} is positive (a probability of at "
            f"least {POSITIVE}), so there is nothing to learn. See which labelling functions of '{spec.labels}' vote "
            f"for its last label, and how often, or widen the model's window."
        )
    return counts


def _part(counts: pl.DataFrame, days: tuple[date, ...]) -> Part:
    mine = counts.filter(pl.col("date").is_in(days))
    return Part(days, int(mine["rows"].sum()), int(mine["positives"].sum()))


def _span(days: tuple[date, ...]) -> str:
    return days[0].isoformat() if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _encoded_days(
    window: pl.LazyFrame, days: tuple[date, ...], encoding: Encoding, spec: FeaturesSpec, seed: int
) -> Iterator[pl.DataFrame]:
    # Neighbours in the examples share their user; a trainer's batches should not.
    keys = [spec.user, spec.item, TIME, ORIGIN]
    for day in days:
        rows = window.filter(pl.col("date") == day).sort(stable_hash(*keys, seed=seed), *keys, LABEL)
        yield encoding.encoded(rows).select(*encoding.columns(), LABEL, WEIGHT).collect()


def _rank(
    window: pl.LazyFrame,
    split: Split,
    encoding: Encoding,
    daily_window: pl.LazyFrame | None,
    catalogue: pl.LazyFrame | None,
    *,
    out: Path,
    users: int,
    seed: int,
) -> Ranking:
    spec, first = encoding.spec, split.test[0]
    history = known_before(first, daily_window, catalogue, spec).collected()
    return write_ranking(
        window.filter(pl.col("date") < first),
        window.filter(pl.col("date").is_in(split.test)),
        PairEncoder(history, encoding, known_items(history, catalogue, spec)),
        spec,
        out / "ranking",
        users=users,
        seed=seed,
    )
