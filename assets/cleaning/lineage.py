"""From which columns of its sources each column of a table comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import polars as pl

from assets.cleaning.plan import starting_frame
from assets.cleaning.spec import TableSpec
from assets.cleaning.step import FATE, FILE, KNOWN, LINE, MADE, PART, TIME, WHOLE, WORKING, Step
from crawlers.contract import KNOWN_ON

Origins: TypeAlias = frozenset[tuple[str, str]]
"""Columns of sources: the name of the source, and of its column."""

_ROWS = (*FATE, MADE, PART)


def step_lineage(step: Step, schema: Mapping[str, pl.DataType]) -> Mapping[str, frozenset[str]]:
    """For each column after a step, working columns included, the columns before it that its values come from."""
    derived = step.derives(schema)
    everything = frozenset(schema)
    return {
        # A new column that the step says nothing of may come from anywhere.
        name: derived.get(name, frozenset({name}) if name in schema else everything)
        for name in step.output_schema(schema)
    }


def table_lineage(spec: TableSpec, schemas: Mapping[str, Mapping[str, pl.DataType]]) -> Mapping[str, Origins]:
    """For each column of a table, the columns of its sources that its values come from.

    Columns that only decide which rows there are, and so bear upon every other, are left out: see `row_lineage`.

    Args:
        spec: A table that `check_table` accepts.
        schemas: The raw columns of each source.
    """
    lineage = _lineage(spec, schemas, through_fate=False)
    return {name: origins for name, origins in lineage.items() if name not in WORKING} | {KNOWN_ON: lineage[KNOWN]}


def row_lineage(spec: TableSpec, schemas: Mapping[str, Mapping[str, pl.DataType]]) -> Origins:
    """The columns of its sources that decide which rows a table has: event time, conditions, keys, exploded lists."""
    lineage = _lineage(spec, schemas, through_fate=True)
    return frozenset().union(*(lineage[name] for name in _ROWS), lineage[TIME])


def _lineage(
    spec: TableSpec, schemas: Mapping[str, Mapping[str, pl.DataType]], *, through_fate: bool
) -> Mapping[str, Origins]:
    frame = starting_frame(spec, schemas)
    schema = frame.collect_schema()
    raw = {name: name for name in schema if name not in WORKING} | {FILE: "_file", LINE: "_line", KNOWN: KNOWN_ON}
    if spec.event_time is not None:
        raw[TIME] = spec.event_time
    known: dict[str, Origins] = {
        name: frozenset((source, raw[name]) for source in spec.from_ if raw[name] in schemas[source])
        if name in raw
        else frozenset()
        for name in schema
    }
    for step in spec.steps:
        passed_over = frozenset() if through_fate else frozenset(_ROWS) | {WHOLE}
        after = step_lineage(step, schema)
        known = {
            name: frozenset().union(
                *(known[before] for before in befores if before == name or before not in passed_over)
            )
            for name, befores in after.items()
        }
        schema = step.output_schema(schema)
    return known
