"""One day's partial aggregates: what later days need to know of this one, so that a night costs a night.

Long form: one row for each grouping, key, event type and day on which the events became known, with the number of
events and the time of the last one. Sums over days of the counts, and the greatest of the last times, give any window;
and whoever reads as of a day leaves out what nobody knew by then.
"""

import polars as pl

from assets.features.catalogue import catalogue_rows, item_key
from assets.features.registry import Grouping
from assets.features.spec import KNOWN_ON, FeaturesSpec

DATETIME = pl.Datetime("us", "UTC")


def grouping_name(grouping: Grouping) -> str:
    """Return the value of the column `grouping` for a grouping."""
    return ",".join(grouping)


def daily_schema(spec: FeaturesSpec) -> pl.Schema:
    """Return the schema of the daily partial aggregates; a key column that a grouping does not use is null there."""
    keys = {column: pl.String() for column in spec.key_columns}
    return pl.Schema(
        {
            "grouping": pl.String(),
            **keys,
            "event_type": pl.String(),
            KNOWN_ON: pl.Date(),
            "count": pl.UInt32(),
            "last": DATETIME,
        }
    )


def daily(events: pl.LazyFrame, spec: FeaturesSpec, *, catalogue: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Return one day's partial aggregates.

    Args:
        events: The events of the day.
        spec: The declaration.
        catalogue: The newest snapshot that was known when the day was over; needed when something is counted by its
            columns.

    Returns:
        The frame of `daily_schema`, sorted by grouping and keys. Events without a value of a key take no part in that
        grouping.
    """
    keys = spec.key_columns
    from_catalogue = spec.catalogue_columns(keys)
    event_type = pl.col(spec.event_type).cast(pl.String) if spec.event_types else pl.lit(None, dtype=pl.String)
    mine = [c for c in keys if c not in from_catalogue]
    own = [pl.col(c).cast(pl.String) for c in mine]
    time = pl.col(spec.event_time).cast(DATETIME)
    # Events that do not say when they became known, of another program perhaps, were known when their day was over.
    known = pl.coalesce(KNOWN_ON, time.dt.date()) if KNOWN_ON in events.collect_schema() else time.dt.date()
    rows = events.select(*own, event_type.alias("event_type"), known.alias(KNOWN_ON), time.alias("last"))
    # The finest grain first: every grouping is a roll-up of it, and it is far smaller than the events.
    finest = rows.group_by(*mine, "event_type", KNOWN_ON).agg(pl.len().alias("count"), pl.col("last").max())
    if from_catalogue:
        texts = [pl.col(c).cast(pl.String) for c in from_catalogue]
        described = catalogue_rows(catalogue, from_catalogue, spec).select(item_key(spec), *texts)
        finest = finest.join(described, on=spec.item, how="left")
    schema = daily_schema(spec)
    return (
        pl.concat([_rolled_up(finest, grouping, schema) for grouping in spec.groupings])
        .sort("grouping", *keys, "event_type", KNOWN_ON)
        .select(schema.names())
    )


def _rolled_up(finest: pl.LazyFrame, grouping: Grouping, schema: pl.Schema) -> pl.LazyFrame:
    known = finest.filter(pl.all_horizontal(pl.col(grouping).is_not_null()))
    rolled = known.group_by(*grouping, "event_type", KNOWN_ON).agg(pl.col("count").sum(), pl.col("last").max())
    others = [pl.lit(None, dtype=pl.String).alias(c) for c in schema if schema[c] == pl.String and c not in grouping]
    others = [other for other in others if other.meta.output_name() not in ("grouping", "event_type")]
    named = rolled.with_columns(pl.lit(grouping_name(grouping)).alias("grouping"), *others)
    return named.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
