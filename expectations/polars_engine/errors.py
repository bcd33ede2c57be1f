"""What can be wrong with an expectation on a Polars frame, said so that it can be put right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import polars as pl
from great_expectations.exceptions import GreatExpectationsError


class PolarsEngineError(GreatExpectationsError):  # type: ignore[misc]
    """An expectation cannot be evaluated on this frame; the message names the culprit and the fix."""


def plain(error: Exception) -> str:
    """An error's message without the query plan that Polars appends; of one that nobody foresaw, its kind as well."""
    message = str(error).split("\n\nResolved plan until failure")[0].split("\n\nThis error occurred")[0]
    expected = isinstance(error, GreatExpectationsError | pl.exceptions.PolarsError)
    return message if expected else f"{type(error).__name__}: {message}"


def missing_column(name: str, known: Iterable[str]) -> PolarsEngineError:
    """The error for a column that the frame does not have, with the nearest name that it has."""
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"the columns are: {', '.join(known) or '(none)'}."
    return PolarsEngineError(f"There is no column '{name}' in the frame; {hint}")


def unsuitable_type(metric: str, column: str, dtype: pl.DataType, needed: str) -> PolarsEngineError:
    """The error for a column whose type gives an expectation no meaning."""
    return PolarsEngineError(
        f"{metric} has no meaning for column '{column}' of type {dtype}: it needs {needed}. "
        "Cast the column, or remove the expectation."
    )
