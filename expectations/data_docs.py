"""The Data Docs of a gate: one site a partition, from templates that are compiled once a process.

Great Expectations makes a Jinja environment a page, and so compiles the same seventeen templates for each page of each
partition: two thirds of the time of a small day's gate. The pages here share the compiled templates. Great Expectations
finds them by name, which is why this module, unlike the gate, imports it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from great_expectations.render.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class _Memory(BytecodeCache):
    """Compiled templates by their key; Jinja compares the template's source before it uses one."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Memory()


class Page(DefaultJinjaPageView):  # type: ignore[misc]
    """A page of a suite or of a validation."""

    def __init__(self, **directories: Any) -> None:
        super().__init__(**directories)
        self.env.bytecode_cache = _COMPILED


class IndexPage(DefaultJinjaIndexPageView):  # type: ignore[misc]
    """The first page."""

    def __init__(self, **directories: Any) -> None:
        super().__init__(**directories)
        self.env.bytecode_cache = _COMPILED


def prepare(folder: Path, static: Path | None) -> None:
    """Make the folder of a site, without what an earlier one left.

    Args:
        folder: Of the site.
        static: Where several sites share their fonts, styles and pictures; None for a copy each.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if static is not None:
        static.mkdir(parents=True, exist_ok=True)
        # Relative, so that the reports can be moved as a whole.
        (folder / "static").symlink_to(os.path.relpath(static, folder), target_is_directory=True)


def site(folder: Path) -> dict[str, Any]:
    """The configuration of a site in a folder, as Great Expectations reads it."""
    page = {"view": {"module_name": __name__, "class_name": Page.__name__}}
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {
            "class_name": "DefaultSiteIndexBuilder",
            "view": {"module_name": __name__, "class_name": IndexPage.__name__},
        },
        "site_section_builders": {"expectations": page, "validations": page},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
    }
