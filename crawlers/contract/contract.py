"""The contract of a source: which columns its records have, of which type, and what is personal."""

from __future__ import annotations

from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from crawlers.contract.column import Column
from crawlers.contract.lineage import Lineage
from crawlers.contract.names import CRAWLED_AT, FILE, LINE, RESERVED, TIMESTAMP, UNKNOWN
from foundation.declaration import Declaration
from foundation.located import LocatedError
from foundation.nearest import hint

UnknownColumns = Literal["keep", "keep_values", "discard", "reject"]


class Contract(Declaration):
    """The columns of a source's records, in order.

    Attributes:
        columns: the declared columns.
        unknown_columns: what becomes of fields that are not declared. `keep` holds them as a JSON object in
            `_unknown`; where any column is personal, their names only, for they may say of a person what the declared
            fields are not allowed to. `keep_values` holds their values there, too. `discard` leaves them out, and
            `reject` quarantines the record (`unknown_column`). What a path of a column does not reach of a field is
            not an undeclared field: it is left out.
        event_time: the datetime column that says when a record happened, if one does.
    """

    columns: dict[str, Column] = Field(min_length=1)
    unknown_columns: UnknownColumns = "keep"
    event_time: str | None = None

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        for name in self.columns:
            if not name:
                raise LocatedError(
                    'a column has an empty name; give it one, and say `from: ""` if the field\'s own is empty',
                    ["columns", ""],
                )
            if name in RESERVED or name.startswith("__") or name == "date":
                raise LocatedError(
                    f"column '{name}' is declared, but Sluice uses that name itself "
                    f"({', '.join((*RESERVED, 'date', '__*'))}); give it another, and say `from: {name}`",
                    ["columns", name],
                )
        if self.event_time is not None:
            self._check_event_time(self.event_time)
        return self

    def _check_event_time(self, name: str) -> None:
        column = self.columns.get(name)
        if column is None:
            raise LocatedError(
                f"`event_time` names column '{name}', which is not declared; "
                f"{hint(name, self.columns, what='declared are')}",
                ["event_time"],
            )
        if column.type != "datetime" or column.pii is not None:
            raise LocatedError(
                f"`event_time` names column '{name}', which must be a datetime without `pii`", ["event_time"]
            )

    @property
    def has_pii(self) -> bool:
        """Whether any column is personal, so that raw text must not leave landing."""
        return any(column.pii is not None for column in self.columns.values())

    @property
    def needs_secret(self) -> bool:
        """Whether any column is hashed with the secret key."""
        return any(column.pii == "hash" for column in self.columns.values())

    @property
    def keeps_unknown(self) -> bool:
        """Whether the raw table has the column `_unknown`."""
        return self.unknown_columns in ("keep", "keep_values")

    @property
    def hides_unknown(self) -> bool:
        """Whether of undeclared fields only the names may leave landing."""
        return self.has_pii and self.unknown_columns != "keep_values"

    def kept_columns(self) -> dict[str, Column]:
        """The declared columns that the raw table holds: all but the dropped ones."""
        return {name: column for name, column in self.columns.items() if column.pii != "drop"}

    def raw_schema(self) -> dict[str, pl.DataType]:
        """The schema of the raw table: declared columns in order, then those that Sluice adds."""
        schema: dict[str, pl.DataType] = {name: column.dtype for name, column in self.kept_columns().items()}
        if self.keeps_unknown:
            schema[UNKNOWN] = pl.String()
        return schema | {CRAWLED_AT: TIMESTAMP, FILE: pl.String(), LINE: pl.Int64()}

    def lineage(self) -> dict[str, Lineage]:
        """The origin of each declared column, the dropped ones included, and of those that Sluice adds."""
        found = {
            name: Lineage(tuple(path.text for path in column.paths(name)), column.pii or "none")
            for name, column in self.columns.items()
        }
        if self.keeps_unknown:
            found[UNKNOWN] = Lineage(("*",), "names" if self.hides_unknown else "values" if self.has_pii else "none")
        return found | {name: Lineage((), "none") for name in (CRAWLED_AT, FILE, LINE)}
