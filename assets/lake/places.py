"""Everything that the lake holds, by where it lies: what it is, and whether it can hold a person.

What empties the lake of a person, and what looks for values that ought not to be there, goes by this list; a test holds
it against a lake with everything in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from foundation.registry import Registry

DAY = r"\d{4}-\d\d-\d\d"


@dataclass(frozen=True)
class Place:
    """A kind of file.

    Attributes:
        what: What it is.
        pattern: Regular expression of its paths, from the root of the lake.
        persons: `plain` when it holds values as served, `hashed` when it holds keyed hashes of them, `none` when it
            holds nobody.
        example: One path.
    """

    what: str
    pattern: str
    persons: Literal["plain", "hashed", "none"]
    example: str

    @property
    def describes(self) -> str:
        """What the reference says of it."""
        persons = {"plain": "in plain", "hashed": "by their keyed hashes", "none": "none"}[self.persons]
        return f"{self.what} Persons: {persons}."

    def holds(self, path: str) -> bool:
        """Whether a path is of this kind."""
        return re.fullmatch(self.pattern, path) is not None


PLACES: Registry[Place] = Registry("lake place", "What lies where below SLUICE_LAKE, and who can be found there.")


def place_of(path: str) -> Iterator[str]:
    """The kinds that a path of the lake belongs to: one, unless the list is wrong."""
    return (name for name, place in PLACES.entries().items() if place.holds(path))


for _name, _place in {
    "landed files": Place(
        "Bytes as the site served them, persons included. Everything else can be made from them again.",
        rf"landing/[^/]+/{DAY}/(files|partial)/.+",
        "plain",
        "landing/shop_clickstream/2026-01-05/files/0a1b-part-1.jsonl.gz",
    ),
    "manifests": Place(
        "What landed for a day, and how the crawl went.",
        rf"landing/[^/]+/{DAY}/(manifest\.json|journal[^/]*|lock)",
        "none",
        "landing/shop_clickstream/2026-01-05/manifest.json",
    ),
    "rows": Place(
        "Rows of every table: raw, history, quarantine, tables, labels, aggregates, examples, recommendations. "
        "Earlier versions, and what was staged and never published, lie among them until the housekeeping.",
        rf"tables/[^/]+/date={DAY}/.+\.parquet",
        "hashed",
        "tables/shop_events/date=2026-01-05/0a1b.parquet",
    ),
    "refused rows": Place(
        "Rows that a gate refused, with the reason, for people to look into.",
        rf"tables/[^/]+/_refused/date={DAY}/.+",
        "hashed",
        "tables/shop_events/_refused/date=2026-01-05/0a1b.parquet",
    ),
    "table versions": Place(
        "Delta's log of a table: its versions, with least and greatest values of columns.",
        r"tables/[^/]+/(_delta_log/.+|_lock)",
        "hashed",
        "tables/shop_events/_delta_log/00000000000000000000.json",
    ),
    "reports": Place(
        "Ledgers, profiles and Data Docs of a day: counts, checks, and values of columns that are about nobody.",
        rf"reports/[^/]+/({DAY}/.+|docs_static/.+)",
        "none",
        "reports/shop_events/2026-01-05/0a1b.json",
    ),
    "training runs": Place(
        "Training sets with their vocabularies, checkpoints, candidates, evaluations and logs of workers.",
        rf"models/[^/]+/runs/{DAY}/.+",
        "hashed",
        "models/shop_ranker/runs/2026-01-05/0a1b/data/train/part-0.parquet",
    ),
    "published models": Place(
        "Models with their cards and vocabularies.",
        r"models/[^/]+/versions/.+",
        "hashed",
        "models/shop_ranker/versions/2026-01-05-0a1b/model.tflite",
    ),
    "champions": Place(
        "The record of switches: which version was the champion when, by whom and why.",
        r"models/[^/]+/(champion\.json|record\.json|\.lock|lock)",
        "none",
        "models/shop_ranker/champion.json",
    ),
    "guards": Place(
        "Locks of conditional writes on a folder.",
        r"(models/[^/]+/)?\.guards/.+",
        "none",
        ".guards/12",
    ),
    "demo shop": Place("What the demo chose for this lake.", r"demo_shop\.json", "none", "demo_shop.json"),
}.items():
    PLACES.register(_name, _place)
