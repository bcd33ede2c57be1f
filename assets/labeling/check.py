"""The check of a declaration of labels when the definitions load: SQL, columns and types, without running anything."""

from collections.abc import Mapping

import polars as pl

from assets.labeling.errors import LabelsError
from assets.labeling.spec import LabelsSpec
from assets.labeling.units import units_schema
from foundation.nearest import hint

OUTCOME: Mapping[str, pl.DataType] = {
    "covered": pl.Boolean(),
    "label": pl.String(),
    "majority": pl.String(),
    "probability": pl.Float64(),
    "probabilities": pl.List(pl.Float64()),
}
"""What `label` adds to units and votes."""


def check_labels(spec: LabelsSpec, schema: Mapping[str, pl.DataType]) -> pl.Schema:
    """Check a declaration against the schema of its events.

    Python functions are not imported here: they are checked when labels are made.

    Returns:
        The columns of the table of labels: those of the units, the votes, and `covered`, `label`, `majority`,
        `probability` (of the last label) and `probabilities` (of each label, in order).

    Raises:
        LabelsError: Something does not fit; the message names the labels, the culprit and the nearest right word.
    """
    columns = units_schema(spec, schema)
    for place, function in enumerate(spec.functions):
        try:
            function.check(spec, columns)
        except LabelsError as error:
            raise error.within("functions", place) from None
    check_gold(spec, columns)
    return pl.Schema({**columns, **dict.fromkeys(spec.vote_columns, pl.Int8()), **OUTCOME})


def check_gold(spec: LabelsSpec, columns: Mapping[str, pl.DataType]) -> None:
    """Check that the column of true labels is there and can hold labels.

    Raises:
        LabelsError: It is not, or cannot.
    """
    if spec.gold is None:
        return
    if spec.gold not in columns:
        raise spec.fail(f"gold names '{spec.gold}'; {hint(spec.gold, columns)}", "gold")
    kind = columns[spec.gold]
    if kind != pl.String and not kind.is_integer():
        raise spec.fail(f"the gold column '{spec.gold}' is {kind}; it must hold names of labels or indices.", "gold")
