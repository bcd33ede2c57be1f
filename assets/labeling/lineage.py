"""From which columns of the events each column of a table of labels comes."""

from collections.abc import Mapping

from assets.labeling.check import OUTCOME
from assets.labeling.spec import PREVIOUS, TIME, VOTE, LabelsSpec
from assets.labeling.sql import Schema
from assets.labeling.units import aggregate_expressions, in_order, units_schema


def labels_lineage(spec: LabelsSpec, schema: Schema) -> Mapping[str, frozenset[str]]:
    """For each column of a table of labels, the columns of its events that its values come from.

    The columns of the unit, which decide what is aggregated together and so bear upon every other, stand at themselves
    alone. A function in Python is taken to read every column of a unit: which, shows only when it is run.

    Args:
        spec: Labels that `check_labels` accepts.
        schema: The columns of the events.
    """
    aggregates = aggregate_expressions(spec, schema)
    origins: dict[str, frozenset[str]] = {column: frozenset({column}) for column in spec.unit}
    origins[TIME] = frozenset({spec.time})
    # The first and the last value are those in time.
    when = frozenset({spec.time}) if in_order(aggregates) else frozenset()
    for name, expression in aggregates.items():
        origins[name] = when | {*expression.meta.root_names()}
        if spec.history:
            origins[PREVIOUS + name] = origins[name]
    columns = units_schema(spec, schema)
    known = dict(origins)
    for function in spec.functions:
        reads = function.reads(spec, columns)
        origins[VOTE + function.name] = frozenset().union(*(known[column] for column in reads))
    # The votes of all units make the label model, and true labels its class balance.
    voted = frozenset().union(*(origins[column] for column in spec.vote_columns))
    measured = known[spec.gold] if spec.gold is not None else frozenset()
    return origins | dict.fromkeys(OUTCOME, voted | measured)
