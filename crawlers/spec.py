"""The declaration of a source: what is crawled, how politely, within which bounds, and what the bytes should hold.

Nothing here fetches, reads the environment or imports Scrapy: declarations load with the definitions.
"""

from typing import Annotated, Literal

from pydantic import ByteSize, Field, PositiveInt

from crawlers.contract import Contract
from crawlers.crawl import Crawl
from crawlers.kinds import CRAWL_KINDS
from foundation.declaration import Declaration, Name
from foundation.kinds import OneOf


class JsonlFormat(Declaration):
    """One JSON object a line, plain or gzipped."""

    kind: Literal["jsonl"]
    encoding: str = "utf-8"
    max_line_bytes: ByteSize = ByteSize(1024**2)


class CsvFormat(Declaration):
    """Delimited text with a header line, plain or gzipped."""

    kind: Literal["csv"]
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    max_line_bytes: ByteSize = ByteSize(1024**2)


Format = Annotated[JsonlFormat | CsvFormat, Field(discriminator="kind")]


class SourceSpec(Declaration):
    """One crawled origin, declared once.

    Attributes:
        name: Its name; the raw table is `<name>__raw`.
        crawl: Where its bytes come from.
        format: How the bytes are read as records.
        contract: The columns that the records must have.
        snapshot: Whether a day holds the whole state of the day (a catalogue), not the events of the day.
        description: For the people who read the graph.
        owners: Who answers for it.
        tags: Free tags.
        retention: Days after which landed bytes are deleted; kept for ever by default.
        max_quarantined_share: The largest share of a day's lines, from 0 to 1, that may be quarantined; a day with more
            is refused: its quarantine is published for people to look into, and the last good records stand.
    """

    name: Name
    crawl: Annotated[Crawl, OneOf(CRAWL_KINDS)]
    format: Format
    contract: Contract
    snapshot: bool = False
    description: str = ""
    owners: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)
    retention: PositiveInt | None = None
    max_quarantined_share: float = Field(default=0.5, ge=0, le=1)
