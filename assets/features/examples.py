"""The examples of one day: its labels and their negatives, with what was known before the day."""

from datetime import date

import polars as pl

from assets.features.daily import DATETIME
from assets.features.errors import FeaturesError
from assets.features.history import known_before
from assets.features.inputs import Category, Dense
from assets.features.negatives import candidates, negatives
from assets.features.spec import LABEL, ORIGIN, TIME, WEIGHT, FeaturesSpec, inputs
from foundation.nearest import hint

POSITIVE = 0.5
"""The least probability that makes a label positive."""

LABELLED, NEGATIVE = "labelled", "negative"


def examples_schema(spec: FeaturesSpec) -> pl.Schema:
    """Return the schema of the examples: user, item, time, label, weight, origin, categories, dense numbers, tokens."""
    columns: dict[str, pl.DataType] = {spec.user: pl.String(), spec.item: pl.String(), TIME: DATETIME}
    columns |= {LABEL: pl.Float32(), WEIGHT: pl.Float32(), ORIGIN: pl.String()}
    wanted = inputs(spec)
    columns |= {entry.source: pl.String() for entry in wanted if isinstance(entry, Category)}
    for entry in wanted:
        if not isinstance(entry, Category):
            columns[entry.name] = pl.Float32() if isinstance(entry, Dense) else pl.List(pl.Int32())
    return pl.Schema(columns)


def examples(
    labels_day: pl.LazyFrame,
    daily_window: pl.LazyFrame | None,
    catalogue_day: pl.LazyFrame | None,
    spec: FeaturesSpec,
    *,
    day: date,
) -> pl.LazyFrame:
    """Return the examples of a day, sorted by user, item and time.

    Covered labels become examples (`origin` labelled) whose label is the probability and whose weight is |2p - 1|, but
    at least the declared floor. Each of at least 0.5 draws negatives (`origin` negative, label 0) among the items that
    its user did not touch that day.

    Args:
        labels_day: The weak labels of the day.
        daily_window: Daily partial aggregates with their `date`; those of the day and after it are left out. None on
            the first day.
        catalogue_day: The newest snapshot that was known before the day began; None when none was, or none is declared.
        spec: The declaration.
        day: The day.

    Returns:
        The frame of `examples_schema`.
    """
    history = known_before(day, daily_window, catalogue_day, spec)
    touched, labelled = _labelled(labels_day, spec, day)
    rows = labelled
    if spec.negatives.per_positive:
        positives = labelled.filter(pl.col(LABEL) >= POSITIVE).select(spec.user, spec.item, TIME)
        drawn = negatives(positives, touched, candidates(history, catalogue_day, spec), spec)
        rows = pl.concat([labelled, _as_examples(drawn, spec)])
    schema = examples_schema(spec)
    return (
        history.examples(rows)
        .select(pl.col(name).cast(dtype) for name, dtype in schema.items())
        .sort(spec.user, spec.item, TIME, ORIGIN, LABEL)
    )


def _labelled(labels: pl.LazyFrame, spec: FeaturesSpec, day: date) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    found = labels.collect_schema()
    for column in (spec.user, spec.item, TIME, "covered", "probability"):
        if column not in found:
            raise FeaturesError(
                f"The labels '{spec.labels}' of '{spec.name}' have no '{column}'; {hint(column, found)}"
            )
    if "date" in found:
        labels = labels.filter(pl.col("date") == day)
    keys = [pl.col(spec.user).cast(pl.String), pl.col(spec.item).cast(pl.String)]
    touched = labels.select(keys).unique()
    p = pl.col("probability")
    covered = labels.filter(pl.col("covered") & p.is_not_null()).select(
        *keys,
        pl.col(TIME).cast(DATETIME),
        p.cast(pl.Float32).alias(LABEL),
        (2 * p - 1).abs().clip(lower_bound=spec.weight_floor).cast(pl.Float32).alias(WEIGHT),
        pl.lit(LABELLED).alias(ORIGIN),
    )
    return touched, covered


def _as_examples(drawn: pl.LazyFrame, spec: FeaturesSpec) -> pl.LazyFrame:
    return drawn.with_columns(
        pl.lit(0.0, dtype=pl.Float32).alias(LABEL),
        pl.lit(spec.negatives.weight, dtype=pl.Float32).alias(WEIGHT),
        pl.lit(NEGATIVE).alias(ORIGIN),
    )
