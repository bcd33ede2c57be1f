"""What can go wrong with a store, each with the fix in its message. A missing file is a `FileNotFoundError`."""


class StoreError(OSError):
    """The store did not do what it was asked for: it cannot be reached, or refuses."""


class ConflictError(StoreError):
    """A conditional write was too late: another writer has made or changed the file meanwhile."""


class LeaseLostError(StoreError):
    """A lock on an object store was taken over, because its holder did not renew it in time."""
