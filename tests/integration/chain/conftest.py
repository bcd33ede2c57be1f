"""A bakery with a web site on loopback, declared as a product of its own, and runs of it through Dagster."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import polars as pl
import pytest
from dagster import AssetCheckEvaluation, ExecuteInProcessResult
from dagster._utils.warnings import disable_dagster_warnings
from dagster.components.core.component_tree import ComponentTree

from assets.lake import Lake
from orchestration.resources import LakeResource, resources

FIRST = date(2026, 3, 2)
DAYS = tuple(FIRST + timedelta(days=number) for number in range(4))
KEY = "a key for tests"
ROOT = Path(__file__).parents[3]
USERS, ITEMS, VISITS = 12, 8, 60
SOURCE, TABLE, LABELS, EXAMPLES, MODEL = "visits", "sales", "liking", "portions", "baker"
DATA = (f"{SOURCE}__landing", f"{SOURCE}__raw", TABLE, LABELS, f"{EXAMPLES}__daily", EXAMPLES)
PARSED = DATA[1:]
STAGES = ((f"{SOURCE}__raw",), (TABLE,), (LABELS,), (f"{EXAMPLES}__daily",), (EXAMPLES,))

DECLARATIONS = {
    SOURCE: """\
type: assets.components.Source
attributes:
  name: visits
  crawl:
    kind: files
    start: "${BAKERY_URL}/{date}/"
    follow: 'part-\\d+\\.jsonl\\.gz$'
    limits: {retries: 1, backoff_seconds: 0.05, timeout_seconds: 20}
  format: {kind: jsonl}
  contract:
    event_time: ts
    columns:
      event_id:   {type: string, required: true}
      user_id:    {type: string, required: true, pii: hash}
      item_id:    {type: string, required: true}
      event_type: {type: string, required: true, one_of: [view, purchase]}
      ts:         {type: datetime, required: true, formats: [epoch_ms]}
      email:      {type: string, pii: drop}
""",
    TABLE: """\
type: assets.components.Table
attributes:
  name: sales
  from: [visits]
  lateness: 1d
  steps:
    - deduplicate: {by: [event_id]}
    - sessionize: {by: user_id, gap: 30m}
    - dwell: {by: [user_id, session_id]}
  gate:
    - expect_table_row_count_to_be_between: {min_value: 10}
    - expect_column_values_to_not_be_null: {column: item_id}
    - expect_column_mean_to_be_between: {column: dwell_seconds, min_value: 0, max_value: 1, severity: warning}
""",
    LABELS: """\
type: assets.components.Labels
attributes:
  name: liking
  from: sales
  unit: [user_id, item_id]
  aggregate:
    purchases: "sum(event_type = 'purchase')"
    views: "sum(event_type = 'view')"
  labels: [left, liked]
  functions:
    - {name: bought, vote: liked, when: "purchases > 0"}
    - {name: looked_again, vote: liked, when: "views > 1"}
    - {name: looked_once, vote: left, when: "views = 1 and purchases = 0"}
  minimum_rows_to_fit: 10
  seed: 5
""",
    EXAMPLES: """\
type: assets.components.Features
attributes:
  name: portions
  labels: liking
  windows: [1d, 3d]
  features:
    - count: {by: user_id, of: [view, purchase]}
    - recency: {by: [user_id, item_id]}
    - vocabulary: {column: item_id, min_count: 1, out_of_vocabulary_buckets: 4}
  negatives: {per_positive: 2, by: uniform, seed: 5}
  split: {validation: 1d, test: 1d}
""",
    MODEL: """\
type: assets.components.Model
attributes:
  name: baker
  examples: portions
  window: 4d
  family: {kind: ranker, hidden: [8, 4]}
  workers: 2
  epochs: 2
  batch: 64
  seed: 5
