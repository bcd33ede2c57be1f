"""Labelling functions that are easier to say in Python than in SQL."""

from __future__ import annotations

import polars as pl


def came_back() -> pl.Expr:
    """Engaged when the visitor looked at the item more than once; ignored after one short look."""
    return (
        pl.when(pl.col("views") >= 2)
        .then(pl.lit("engaged"))
        .when((pl.col("views") == 1) & (pl.col("carts") == 0) & (pl.col("dwell").fill_null(0) < 15))
        .then(pl.lit("ignored"))
    )
