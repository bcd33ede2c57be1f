"""The shape of quarantine: every rejected record with its reason and its origin."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

#: One row for each rejected record.
#:
#: stage: `parse` or `clean`.
#: reason: a slug, such as `not_json` or `missing_required`.
#: column: the column at fault, where one is.
#: detail: what was found, in words, never a personal value.
#: record: the record as a JSON object, personal columns hashed or dropped. A line that could not be parsed is held as
#:     it was, cut to `RECORD_LIMIT` characters, unless the contract has personal columns: then null, and `_file` and
#:     `_line` say where landing holds it.
#: _file, _line: where the record came from.
QUARANTINE_SCHEMA: Mapping[str, pl.DataType] = {
    "stage": pl.String(),
    "reason": pl.String(),
    "column": pl.String(),
    "detail": pl.String(),
    "record": pl.String(),
    "_file": pl.String(),
    "_line": pl.Int64(),
}

#: A quarantined line that is not a record is kept up to this many characters.
RECORD_LIMIT = 2000


def empty_quarantine() -> pl.DataFrame:
    """A quarantine with no rows."""
    return pl.DataFrame(schema=dict(QUARANTINE_SCHEMA))