""",
}

DAGSTERS_OWN_WARNINGS = (
    "ignore:`parse_obj_as` is deprecated",
    "ignore:The `__fields__` attribute is deprecated",
    "ignore:AssetExecutionContext.run_id is deprecated:DeprecationWarning:dagster._core.pipes.context",
    "ignore:Function `PipesMessageReader.expected_writer_count` is currently in preview::dagster._core.pipes.context",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let Dagster warn of itself."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            for warning in DAGSTERS_OWN_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))


def event(day: date, number: int, *, at: date | None = None, **changes: Any) -> dict[str, Any]:
    """One visit that is logged in a day's file; `at` is the day it happened, when that is another."""
    rng = random.Random(f"{day} {number}")
    user = rng.randrange(USERS)
    moment = datetime.combine(at or day, datetime.min.time(), UTC) + timedelta(seconds=rng.randrange(60, 86_000))
    return {
        "event_id": f"{day:%m%d}-{number:05d}",
        "user_id": f"person-{user}",
        "item_id": f"bread-{rng.randrange(ITEMS)}",
        "event_type": "purchase" if rng.random() < 0.3 else "view",
        "ts": int(moment.timestamp() * 1000),
        "email": f"person-{user}@bakery.example",
        **changes,
    }


def visits(day: date, count: int = VISITS) -> list[dict[str, Any]]:
    """A day without a fault."""
    return [event(day, number) for number in range(count)]


