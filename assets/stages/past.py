"""What a day of a table is held against beside its own rows: earlier days of it, and other tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from assets.lake import Lake, digest
from expectations.gate import ExpectationSpec
from expectations.history import HistorySpec, Profile, Watched, profile, watched


@dataclass(frozen=True)
class Reference:
    """Another table that a gate looks into.

    Attributes:
        table: The lake's name.
        snapshot: Whether each of its partitions holds everything; otherwise all of them together do.
        asset: What to materialise when it is missing.
    """

    table: str
    snapshot: bool
    asset: str


@dataclass(frozen=True)
class Audit:
    """What a staged day must meet.

    Attributes:
        gate: The declared expectations.
        history: What is held against the last good partitions; each with its columns named.
        references: The other tables that the gate looks into, by the name it calls them.
        schema: Column types of the table.
        hidden: Columns about persons, of which no single value is told.
    """

    gate: tuple[ExpectationSpec, ...] = ()
    history: tuple[HistorySpec, ...] = ()
    references: Mapping[str, Reference] = field(default_factory=dict)
    schema: Mapping[str, pl.DataType] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

    @property
    def watched(self) -> tuple[Watched, ...]:
        """Everything that is held against the past."""
        return tuple(one for spec in self.history for one in watched(spec, self.schema))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a profile describes."""
        return tuple(sorted({column for spec in self.history for column in spec.columns or ()}))


def newest_reference(lake: Lake, reference: Reference, day: date) -> date | None:
    """The newest published day of another table that a day may look at: its own or an earlier one."""
    days = lake.published_days(reference.table) if lake.exists(reference.table) else {}
    return max((one for one in days if one <= day), default=None)


def judged_by(lake: Lake, audit: Audit, table: str, day: date) -> str:
    """The digest of everything but the day's own rows that its verdict depends on.

    The rows do not derive from it, so it has no part in their digest, and nothing that depends on them is made again
    when only this changes; but the day is judged again.

    Args:
        lake: Where the references and the earlier days are.
        audit: What the day must meet.
        table: The table.
        day: The partition.
    """
    seen: dict[str, dict[str, str]] = {}
    for name, reference in audit.references.items():
        newest = newest_reference(lake, reference, day)
        days = lake.published_days(reference.table) if newest is not None else {}
        seen[name] = {
            one.isoformat(): published.fingerprint
            for one, published in sorted(days.items())
            if newest is not None and (one == newest if reference.snapshot else one <= newest)
        }
    published = lake.published_days(table) if audit.history and lake.exists(table) else {}
    past = {one.isoformat(): published[one].fingerprint for spec in audit.history for one in spec.past(published, day)}
    return digest("judged by", seen, dict(sorted(past.items())))


def scan_reference(lake: Lake, reference: Reference, newest: date) -> pl.LazyFrame:
    """The rows of another table as of a day: of a snapshot that day's, of events all up to it."""
    return lake.scan(reference.table, start=newest if reference.snapshot else None, end=newest)


def profile_staged(lake: Lake, audit: Audit, table: str, day: date, content: str, frame: pl.LazyFrame) -> Profile:
    """Describe content, and write the description beside the partition's reports; it counts once that is published."""
    described = profile(frame, day=day, columns=audit.columns, hidden=audit.hidden)
    lake.reports.write(table, day, _path(content), json.dumps(described.to_json(), default=str))
    return described


def good_profiles(lake: Lake, audit: Audit, table: str, day: date) -> list[Profile]:
    """Descriptions of the published partitions that a day is held against.

    A partition that was published before its columns were watched is described now.
    """
    published = lake.published_days(table) if lake.exists(table) else {}
    wanted = sorted({one for spec in audit.history for one in spec.past(published, day)})
    return [_profile(lake, audit, table, one, published[one].digest and published[one].fingerprint) for one in wanted]


def _profile(lake: Lake, audit: Audit, table: str, day: date, content: str) -> Profile:
    text = lake.reports.read(table, day, _path(content))
    # Content that another program wrote has no digest that would tell its versions apart.
    if text is not None and content and (found := _read(text)) and set(audit.columns) <= set(found.columns):
        return found
    frame = lake.scan(table, start=day, end=day)
    missing = [column for column in audit.columns if column not in frame.collect_schema()]
    # A column that the table has got since: until then it was missing in every row.
    frame = frame.with_columns(pl.lit(None, audit.schema[column]).alias(column) for column in missing)
    return profile_staged(lake, audit, table, day, content, frame)


def _read(text: str) -> Profile | None:
    """A profile as it was written; None when it is damaged, since it can be taken of the content again."""
    try:
        return Profile.from_json(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _path(content: str) -> str:
    return f"profile/{content}.json"


def unjudged(spec: HistorySpec, past: Sequence[date], one: Watched) -> str:
    """Why something watched has no bounds yet, in one sentence."""
    if len(past) < spec.minimum:
        return f"{len(past)} of the {spec.minimum} good partitions are there that bounds are learned from."
    return f"The past gives no bounds for the {one.watch} of '{one.column}': it had too many different values, or none."
