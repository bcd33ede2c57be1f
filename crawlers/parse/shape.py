"""Shapes: what a personal value looked like, told without telling the value."""

from __future__ import annotations

import re

import polars as pl

# A field's name is nearly always one of these. What is not may be a value in the place of a name: the first record of
# a file without a header, or an object whose keys are people.
_NAME = r"^[A-Za-z_][A-Za-z0-9_.\-]{0,63}$"
_CLASSES = (
    ("letters", r"\p{L}"),
    ("digits", r"\p{N}"),
    ("spaces", r"\s"),
    ("other characters", r"[^\p{L}\p{N}\s]"),
)


def shapes(texts: pl.Series) -> pl.Series:
    """How long texts are and which classes of characters they hold; null stays null.

    >>> shapes(pl.Series(["ada@example.com", "", None])).to_list()
    ['<15 characters: letters, other characters>', '<empty>', None]
    """
    found = [
        pl.when(texts.str.contains(pattern)).then(pl.lit(name)).otherwise(pl.lit(None, dtype=pl.String))
        for name, pattern in _CLASSES
    ]
    length = texts.str.len_chars()
    described = pl.concat_str(
        pl.lit("<") + length.cast(pl.String),
        pl.when(length == 1).then(pl.lit(" character: ")).otherwise(pl.lit(" characters: ")),
        pl.concat_str(found, separator=", ", ignore_nulls=True),
        pl.lit(">"),
    )
    whole = pl.when(length == 0).then(pl.lit("<empty>")).otherwise(described)
    return pl.select(pl.when(texts.is_not_null()).then(whole)).to_series().alias(texts.name)


def name_or_shape(name: str) -> str:
    """A field's name, or its shape when it does not look like a name.

    >>> name_or_shape("user_email"), name_or_shape("ada@example.com")
    ('user_email', '<15 characters: letters, other characters>')
    """
    return name if re.fullmatch(_NAME, name) else str(shapes(pl.Series([name]))[0])
