import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawlers.landing import LandedFile, Manifest
from crawlers.parse import Parsed, parse_partition
from crawlers.spec import SourceSpec

FETCHED = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)


@pytest.fixture
def parse(tmp_path: Path) -> Callable[..., Parsed]:
    """Lands files by name and parses them: parse({"a.jsonl": b"..."}, columns, unknown_columns=..., ...)."""
    runs = iter(range(1000))

    def run(
        files: dict[str, bytes],
        columns: dict[str, Any],
        *,
        kind: str = "jsonl",
        unknown_columns: str = "keep",
        secret: bytes | None = b"secret",
        limits: dict[str, Any] | None = None,
        chunk_bytes: int = 1 << 24,
        content_encoding: str | None = None,
        **options: Any,
    ) -> Parsed:
        folder = tmp_path / f"run-{next(runs)}"
        landing, scratch = folder / "landing", folder / "scratch"
        (landing / "files").mkdir(parents=True)
        scratch.mkdir()
        landed = []
        for name, body in files.items():
            (landing / "files" / name).write_bytes(body)
            digest = hashlib.sha256(body).hexdigest()
            landed.append(
                LandedFile(
                    path=f"files/{name}",
                    url=name,
                    status=200,
                    bytes=len(body),
                    sha256=digest,
                    content_encoding=content_encoding,
                    fetched_at=FETCHED,
                )
            )
        manifest = Manifest(
            source="shop",
            partition=dt.date(2026, 3, 1),
            finish_reason="finished" if landed else "no_files",
            started_at=FETCHED,
            finished_at=FETCHED,
            files=tuple(landed),
        )
        (landing / "manifest.json").write_text(manifest.model_dump_json())
        spec = SourceSpec.model_validate(
            {
                "name": "shop",
                "crawl": {
                    "kind": "files",
                    "start": "http://shop.example/{date}/",
                    "follow": ".",
                    "limits": limits or {},
                },
                "format": {"kind": kind, **options},
                "contract": {"columns": columns, "unknown_columns": unknown_columns},
            }
        )
        parsed = parse_partition(landing, spec, scratch=scratch, secret=secret, chunk_bytes=chunk_bytes)
        parsed.accounting.check("test")
        assert parsed.records.collect().height == parsed.accounting.rows_out
        assert parsed.records.collect_schema() == spec.contract.raw_schema()
        assert parsed.quarantined.collect().height == parsed.accounting.rows_quarantined
        return parsed

    return run


@pytest.fixture
def real_log() -> bytes:
    """Ten thousand lines of a web server that nobody here wrote."""
    path = Path(__file__).parents[4] / "shared" / "data" / "weblogs" / "apache_combined.log.gz"
    if not path.is_file():
        pytest.skip(f"the real data is not there: {path}")
    return path.read_bytes()
