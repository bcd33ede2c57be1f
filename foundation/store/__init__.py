"""Where things are kept: files below one root, in a folder or on an object store, under one protocol.

store = open_store("s3://bucket/lake")              # or a folder
store.write("reports/a.json", b"{}")                # as a whole: readers see the old content or the new
store.put_if_absent("reports/b.json", b"{}")        # one of several writers wins, the others get a ConflictError
update(store, "champion.json", lambda old: b"...")  # read, change, write: repeated until nobody was faster
store.fetch("models/1/model.tflite")                # a local path, for what cannot read from an object store
"""

from foundation.store.errors import ConflictError, LeaseLostError, StoreError
from foundation.store.opening import open_store
from foundation.store.options import storage_options
from foundation.store.protocol import Content, FileInfo, Hold, Store
from foundation.store.update import update

__all__ = [
    "ConflictError",
    "Content",
    "FileInfo",
    "Hold",
    "LeaseLostError",
    "Store",
    "StoreError",
    "open_store",
    "storage_options",
    "update",
]
