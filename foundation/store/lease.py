"""A lock on an object store: an object that its holder keeps changing, and that others take over when it stands still.

No clock is compared between machines: who waits watches the object's etag, and takes the lease over when it has seen
the same one for as long as a lease lasts (as AWS' lock client for DynamoDB does). Each holder gets a greater number,
the fence, and notices when it was taken for dead.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

from foundation.store.errors import ConflictError, LeaseLostError, StoreError
from foundation.store.protocol import Store

LASTS = 30.0
"""Seconds that a lease outlives a holder who was killed."""

_POLL = 0.2


class Lease:
    """A lease that is held, and renewed by a thread until it is let go.

    Attributes:
        fence: Greater than that of every earlier holder.
    """

    def __init__(self, store: Store, path: str, etag: str, fence: int, lasts: float) -> None:
        self.fence = fence
        self._store = store
        self._path = path
        self._etag = etag
        self._lasts = lasts
        self._renewed = time.monotonic()
        self._lost = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_renewing, name=f"lease of {path}", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise a LeaseLostError when another may hold the lease by now."""
        if self._lost or time.monotonic() - self._renewed > self._lasts:
            raise LeaseLostError(
                f"The lock {self._store.uri(self._path)} was not renewed for {self._lasts:.0f} s and may be another's "
                "by now; what was done under it since must be done again."
            )

    def let_go(self) -> None:
        """Stop renewing, and leave the lease to the next one."""
        self._over.set()
        self._thread.join()
        if not self._lost:
            # The fence stays on record, so that the next holder's is greater.
            with contextlib.suppress(StoreError):
                self._store.put_if_match(self._path, _record(self.fence, holder=None), self._etag)

    def _keep_renewing(self) -> None:
        while not self._over.wait(self._lasts / 4):
            began = time.monotonic()
            try:
                self._etag = self._store.put_if_match(self._path, _record(self.fence, holder=_holder()), self._etag)
                self._renewed = began
            except ConflictError:
                self._lost = True
                return
            except StoreError:
                continue  # the store may answer again before the lease is over


@contextlib.contextmanager
def leased(store: Store, path: str, *, lasts: float | None = None) -> Iterator[Lease]:
    """Wait for a lease, and hold it for the length of a block.

    Args:
        store: Where the lease's object lies.
        path: The object.
        lasts: Seconds that it outlives its holder; `LASTS` by default.

    Raises:
        LeaseLostError: At the end, when it was taken over meanwhile.
    """
    lasts = LASTS if lasts is None else lasts
    seen, since = None, time.monotonic()
    while True:
        present = store.content(path)
        record: dict[str, Any] = json.loads(present.data) if present else {"fence": 0, "holder": None}
        etag = present.etag if present else None
        if etag != seen:
            seen, since = etag, time.monotonic()
        if record["holder"] is None or time.monotonic() - since > lasts:
            fence = int(record["fence"]) + 1
            data = _record(fence, holder=_holder())
            try:
                taken = store.put_if_absent(path, data) if etag is None else store.put_if_match(path, data, etag)
            except ConflictError:
                continue
            break
        time.sleep(min(_POLL, lasts / 10))
    lease = Lease(store, path, taken, fence, lasts)
    try:
        yield lease
        lease.check()
    finally:
        lease.let_go()


def _holder() -> str:
    return f"{socket.gethostname()} process {os.getpid()}"


def _record(fence: int, *, holder: str | None) -> bytes:
    # The random part makes every record another content, and so another etag.
    return json.dumps({"fence": fence, "holder": holder, "beat": uuid.uuid4().hex}).encode()
