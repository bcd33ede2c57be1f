"""Nothing grows for ever: what is kept for how long, and the clean-up that sees to it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from assets.lake.lake import Lake
from assets.lake.refusal import FOLDER as REFUSED
from crawlers.landing import MANIFEST, ManifestError, expire, landed
from foundation.declaration import Declaration
from foundation.durations import Days
from foundation.store import FileInfo
from foundation.store.cache import forget_unused
from training.publish import VERSIONS, read_record


class Retention(Declaration):
    """How long what is no longer needed is kept. What is published, the champion and the ledgers of both always stay.

    Attributes:
        versions: Earlier versions of tables, which `restore` goes back to, and staged files that were never published.
        refused: What a gate refused; of one day the newest three stay at most, however young.
        reports: Data Docs, and reports of content that is no longer published.
        landing: The bytes as served, by the day that they are of; a source's own `retention` goes before. A day whose
            bytes are gone cannot be parsed again.
        unfinished: What crawls left that never came to an end, and local copies that nobody asks for.
        runs: Training runs, with their training sets and candidates.
        models: Published versions of a model that are not among the last champions.
        rollbacks: How many champions before the present one stay, however old.
    """

    versions: Days = dt.timedelta(days=7)
    refused: Days = dt.timedelta(days=30)
    reports: Days = dt.timedelta(days=90)
    landing: Days = dt.timedelta(days=365)
    unfinished: Days = dt.timedelta(days=7)
    runs: Days = dt.timedelta(days=14)
    models: Days = dt.timedelta(days=90)
    rollbacks: int = Field(default=5, ge=1)


@dataclass(frozen=True)
class Household:
    """What is kept of one product.

    Attributes:
        tables: Its tables.
        sources: Its sources, each with the days that its landing is kept, or None for the product's own.
        models: Its models.
    """

    tables: Sequence[str] = ()
    sources: Mapping[str, int | None] = field(default_factory=dict)
    models: Sequence[str] = ()


@dataclass(frozen=True)
class Cleaned:
    """What was removed of one kind.

    Attributes:
        kind: The key of `Retention` that it was kept by.
        name: The table, the source or the model; empty for local copies.
        count: Files, days, runs or versions.
        bytes: Theirs.
    """

    kind: str
    name: str
    count: int
    bytes: int


def keep_house(lake: Lake, household: Household, retention: Retention, *, now: dt.datetime) -> list[Cleaned]:
    """Remove what is older than declared and no longer needed.

    Args:
        lake: Where everything lies.
        household: What to look after.
        retention: How long things are kept.
        now: The moment that ages are counted from (UTC).

    Returns:
        What was removed; nothing of a kind that had nothing to remove.
    """
    known = set(lake.tables())
    cleaned: list[Cleaned] = []
    for table in sorted(known & set(household.tables)):
        cleaned += [
            _refused(lake, table, now - retention.refused),
            _versions(lake, table, retention.versions),
            _reports(lake, table, now - retention.reports),
        ]
    for source, days in sorted(household.sources.items()):
        kept = retention.landing if days is None else dt.timedelta(days=days)
        cleaned += [
            _landing(lake, source, now.date() - kept),
            _unfinished(lake, source, now - retention.unfinished),
        ]
    for model in household.models:
        cleaned += [_runs(lake, model, now - retention.runs), _models(lake, model, now - retention.models, retention)]
    cleaned.append(Cleaned("unfinished", "", *forget_unused(retention.unfinished.total_seconds())))
    return [one for one in cleaned if one.count]


def _versions(lake: Lake, table: str, older_than: dt.timedelta) -> Cleaned:
    found = lake.clean_up(table, older_than)
    return Cleaned("versions", table, len(found.unreferenced) + len(found.leftovers), found.bytes)


def _refused(lake: Lake, table: str, before: dt.datetime) -> Cleaned:
    files = lake.store.walk(f"tables/{table}/{REFUSED}")
    return _removed(lake, "refused", table, files, lambda info: info.modified < before)


def _reports(lake: Lake, table: str, before: dt.datetime) -> Cleaned:
    needed = {published.digest for published in lake.published_days(table).values()} - {""}
    needed |= {published.fingerprint for published in lake.published_days(table).values()}

    def is_over(info: FileInfo) -> bool:
        parts = info.path.split("/")  # reports, table, day, ...
        # What the pages of all days share is one copy; the day's ledger and profile are named after its content.
        is_of_a_day = len(parts) > 3 and _is_day(parts[2])
        of_the_published = parts[-1].removesuffix(".json") in needed and "docs" not in parts
        return is_of_a_day and not of_the_published and info.modified < before

    return _removed(lake, "reports", table, lake.store.walk(f"reports/{table}"), is_over)


def _landing(lake: Lake, source: str, before: dt.date) -> Cleaned:
    sizes = {
        name: sum(info.bytes for info in lake.store.walk(f"landing/{source}/{name}"))
        for name in lake.store.folders(f"landing/{source}")
        if _is_day(name) and dt.date.fromisoformat(name) < before
    }
    gone = expire(lake.store, source, before=before)
    return Cleaned(
        "landing", source, len(gone), sum(sizes[day.isoformat()] for day in gone if day.isoformat() in sizes)
    )


def _unfinished(lake: Lake, source: str, before: dt.datetime) -> Cleaned:
    files = []
    for name in lake.store.folders(f"landing/{source}"):
        folder = f"landing/{source}/{name}"
        found = lake.store.walk(folder)
        # A crawl that is under way, or broke off a moment ago and will be continued, has written something lately.
        if not _is_day(name) or any(info.modified >= before for info in found if not info.path.endswith("/lock")):
            continue
        try:
            needed = _files_of(lake, source, dt.date.fromisoformat(name))
        except ManifestError:
            continue  # a crawl replaces it; until then nobody can say which files it names
        files += [info for info in found if info.path not in needed]
    return _removed(lake, "unfinished", source, files, lambda _: True)


def _files_of(lake: Lake, source: str, day: dt.date) -> set[str]:
    folder = f"landing/{source}/{day.isoformat()}"
    manifest = landed(lake.store, source, day)
    if manifest is None:
        return set()
    named = manifest.files
    return {f"{folder}/{MANIFEST}", f"{folder}/lock", *(f"{folder}/{file.path}" for file in named)}


def _runs(lake: Lake, model: str, before: dt.datetime) -> Cleaned:
    count = size = 0
    for run in sorted(lake.scratch_dir(model).glob("????-??-??/*")):
        files = [path for path in run.rglob("*") if path.is_file()]
        newest = max((path.stat().st_mtime for path in (run, *files)), default=0.0)
        if newest < before.timestamp():
            size += sum(path.stat().st_size for path in files)
            count += 1
            shutil.rmtree(run, ignore_errors=True)
            _remove_if_empty(run.parent)
    return Cleaned("runs", model, count, size)


def _models(lake: Lake, model: str, before: dt.datetime, retention: Retention) -> Cleaned:
    models = lake.models(model)
    record = read_record(models)
    if record is None:
        return Cleaned("models", model, 0, 0)  # nobody can say which of them is needed
    # The champion, those that going back leads through, and those that held the place most lately.
    lately = dict.fromkeys(switch.version for switch in reversed(record.switches))
    needed = {*record.line()[-retention.rollbacks - 1 :], *list(lately)[: retention.rollbacks + 1]}
    count = size = 0
    for version in models.folders(VERSIONS):
        found = models.walk(f"{VERSIONS}/{version}")
        if version not in needed and found and all(info.modified < before for info in found):
            size += models.remove_folder(f"{VERSIONS}/{version}")
            count += 1
    return Cleaned("models", model, count, size)


def _removed(
    lake: Lake, kind: str, name: str, files: Iterable[FileInfo], is_over: Callable[[FileInfo], bool]
) -> Cleaned:
    count = size = 0
    for info in files:
        if is_over(info):
            lake.store.remove(info.path)
            count += 1
            size += info.bytes
    return Cleaned(kind, name, count, size)


def _is_day(name: str) -> bool:
    try:
        dt.date.fromisoformat(name)
    except ValueError:
        return False
    return True


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()
