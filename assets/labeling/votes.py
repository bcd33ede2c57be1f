"""The vote matrix: all labelling functions over all units in one lazy pass."""

import polars as pl

from assets.labeling.spec import VOTE, LabelsSpec

ROWS = "rows"


def votes(units: pl.LazyFrame, spec: LabelsSpec) -> pl.LazyFrame:
    """Add a column `vote_<function>` (Int8) for each labelling function: -1 abstains, else the index of the label.

    The matrix is that of Snorkel's `PandasLFApplier` on the same functions.

    Raises:
        LabelsError: A function does not fit the units. One that gives something else than a label says so when the
            frame is collected.
    """
    schema = units.collect_schema()
    return units.with_columns(
        function.expression(spec, schema).alias(VOTE + function.name) for function in spec.functions
    )


def count_patterns(labelled: pl.LazyFrame, spec: LabelsSpec, *, by: str | None = None) -> pl.LazyFrame:
    """Count the distinct patterns of votes: the vote columns (and `by`), and `rows`, sorted.

    However many units there are, there are few patterns, and they are all that the label model learns from.
    """
    columns = [*spec.vote_columns, *([by] if by else [])]
    return labelled.group_by(columns).agg(pl.len().cast(pl.Int64).alias(ROWS)).sort(columns)
