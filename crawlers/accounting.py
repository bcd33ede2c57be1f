"""Conservation: every row that comes in, or is made, goes out, is quarantined, or is removed, for a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self


class AccountingError(Exception):
    """Rows were lost or doubled."""


@dataclass(frozen=True)
class Accounting:
    """The row counts of one stage for one partition.

    Attributes:
        rows_in: rows that came in.
        rows_out: rows that went out.
        quarantined: rows set aside for inspection, by reason.
        removed: rows that were left out by declaration (blank lines, duplicates, bots), by reason.
        made: rows that were made of others (the elements of a list, beyond the first), by reason.
    """

    rows_in: int
    rows_out: int
    quarantined: Mapping[str, int] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)
    made: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows_quarantined(self) -> int:
        """Rows set aside, for all reasons together."""
        return sum(self.quarantined.values())

    @property
    def rows_removed(self) -> int:
        """Rows left out, for all reasons together."""
        return sum(self.removed.values())

    @property
    def rows_made(self) -> int:
        """Rows made of others, for all reasons together."""
        return sum(self.made.values())

    @property
    def unaccounted(self) -> int:
        """Rows that came in or were made, and are nowhere; below zero, rows that came from nowhere."""
        return self.rows_in + self.rows_made - self.rows_out - self.rows_quarantined - self.rows_removed

    @property
    def balanced(self) -> bool:
        """Whether the rows that came in or were made are exactly those accounted for."""
        return self.unaccounted == 0

    def in_words(self) -> str:
        """The account as an equation, such as `5 rows in = 3 out + 1 quarantined + 1 removed`."""
        made = f" + {self.rows_made} made" if self.made else ""
        return (
            f"{self.rows_in} rows in{made} = {self.rows_out} out + {self.rows_quarantined} quarantined "
            f"+ {self.rows_removed} removed"
        )

    def check(self, subject: str) -> None:
        """Refuse an unbalanced account.

        Args:
            subject: what was counted, for the message, such as `shop_clickstream 2026-03-01`.

        Raises:
            AccountingError: when rows were lost or doubled.
        """
        if self.balanced:
            return
        difference = self.unaccounted
        what = f"{difference} rows were lost" if difference > 0 else f"{-difference} rows were doubled"
        raise AccountingError(
            f"The account of {subject} does not balance: {self.rows_in} rows came in, {self.rows_made} were made, "
            f"{self.rows_out} went out, "
            f"{self.rows_quarantined} were quarantined and {self.rows_removed} removed, so {what}. "
            "This is a fault of Sluice, not of the data: keep the landing folder and report it.",
        )

    def __add__(self, other: Accounting) -> Accounting:
        return Accounting(
            rows_in=self.rows_in + other.rows_in,
            rows_out=self.rows_out + other.rows_out,
            quarantined=_added((self.quarantined, other.quarantined)),
            removed=_added((self.removed, other.removed)),
            made=_added((self.made, other.made)),
        )

    def to_json(self) -> dict[str, Any]:
        """The counts as plain JSON, reasons sorted; `made` stands there when rows were."""
        counts = {
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "quarantined": dict(sorted(self.quarantined.items())),
            "removed": dict(sorted(self.removed.items())),
        }
        return counts | ({"made": dict(sorted(self.made.items()))} if self.made else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The counts that `to_json` gave."""
        return cls(
            rows_in=int(value["rows_in"]),
            rows_out=int(value["rows_out"]),
            quarantined={str(reason): int(rows) for reason, rows in value["quarantined"].items()},
            removed={str(reason): int(rows) for reason, rows in value["removed"].items()},
            made={str(reason): int(rows) for reason, rows in value.get("made", {}).items()},
        )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for reason, rows in one.items():
            total[reason] = total.get(reason, 0) + rows
    return dict(sorted(total.items()))
