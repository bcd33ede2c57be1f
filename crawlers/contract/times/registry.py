"""The time formats that have names; any other is a pattern of strptime's directives."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from crawlers.contract.times.moments import Moments
from foundation.registry import Registry


class TimeFormat(Protocol):
    """One way to spell a time."""

    @property
    def describes(self) -> str:
        """One sentence for the reference."""

    @property
    def example(self) -> str:
        """A text that it reads."""

    def read(self, texts: pl.Series, zone: str | None) -> Moments:
        """The moments of texts; nothing in them raises.

        Args:
            texts: as served (String), null where there is no value.
            zone: the IANA name of the zone of times that name none; UTC without one.
        """


TIME_FORMATS: Registry[TimeFormat] = Registry(
    "time format", "Named spellings of times, for `formats` of datetime and date columns."
)
