"""One lazy plan a table: raw rows in; kept, quarantined and counted rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from assets.cleaning.errors import CleaningError, StepError
from assets.cleaning.spec import TableSpec
from assets.cleaning.step import (
    ACTIVE,
    FILE,
    KNOWN,
    LANDED,
    LINE,
    MADE,
    PART,
    REJECT,
    REMOVE,
    SOURCE,
    TIME,
    WHOLE,
    WORKING,
    Step,
    ordered,
)
from crawlers.contract import KNOWN_ON
from crawlers.quarantine import QUARANTINE_SCHEMA
from foundation.durations import format_duration
from foundation.nearest import hint

TOO_LATE = "too_late"
FROM_THE_FUTURE = "from_the_future"
NO_EVENT_TIME = "no_event_time"
BEFORE_FIRST_DAY = "before_first_day"


@dataclass(frozen=True)
class Cleaned:
    """One day of a table, not yet computed. Collect the frames together, so that the input is read once.

    Attributes:
        kept: the clean rows, in a deterministic order.
        quarantined: the rejected rows, with the schema of quarantine.
        removed: columns `reason` and `rows`: how many rows were left out, and why.
        rows_in: column `rows`: how many raw rows belong to the day.
        made: columns `reason` and `rows`: how many rows were made of others, and why.
    """

    kept: pl.LazyFrame
    quarantined: pl.LazyFrame
    removed: pl.LazyFrame
    rows_in: pl.LazyFrame
    made: pl.LazyFrame


def plan(spec: TableSpec, frames: Mapping[str, pl.LazyFrame], *, day: date, first_day: date = date.min) -> Cleaned:
    """The cleaning of one event day.

    A row that landed on day P with event day E belongs to E if it is at most `lateness` late and E is a day of the
    table; else to P, where it is quarantined. So each raw row belongs to exactly one day, whatever days are cleaned
    when.

    Args:
        spec: the table.
        frames: raw rows of each source, landed on the day and up to `lateness` days later, with the column `date`
            (landing day).
        day: the event day.
        first_day: the table's first; what happened before it can be placed nowhere.
    """
    frame = _assigned(_united(spec, frames), spec, day, first_day)
    parts = any(step.makes_rows for step in spec.steps)
    rows_in = frame.select(pl.len().alias("rows"))
    order: _Order | None = None
    for step in spec.steps:
        if step.grouping:
            if order is None or not order.serves(step.grouping):
                frame = ordered(frame, step.grouping, parts=parts)
                order = _Order(step.grouping)
            order = order.split_by(step.splits)
        frame = step.transform(frame)
        order = None if step.flags_rows or _touches(step, order) else order
    if order is None:
        frame = ordered(frame, (), parts=parts)
    columns = [name for name in frame.collect_schema() if name not in WORKING]
    return Cleaned(
        # Whatever steps left out: features must be able to tell when a row became known.
        kept=frame.filter(ACTIVE).select(*columns, pl.col(KNOWN).alias(KNOWN_ON)),
        quarantined=_quarantined(frame, columns, spec),
        removed=_counted(frame, REMOVE),
        rows_in=rows_in,
        made=_counted(frame, MADE),
    )


def check_table(spec: TableSpec, schemas: Mapping[str, Mapping[str, pl.DataType]]) -> pl.Schema:
    """The columns of a table, found without reading a row.

    Args:
        spec: the table.
        schemas: the raw columns of each source.

    Raises:
        CleaningError: a source is missing, sources differ, or a step does not fit; the message names the table, the
            step, the culprit and the nearest right name.
    """
    for source in spec.from_:
        if source not in schemas:
            raise CleaningError(
                f"Table '{spec.name}' reads from source '{source}', which is not declared; {hint(source, schemas)}",
                ["from"],
            )
    frame = starting_frame(spec, schemas)
    for number, step in enumerate(spec.steps, start=1):
        subject = f"Step {number} '{step.step}' of table '{spec.name}'"
        schema = frame.collect_schema()
        if step.needs_time and spec.event_time is None:
            raise CleaningError(
                f"{subject} compares times, but the table has no event time; declare `event_time`",
                ["steps", number - 1, step.step],
            )
        try:
            step.check(schema)
            frame = step.transform(pl.LazyFrame(schema=schema))
            frame.collect_schema()
        except (StepError, pl.exceptions.PolarsError) as error:
            below = error.location if isinstance(error, StepError) else ()
            raise CleaningError(f"{subject}: {error}", ["steps", number - 1, step.step, *below]) from error
    columns = {name: dtype for name, dtype in frame.collect_schema().items() if name not in WORKING}
    return pl.Schema({**columns, KNOWN_ON: pl.Date()})


def starting_frame(spec: TableSpec, schemas: Mapping[str, Mapping[str, pl.DataType]]) -> pl.LazyFrame:
    """An empty frame with the columns that the first step of a table meets, working columns included.

    Raises:
        CleaningError: sources differ, or the event time does not fit.
    """
    frames = {source: pl.LazyFrame(schema=dict(schemas[source]) | {"date": pl.Date()}) for source in spec.from_}
    united = _united(spec, frames)
    _check_event_time(spec, united.collect_schema())
    return _assigned(united, spec, date.min, date.min)


def _check_event_time(spec: TableSpec, schema: Mapping[str, pl.DataType]) -> None:
    name = spec.event_time
    if name is None:
        return
    if name not in schema:
        raise CleaningError(
            f"Table '{spec.name}' has event time '{name}', which its sources do not have; "
            f"{hint(name, schema)} (or `event_time: null` for a snapshot)",
            ["event_time"],
        )
    if schema[name] != pl.Datetime("us", "UTC"):
        raise CleaningError(
            f"Table '{spec.name}' has event time '{name}', which is {schema[name]}, not a datetime; "
            "declare its type in the source's contract",
            ["event_time"],
        )


def _united(spec: TableSpec, frames: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """The rows of all sources, with the columns of any of them."""
    schemas = {source: frames[source].collect_schema() for source in spec.from_}
    seen: dict[str, tuple[str, pl.DataType]] = {}
    for source, schema in schemas.items():
        for name, dtype in schema.items():
            first, known = seen.setdefault(name, (source, dtype))
            if known != dtype:
                raise CleaningError(
                    f"Table '{spec.name}' reads column '{name}' as {known} from '{first}' and as {dtype} from "
                    f"'{source}'; declare the same type in both contracts",
                    ["from"],
                )
    marked = [
        frames[source].with_columns(pl.lit(i, dtype=pl.Int32).alias(SOURCE)) for i, source in enumerate(spec.from_)
    ]
    return marked[0] if len(marked) == 1 else pl.concat(marked, how="diagonal")


def _counted(frame: pl.LazyFrame, mark: str) -> pl.LazyFrame:
    marked = frame.filter(pl.col(mark).is_not_null())
    return marked.group_by(pl.col(mark).alias("reason")).agg(pl.len().alias("rows"))


def _assigned(frame: pl.LazyFrame, spec: TableSpec, day: date, first_day: date) -> pl.LazyFrame:
    """The rows that belong to a day, with working columns."""
    landed = pl.col("date")
    time: pl.Expr = pl.lit(None, dtype=WORKING[TIME])
    fault: pl.Expr = pl.lit(None, dtype=pl.String)
    if spec.event_time is not None:
        time = pl.col(spec.event_time)
        event_day = time.dt.date()
        late = event_day < landed - timedelta(days=spec.lateness_days)
        fault = (
            pl.when(time.is_null())
            .then(pl.lit(NO_EVENT_TIME))
            .when(late)
            .then(pl.lit(TOO_LATE))
            .when(event_day > landed)
            .then(pl.lit(FROM_THE_FUTURE))
            .when(event_day < pl.lit(first_day))
            .then(pl.lit(BEFORE_FIRST_DAY))
        )
        frame = frame.filter(pl.when(fault.is_null()).then(event_day).otherwise(landed) == day)
    else:
        frame = frame.filter(landed == day)
    known = pl.coalesce(KNOWN_ON, landed) if KNOWN_ON in frame.collect_schema() else landed
    return frame.with_columns(
        fault.alias(REJECT),
        pl.lit(None, dtype=pl.String).alias(REMOVE),
        time.alias(TIME),
        landed.alias(LANDED),
        known.alias(KNOWN),
        pl.col("_file").alias(FILE),
        pl.col("_line").alias(LINE),
        pl.lit(0, dtype=WORKING[PART]).alias(PART),
        pl.lit(None, dtype=pl.String).alias(MADE),
        pl.lit(None, dtype=pl.String).alias(WHOLE),
    ).drop("date", KNOWN_ON, strict=False)


@dataclass(frozen=True)
class _Order:
    """Active rows are grouped by these columns, and within them contiguous by `splits`, then by time."""

    by: tuple[str, ...]
    splits: frozenset[str] = frozenset()

    def split_by(self, names: Iterable[str]) -> _Order:
        return _Order(self.by, self.splits | frozenset(names))

    def serves(self, grouping: tuple[str, ...]) -> bool:
        return frozenset(self.by) == frozenset(grouping) - self.splits


def _touches(step: Step, order: _Order | None) -> bool:
    """Whether a step may have changed, renamed or left out a column that the order is by."""
    if order is None or step.grouping:
        return False
    named = getattr(step, "columns", ())
    changed = set(named) | (set(named.values()) if isinstance(named, Mapping) else set())
    if step.step == "select":
        changed = {name for name in order.by if name not in named}
    return bool(changed & ({*order.by, *order.splits}))


def _quarantined(frame: pl.LazyFrame, columns: list[str], spec: TableSpec) -> pl.LazyFrame:
    words = {
        TOO_LATE: f"landed more than {format_duration(spec.lateness)} after its event",
        FROM_THE_FUTURE: "its event is later than the day that it landed on",
        NO_EVENT_TIME: f"no value in {spec.event_time}",
        BEFORE_FIRST_DAY: "its event is earlier than the first day of the table",
    }
    for step in spec.steps:
        for reason, words_of_step in step.reasons.items():
            words[reason] = f"{words[reason]}; {words_of_step}" if reason in words else words_of_step
    rejected = frame.filter(pl.col(REJECT).is_not_null())
    return rejected.select(
        pl.lit("clean").alias("stage"),
        pl.col(REJECT).alias("reason"),
        pl.lit(None, dtype=pl.String).alias("column"),
        pl.col(REJECT).replace_strict(words, default=None, return_dtype=pl.String()).alias("detail"),
        pl.coalesce(WHOLE, pl.struct(columns).struct.json_encode()).alias("record"),
        pl.col(FILE).alias("_file"),
        pl.col(LINE).alias("_line"),
    ).select(list(QUARANTINE_SCHEMA))
