"""The environment variables that Sluice reads: what differs between machines, and every secret.

The reference is written from this list, and a test holds it against the code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """One environment variable.

    Attributes:
        name: As it is set.
        meaning: What it says.
        default: What holds without it.
        example: A value that it may have.
    """

    name: str
    meaning: str
    default: str
    example: str


VARIABLES = (
    Variable("SLUICE_LAKE", "The lake: a folder, or the URI of an object store.", "`data/lake`", "s3://company/lake"),
    Variable(
        "SLUICE_PII_KEY",
        "The key that personal data is hashed with: at least as secret as the data.",
        "none; needed where a contract says `pii: hash`, except in the demo",
        "a long random text",
    ),
    Variable(
        "SLUICE_CACHE",
        "Where copies of what lies on an object store are kept while they are needed; it may be lost at any time.",
        "a folder `sluice` in the user's cache folder",
        "/var/cache/sluice",
    ),
    Variable(
        "SLUICE_SCRATCH",
        "Where models are trained; what lies there may be lost.",
        "beside the published models, or `data/scratch` with an object store",
        "/scratch/sluice",
    ),
    Variable(
        "SHOP_URL",
        "The shop to crawl.",
        "a demo shop on loopback, for as long as a crawl takes",
        "http://127.0.0.1:8765",
    ),
    Variable(
        "SLUICE_PARALLEL_STEPS",
        "How many steps of a run may work at once, each in its own process.",
        "1: one after the other in the run's process",
        "4",
    ),
    Variable(
        "SLUICE_POSTGRES_URL",
        "Dagster's runs and events in PostgreSQL; set it before the first `make demo` or `make ui`.",
        "SQLite in `DAGSTER_HOME`",
        "postgresql://dagster@localhost/dagster",
    ),
    Variable("SLUICE_DEMO_SEED", "The demo shop's people, goods and tastes.", "7", "11"),
    Variable(
        "SLUICE_DEMO_BROKEN_DAYS",
        "Days with a broken log, with commas between.",
        "10 and 24 January 2026, and the day that `make demo` chose for its lake",
        "2026-02-03,2026-02-04",
    ),
    Variable(
        "SLUICE_TORCH",
        "`plain` lets set-up install the plain torch where no CPU build can be reached.",
        "a CPU build where there is no GPU",
        "plain",
    ),
)
