"""The declaration of a source: what is crawled, how politely, within which bounds, and what the bytes should hold.

Nothing here fetches, reads the environment or imports Scrapy: declarations load with the definitions.
"""

import datetime as dt
from typing import Annotated, Self

from pydantic import Field, PositiveInt, model_validator

from crawlers.contract import Contract
from crawlers.crawl import Crawl
from crawlers.kinds import CRAWL_KINDS
from crawlers.known import KnownRule
from crawlers.parse import FORMATS, FormatOptions
from foundation.declaration import Declaration, Name
from foundation.kinds import OneOf
from foundation.located import LocatedError

ALL_DAYS = dt.date.max
"""The day that the landing of a history stands under: it is of all of them, and no clean-up by age reaches it."""


class SourceSpec(Declaration):
    """One crawled origin, declared once.

    Attributes:
        name: Its name; the raw table is `<name>__raw`.
        crawl: Where its bytes come from.
        format: How the bytes are read as records.
        contract: The columns that the records must have.
        snapshot: Whether a day holds the whole state of the day (a catalogue), not the events of the day.
        history: Whether its files hold many days (an archive, a dump, a yearly file). They are crawled and parsed once,
            for all days together, and each record goes to the day of its event time; days are then materialised from
            that.
        known: From when on its records are known, which decides what features may use. `crawled`: from when the bytes
            were fetched, the default of a snapshot; `dated`: from the end of the day that they were crawled for,
            because the site dates what it serves (what it serves for a day is what it had on that day, however late one
            asks); `landed`, the default otherwise: likewise, but what replaces or joins a day that had landed before
            is known from when it was fetched.
        description: For the people who read the graph.
        owners: Who answers for it.
        tags: Free tags.
        retention: Days after which landed bytes are deleted; those of the refresh by default.
        max_quarantined_share: The largest share of a day's lines, from 0 to 1, that may be quarantined; a day with more
            is refused: its quarantine is published for people to look into, and the last good records stand.
    """

    name: Name
    crawl: Annotated[Crawl, OneOf(CRAWL_KINDS)]
    format: Annotated[FormatOptions, OneOf(FORMATS)]
    contract: Contract
    snapshot: bool = False
    history: bool = False
    known: KnownRule | None = None
    description: str = ""
    owners: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)
    retention: PositiveInt | None = None
    max_quarantined_share: float = Field(default=0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _history_has_days_of_its_own(self) -> Self:
        if not self.history:
            return self
        if self.snapshot:
            raise LocatedError(
                "a snapshot holds the state of a day, a history many days; leave one of them out", ["history"]
            )
        if self.contract.event_time is None:
            raise LocatedError("a history needs to know the day of each record; declare 'event_time'", ["contract"])
        declared = self.crawl.model_dump()
        dated = [key for key, value in declared.items() if "{date" in str(value)]
        if dated:
            raise LocatedError(
                "a history is crawled once for all days; take {date} out, or leave out 'history'", ["crawl", dated[0]]
            )
        return self

    @property
    def known_rule(self) -> KnownRule:
        """From when on its records are known, as declared or by default."""
        return self.known or ("crawled" if self.snapshot else "landed")
