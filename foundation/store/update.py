"""Read, change and write one file, with as many attempts as other writers make necessary."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from foundation.store.errors import ConflictError
from foundation.store.protocol import Store

_ATTEMPTS = 40


def update(store: Store, path: str, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
    """Change a file by conditional writes: no change of another writer is lost.

    Args:
        store: Where the file is.
        path: The file; it need not exist.
        change: Is given the present content, or None when there is no file, and returns the new one, or None to leave
            the file as it is. It is called again when another writer was faster, and may raise to give up.

    Returns:
        What the file holds after it.

    Raises:
        ConflictError: Other writers kept winning.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(random.uniform(0, min(0.01 * 2**attempt, 0.5)))  # noqa: S311 - spreads writers, nothing secret
        present = store.content(path)
        changed = change(present.data if present else None)
        if changed is None:
            return present.data if present else None
        try:
            if present is None:
                store.put_if_absent(path, changed)
            else:
                store.put_if_match(path, changed, present.etag)
        except ConflictError:
            continue
        return changed
    raise ConflictError(
        f"{store.uri(path)} could not be changed in {_ATTEMPTS} attempts: other writers kept changing it. Try again "
        "when they are done."
    )