def lines(records: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def packed(records: Sequence[Mapping[str, Any]]) -> bytes:
    return gzip.compress(lines(records), mtime=0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        with site.lock:
            site.asked.append(self.path)
        with suppress(ConnectionError):
            self._serve(site)

    def _serve(self, site: Site) -> None:
        if site.down:
            self._answer(503, b"closed", {})
        elif match := re.fullmatch(r"/(\d{4}-\d\d-\d\d)/", self.path):
            names = sorted(name for day, name in site.files if day == match[1])
            body = "".join(f'<a href="{name}">{name}</a>' for name in names).encode()
            found = names or match[1] in site.empty
            self._answer(200 if found else 404, b"<html>" + body, {"Content-Type": "text/html"})
        elif (body := site.files.get(tuple(self.path.strip("/").split("/")))) is not None:  # type: ignore[arg-type]
            etag = f'"{hash(body)}"'
            if self.headers.get("If-None-Match") == etag:
                self._answer(304, b"", {"ETag": etag})
            else:
                if self.path.strip("/") in site.slow:
                    site.opened.wait(60)
                self._answer(200, body, {"ETag": etag, "Content-Type": "application/gzip"})
                with site.lock:
                    site.served.append(self.path)
        else:
            self._answer(404, b"not here", {})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@dataclass
class Site:
    """A web site of day files.

    Attributes:
        files: Bytes by day and name.
        empty: Days whose index page lists nothing.
        slow: Paths that are answered only once `opened` is set.
        asked: Every path that was asked for.
        served: Every file that was sent whole.
    """

    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    empty: set[str] = field(default_factory=set)
    slow: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    served: list[str] = field(default_factory=list)
    down: bool = False
    opened: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def put(self, day: date, *bodies: bytes | Sequence[Mapping[str, Any]]) -> None:
        """The files of a day: bytes as they stand, records gzipped."""
        for name in [name for name in self.files if name[0] == day.isoformat()]:
            del self.files[name]
        for number, body in enumerate(bodies):
            content = body if isinstance(body, bytes) else packed(body)
            self.files[day.isoformat(), f"part-{number}.jsonl.gz"] = content

    def open(self) -> None:
        """Answer what was held back, and hold back no more."""
        self.slow.clear()
        self.opened.set()

    def fetched(self) -> list[str]:
        """The files that were asked for."""
        with self.lock:
            return sorted(path for path in self.asked if path.endswith(".gz"))


@pytest.fixture(scope="session")
def new_site() -> Iterator[Callable[[], Site]]:
    servers: list[tuple[Site, ThreadingHTTPServer]] = []

    def start() -> Site:
        site = Site()
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        server.site = site  # type: ignore[attr-defined]
        site.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append((site, server))
        return site

    yield start
    for site, server in servers:
        site.opened.set()
        server.shutdown()
        server.server_close()


@dataclass
class Outcome:
    """What a run left behind."""

    result: ExecuteInProcessResult
    instance: dg.DagsterInstance

    @property
    def success(self) -> bool:
        return self.result.success

    @property
    def failures(self) -> dict[str, str]:
        """The description of each failed step."""
        found = {}
        for failed in self.result.get_step_failure_events():
            data = failed.step_failure_data
            described = data.user_failure_data.description if data.user_failure_data else None
            found[str(failed.step_key)] = described or (data.error.to_string() if data.error else "")
        return found

    def checks(self, asset: str) -> dict[tuple[str, str], AssetCheckEvaluation]:
        """Check results by day and name."""
        return {
            (str(found.partition), found.check_name): found
            for found in self.result.get_asset_check_evaluations()
            if found.asset_key == dg.AssetKey.from_user_string(asset)
        }

    def materialized(self, asset: str) -> dict[str, dict[str, Any]]:
        """Metadata of this run's materialisations by day."""
        key = dg.AssetKey.from_user_string(asset)
        return {
            str(found.partition): {name: value.value for name, value in found.metadata.items()}
            for event in self.result.get_asset_materialization_events()
            if (found := event.step_materialization_data.materialization).asset_key == key
        }

    def log(self) -> str:
        """Everything that the run wrote into the instance: log lines, errors, metadata."""
        return "\n".join(str(entry) for entry in self.instance.all_logs(self.result.run_id))


class Bakery:
    """A declared product in a project of its own, with a lake."""

    _numbers = itertools.count()

    def __init__(self, root: Path, declarations: Mapping[str, str], *, on_disk: bool = False) -> None:
        self.on_disk = on_disk
        self.package = f"bakery{next(self._numbers)}"
        self.project = root / "project"
        self.home = root / "dagster"
        self.home.mkdir(parents=True)
        # No telemetry, and a pool that lets a crawl wait for nobody.
        (self.home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        self.defs_folder = self.project / self.package / "defs"
        self.lake = Lake(str(root / "lake"))
        self._instance: dg.DagsterInstance | None = None
        self._launched: list[Launched] = []
        self._definitions: dg.Definitions | None = None
        self._write(declarations)

    def _write(self, declarations: Mapping[str, str]) -> None:
        for name, text in declarations.items():
            (self.defs_folder / name).mkdir(parents=True)
            (self.defs_folder / name / "defs.yaml").write_text(text)
        (self.defs_folder / "product.yaml").write_text(f"name: bakery\nstart: {FIRST}\n")
        (self.project / self.package / "__init__.py").write_text('"""A bakery."""\n')
        (self.project / self.package / "definitions.py").write_text(
            "from pathlib import Path\n\nimport dagster as dg\n\n"
            "from orchestration.definitions import executor\nfrom orchestration.resources import resources\n\n\n"
            "@dg.definitions\ndef defs():\n"
            "    return dg.Definitions.merge(\n"
            "        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),\n"
            "        dg.Definitions(resources=resources(), executor=executor()),\n"
            "    )\n"
        )
        (self.project / "pyproject.toml").write_text(
            f'[project]\nname = "{self.package}"\nversion = "0"\n\n'
            '[tool.dg]\ndirectory_type = "project"\n\n'
            f'[tool.dg.project]\nroot_module = "{self.package}"\nregistry_modules = ["assets.components"]\n'
        )

    @property
    def instance(self) -> dg.DagsterInstance:
        if self._instance is None:
            # Every event of a run is one commit to disk otherwise, and most tests have no use for that.
            home = str(self.home)
            self._instance = dg.DagsterInstance.from_config(home) if self.on_disk else dg.DagsterInstance.ephemeral()
        return self._instance

    def definitions(self) -> dg.Definitions:
        """The declarations with the real resources, around this bakery's lake."""
        if self._definitions is None:
            sys.path.insert(0, str(self.project))
            try:
                with disable_dagster_warnings():
                    declared = ComponentTree.for_project(self.project).build_defs()
            finally:
                sys.path.remove(str(self.project))
            bound = {**resources(), "lake": LakeResource(root=self.lake.root)}
            self._definitions = dg.Definitions.merge(declared, dg.Definitions(resources=bound))
        return self._definitions

    def run(
        self, assets: Sequence[str], first: date, last: date | None = None, *, force: bool = False, **sluice: str
    ) -> Outcome:
        """Materialise assets for a day or a range, in one run with tags `sluice/…`."""
        job = self.definitions().resolve_implicit_global_asset_job_def()
        tags = {f"sluice/{name}": value for name, value in sluice.items()}
        if force:
            tags["sluice/force"] = "true"
        if last is not None:
            tags["dagster/asset_partition_range_start"] = first.isoformat()
            tags["dagster/asset_partition_range_end"] = last.isoformat()
        result = job.execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey.from_user_string(name) for name in assets],
            partition_key=None if last else first.isoformat(),
            tags=tags,
            raise_on_error=False,
        )
        return Outcome(result, self.instance)

    def start(self, assets: Sequence[str], first: date, last: date | None = None, **environment: str) -> Launched:
        """`dg launch` in a process group of its own."""
        which = ["--partition", first.isoformat()] if last is None else ["--partition-range", f"{first}...{last}"]
        selection = " or ".join(f'key:"{name}"' for name in assets)
        if not self._launched:
            # Two processes that create the tables of a fresh instance at once get in each other's way.
            dg.DagsterInstance.from_config(str(self.home)).dispose()
        self._launched.append(Launched(self, ["--assets", selection, *which], environment))
        return self._launched[-1]

    def rows(self, table: str) -> pl.DataFrame:
        """Everything that is published, in an order that depends on nothing but the rows."""
        frame = self.lake.scan(table).collect()
        whole = pl.struct(frame.columns).struct.json_encode()
        return frame.sort(whole)

    def days(self, table: str) -> list[date]:
        """The published days."""
        return sorted(self.lake.published_days(table)) if self.lake.exists(table) else []

    def versions(self) -> dict[str, int]:
        """The version of every table."""
        folder = Path(self.lake.root) / "tables"
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        return {name: self.lake.version(name) for name in names if self.lake.exists(name)}

    def take_landing(self, other: Bakery) -> None:
        """The very bytes that another bakery landed."""
        shutil.copytree(Path(other.lake.root) / "landing", Path(self.lake.root) / "landing")

    def close(self) -> None:
        for launched in self._launched:
            if launched.process.poll() is None:
                launched.kill()
        if self._instance is not None:
            self._instance.dispose()


class Launched:
    """A `dg launch` that is under way."""

    def __init__(self, bakery: Bakery, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self.log = bakery.home / f"launch-{time.monotonic_ns()}.log"
        with self.log.open("wb") as sink:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).with_name("dg")), "launch", *arguments],
                cwd=bakery.project,
                env={
                    **os.environ,
                    "DAGSTER_HOME": str(bakery.home),
                    "DAGSTER_DISABLE_TELEMETRY": "1",
                    # The code that these tests stand beside, wherever another checkout is installed.
                    "PYTHONPATH": os.pathsep.join((str(bakery.project), str(ROOT))),
                    "SLUICE_LAKE": bakery.lake.root,
                    **environment,
                },
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, happened: Callable[[], Any], seconds: float = 120) -> None:
        """Look every few milliseconds until something has happened.

        Raises:
            AssertionError: The process ended before, or it took too long.
        """
        deadline = time.monotonic() + seconds
        while not happened():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.005)

    def kill(self) -> None:
        """SIGKILL to everything that the launch started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def finish(self, seconds: float = 240) -> int:
        return self.process.wait(seconds)

    def text(self) -> str:
        return self.log.read_text(errors="replace")


@pytest.fixture(scope="session")
def bread() -> ModuleType:
    """What this file defines, for test modules, which import nothing from each other."""
    return sys.modules[__name__]


@pytest.fixture
def new_bakery(tmp_path: Path) -> Iterator[Callable[..., Bakery]]:
    made: list[Bakery] = []

    def make(**changes: str) -> Bakery:
        made.append(Bakery(tmp_path / f"bakery-{len(made)}", {**DECLARATIONS, **changes}))
        return made[-1]

    yield make
    for bakery in made:
        bakery.close()


@pytest.fixture
def bakery(new_bakery: Callable[..., Bakery]) -> Bakery:
    return new_bakery()


@pytest.fixture
def site(new_site: Callable[[], Site], monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site with four faultless days."""
    site = new_site()
    for day in DAYS:
        site.put(day, visits(day))
    monkeypatch.setenv("BAKERY_URL", site.url)
    monkeypatch.setenv("SLUICE_PII_KEY", KEY)
    return site
