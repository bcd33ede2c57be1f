"""True labels, where they are known: read from the declared column, and counted beside the votes."""

from typing import Any

import polars as pl

from assets.labeling.errors import LabelsError
from assets.labeling.spec import LabelsSpec
from assets.labeling.votes import count_patterns
from foundation.nearest import hint

GOLD = "gold"


def true_labels(frame: pl.DataFrame, spec: LabelsSpec) -> pl.Series | None:
    """Return the index of each unit's true label, null where unknown; None when no gold column is declared.

    Raises:
        LabelsError: The column holds something that is no label.
    """
    if spec.gold is None:
        return None
    values = frame[spec.gold]
    names = {name: index for index, name in enumerate(spec.labels)}
    known: list[Any] = list(names) if values.dtype == pl.String else list(names.values())
    unknown = values.drop_nulls().unique().sort()
    unknown = unknown.filter(~unknown.is_in(known))
    if len(unknown):
        raise LabelsError(
            f"Labels '{spec.name}': the gold column '{spec.gold}' holds {unknown[0]!r}, which is no label"
            f"; {hint(str(unknown[0]), map(str, known))}"
        )
    mapping = names if values.dtype == pl.String else {index: index for index in known}
    return values.replace_strict(mapping, return_dtype=pl.Int64).alias(GOLD)


def gold_patterns(frame: pl.DataFrame, gold: pl.Series | None, spec: LabelsSpec) -> pl.DataFrame | None:
    """Count the patterns of votes by true label, over the units whose true label is known."""
    if gold is None:
        return None
    known = frame.select(spec.vote_columns).with_columns(gold).filter(pl.col(GOLD).is_not_null())
    return count_patterns(known.lazy(), spec, by=GOLD).collect()
