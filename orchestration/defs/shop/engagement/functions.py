"""Labelling functions that are easier to say in Python than in SQL."""

from __future__ import annotations

import polars as pl


def looked_again() -> pl.Expr:
    """Engaged when the visitor came back to the item within the visit; one look alone says nothing."""
    return pl.when(pl.col("views") > 1).then(pl.lit("engaged"))
