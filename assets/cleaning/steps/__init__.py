"""The steps, one a file; importing this package registers them."""

from assets.cleaning.steps import (
    deduplicate,
    derive,
    drop,
    dwell,
    explode,
    reject,
    reject_bots,
    rename,
    select,
    sessionize,
)

MODULES = (deduplicate, derive, drop, dwell, explode, reject, reject_bots, rename, select, sessionize)

__all__ = ["MODULES"]
