"""Flat records: one text a field, as CSV, logs and patterns have them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from crawlers.contract import UNKNOWN, Contract
from crawlers.parse.checked import TEXT_EXTRAS
from crawlers.parse.placement import Placement


def flat_texts(fields: pl.DataFrame, names: Sequence[str], contract: Contract, placement: Placement) -> pl.DataFrame:
    """The texts of the contract's columns, from the fields of flat records.

    Args:
        fields: `_line` (Int64), and a text (String) for each name; null where there is no value.
        names: of the fields.
        contract: what the records should be.
        placement: of the contract.

    Returns:
        Records with the schema of `Checker.text_schema`.
    """
    used = placement.used(names)
    unknown = [name for name in names if name not in used]
    nothing = pl.lit(None, dtype=pl.String)
    kept = _as_json(unknown) if unknown and contract.unknown_columns != "discard" else nothing
    refused = bool(unknown) and contract.unknown_columns == "reject"
    extras = fields.select(
        pl.col("_line"),
        kept.alias(UNKNOWN),
        (pl.lit("unknown_column") if refused else nothing).alias("reason"),
        (pl.lit(unknown[0]) if refused else nothing).alias("column"),
        (pl.lit("the column is not declared") if refused else nothing).alias("detail"),
    )
    return placement.place_flat(fields, names, extras).select([*contract.columns, *TEXT_EXTRAS])


def _as_json(names: Sequence[str]) -> pl.Expr:
    """The fields that have values as a JSON object."""
    parts = []
    for name in names:
        quoted = pl.struct(pl.col(name).alias("x")).struct.json_encode().str.slice(len('{"x":')).str.head(-1)
        parts.append(pl.when(pl.col(name).is_not_null()).then(json.dumps(name, ensure_ascii=False) + ":" + quoted))
    joined = pl.concat_str(parts, separator=",", ignore_nulls=True)
    return pl.when(joined != "").then("{" + joined + "}")
