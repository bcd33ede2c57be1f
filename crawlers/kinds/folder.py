"""The `folder` kind: files that lie in a folder or below a prefix of an object store."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from crawlers.address import Site, check_placeholders, expand_folder, variables
from crawlers.crawl import CRAWL_KINDS, Crawl
from crawlers.folders.glob import check_glob
from foundation.declaration import Names


class FolderCrawl(Crawl):
    """Files of a folder, or of a prefix of an object store, copied to landing as they are.

    Nothing is fetched over the web, and nothing outside the folder is read. A file that has not changed since it landed
    (its size and time, or its ETag) is not read again; one that changes while it is read is read once more. Files
    whose names begin with a dot are left alone unless a pattern says otherwise, so write a file as `.name.part`
    and rename it when it is complete.

    Attributes:
        path: The folder, relative to where Sluice runs or absolute, or an `s3://bucket/prefix`. `{date}` is the
            partition (`{date:%Y%m%d}` for another form); `${VAR}` is read from the environment when the crawl runs.
        files: Which files in it, as one pattern or several: `*.csv`, `events-{date}-*.jsonl.gz`, `**/*.gz` for folders
            below as well.
    """

    example: ClassVar[Mapping[str, Any]] = {"kind": "folder", "path": "exports/{date}", "files": "*.csv"}

    runs: ClassVar[str] = "crawlers.folders.crawl:crawl_folder"
    tools: ClassVar[frozenset[str]] = frozenset({"file"})

    kind: Literal["folder"] = "folder"
    path: str
    files: Names

    @field_validator("path")
    @classmethod
    def _path_is_a_folder(cls, path: str) -> str:
        check_placeholders("path", path)
        if re.match(r"https?://", path):
            raise ValueError(f"path {path!r} is a web address; use kind: files, with start and follow")
        if "://" in path and not path.startswith("s3://"):
            raise ValueError(f"path {path!r} is neither a folder nor s3://bucket/prefix")
        if path.startswith("s3://") and "@" in path:
            raise ValueError(
                "path holds a user or password (not shown); credentials come from AWS_ACCESS_KEY_ID and such"
            )
        if not path.strip():
            raise ValueError("path is empty; write a folder, '.' for the one where Sluice runs")
        if ".." in path.split("/"):
            raise ValueError(
                f"path {path!r} holds '..'; write the folder itself, so that what is declared is what is read"
            )
        if re.search(r"[*?\[]", path):
            raise ValueError(f"path {path!r} holds a wildcard; name the folder here, and put patterns into files")
        for name in re.findall(r"\$\{([^}]*)\}?", path):
            if name not in variables(path):
                raise ValueError(f"path {path!r} holds '${{{name}}}', which names no environment variable")
        return path

    @field_validator("files")
    @classmethod
    def _globs_stay_inside(cls, globs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_glob(glob) for glob in globs)

    @property
    def address(self) -> str:
        """The folder, as declared."""
        return self.path

    @property
    def place(self) -> str:
        """The folder, up to the date."""
        return re.split(r"\{date", re.sub(r"^\w+://", "", self.path), maxsplit=1)[0].strip("/")

    def expand(self, environment: Mapping[str, str], *, source: str) -> Site:
        """The folder, with the variables of an environment."""
        return expand_folder(self.path, environment, source=source)


CRAWL_KINDS.register("folder", FolderCrawl)
