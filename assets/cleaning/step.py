"""What a cleaning step is: a declaration that turns a frame of rows into another, flagging rows and never losing one.

Besides the columns of the records, frames in the making have the working columns below. A row whose `__reject` or
`__remove` is set is out: later steps neither change their minds about it nor let it influence other rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

import polars as pl
from pydantic import BeforeValidator, Field

from assets.cleaning.errors import StepError
from assets.cleaning.sql import visible
from crawlers.contract import KNOWN_ON
from foundation.declaration import Declaration
from foundation.nearest import hint

REJECT = "__reject"
REMOVE = "__remove"
TIME = "__time"
LANDED = "__landed"
KNOWN = "__known"
SOURCE = "__source"
FILE = "__file"
LINE = "__line"
PART = "__part"
MADE = "__made"
WHOLE = "__whole"

#: What distinguishes rows of one time: so results do not depend on the order of the input.
TIES = (TIME, LANDED, SOURCE, FILE, LINE, PART)
WORKING: Mapping[str, pl.DataType] = {
    REJECT: pl.String(),
    REMOVE: pl.String(),
    TIME: pl.Datetime("us", "UTC"),
    LANDED: pl.Date(),
    KNOWN: pl.Date(),
    SOURCE: pl.Int32(),
    FILE: pl.String(),
    LINE: pl.Int64(),
    # Tells rows made of one line apart.
    PART: pl.Int64(),
    # Why a row was made; null for one that came in.
    MADE: pl.String(),
    # A rejected record as it was, where a later step could not keep all of it.
    WHOLE: pl.String(),
}
_SEED = 1
ACTIVE = pl.col(REJECT).is_null() & pl.col(REMOVE).is_null()
#: The columns that say which rows are out.
FATE = frozenset({REJECT, REMOVE})


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


ColumnNames = Annotated[
    tuple[str, ...],
    Field(min_length=1),
    BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...]),
]
"""One column name or several."""

Reason = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""A slug: quarantine and accounts count by it."""


class Step(Declaration):
    """One cleaning step. A subclass is a file of its own and registers itself under the name that declarations use."""

    step: ClassVar[str] = ""
    #: Parameters over the columns event_id, user_id, price and items: what the reference shows and the tests try.
    example: ClassVar[Mapping[str, Any]]
    #: Whether the step compares times, so that the table needs an event time.
    needs_time: ClassVar[bool] = False
    #: Whether the step may flag single rows, so that those left are no longer one block of a sorted frame.
    flags_rows: ClassVar[bool] = False
    #: Whether the step may make rows of others. It marks each with `MADE` and tells them apart by `PART`.
    makes_rows: ClassVar[bool] = False

    @property
    def grouping(self) -> tuple[str, ...]:
        """The columns whose rows must stand together, by time, before `transform`; none if order does not matter."""
        return ()

    @property
    def splits(self) -> frozenset[str]:
        """New columns whose values are contiguous once rows are grouped, so that grouping by them costs no sort."""
        return frozenset()

    @property
    def reasons(self) -> Mapping[str, str]:
        """The reasons that the step may flag rows with, and each in words."""
        return {}

    def derives(self, schema: Mapping[str, pl.DataType]) -> Mapping[str, frozenset[str]]:  # noqa: ARG002 - for steps
        """The columns that the step makes, changes or flags rows by, each with those that its values come from.

        Columns that are not named go on as they are. Working columns count as others do: who rejects rows writes
        `REJECT`, who passes over rows that are out reads `REJECT` and `REMOVE`. A contract test changes each column and
        sees nothing else change.
        """
        return {}

    @abstractmethod
    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """Refuse columns that the step cannot work with.

        Raises:
            StepError: a column is missing or has the wrong type.
        """

    @abstractmethod
    def transform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The frame after the step. Its active rows are sorted by `grouping`, if the step has one."""

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The frame after the step, whatever the order of its rows."""
        return self.transform(ordered(frame, self.grouping, parts=True) if self.grouping else frame)

    def output_schema(self, schema: Mapping[str, pl.DataType]) -> pl.Schema:
        """The columns after the step, working columns included."""
        return self.apply(pl.LazyFrame(schema=dict(schema))).collect_schema()


def ordered(frame: pl.LazyFrame, grouping: Iterable[str], *, parts: bool) -> pl.LazyFrame:
    """Active rows first, those of one group together, by time, ties broken by origin.

    Groups are ordered by their hashes: that groups them as well as any order does, and sorts in half the time. Within a
    group nothing is: which of two events of one moment comes first decides about values that are kept.

    Args:
        frame: rows with working columns.
        grouping: the columns whose rows are to stand together.
        parts: whether a line may have become several rows, so that their parts break ties as well.
    """
    texts = [pl.col(name).hash(_SEED) for name in grouping]
    return frame.sort(
        [~ACTIVE, *texts, TIME, LANDED, SOURCE, FILE, LINE, *([PART] if parts else [])], maintain_order=False
    )


def require_columns(names: Iterable[str], schema: Mapping[str, pl.DataType], field: str = "") -> None:
    """Refuse names of columns that are not there.

    Args:
        names: what a declaration names.
        schema: the columns that there are.
        field: the parameter that names them, so that the error has its place.
    """
    for name in names:
        if name not in visible(schema):
            raise StepError(f"column '{name}' is not there; {hint(name, visible(schema))}", [field] if field else ())


def require_free_names(names: Iterable[str], field: str = "") -> None:
    """Refuse names for new columns that Sluice uses itself; `field` as for `require_columns`."""
    for name in names:
        if name.startswith("__") or name in ("date", KNOWN_ON) or not name:
            raise StepError(
                f"column name '{name}' is taken by Sluice ('date', '{KNOWN_ON}', '__…'); choose another",
                [field] if field else (),
            )


def flag(condition: pl.Expr, column: str, reason: str) -> pl.Expr:
    """Flag active rows for a reason; rows that are out already stay as they are."""
    return pl.when(ACTIVE & condition).then(pl.lit(reason)).otherwise(pl.col(column)).alias(column)
