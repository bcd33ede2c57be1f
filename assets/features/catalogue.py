"""The rows of a catalogue snapshot that features read."""

from collections.abc import Iterable

import polars as pl

from assets.features.errors import MissingCatalogueError
from assets.features.spec import FeaturesSpec
from foundation.nearest import hint


def catalogue_rows(catalogue: pl.LazyFrame | None, columns: Iterable[str], spec: FeaturesSpec) -> pl.LazyFrame:
    """Return the key and some columns of a catalogue, one row an item.

    Rows without a key are left out; of several rows with one key, the one that sorts first stays, so that the order of
    the file does not matter.
    """
    wanted = tuple(dict.fromkeys([spec.catalogue_key, *columns]))
    if catalogue is None:
        raise MissingCatalogueError(
            f"'{spec.name}' reads {', '.join(wanted)} of its catalogue, and was given none; "
            f"materialise '{spec.catalogue or 'a catalogue'}' for the day or an earlier one, and declare 'catalogue'."
        )
    schema = catalogue.collect_schema()
    for column in wanted:
        if column not in schema:
            role = "key" if column == spec.catalogue_key else "column"
            raise MissingCatalogueError(
                f"The catalogue '{spec.catalogue}' of '{spec.name}' has no {role} '{column}'; {hint(column, schema)}"
            )
    rows = catalogue.select(wanted).filter(pl.col(spec.catalogue_key).is_not_null())
    return rows.sort(wanted).unique(spec.catalogue_key, keep="first", maintain_order=True)


def item_key(spec: FeaturesSpec) -> pl.Expr:
    """Return the catalogue's key as text, under the name that items have in the events."""
    return pl.col(spec.catalogue_key).cast(pl.String).alias(spec.item)
