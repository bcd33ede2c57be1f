"""Published models: immutable versions, and the record of who is champion, which is switched atomically."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from foundation.store import ConflictError, Store, update
from training.card import render_card
from training.champions import Record, Switch, SwitchError, Way, blessed, chosen, rolled_back
from training.runtimes import RUNTIMES, model_file

POINTER, VERSIONS, CARD = "champion.json", "versions", "card.json"
_LOCK = ".lock"


class PublicationError(ValueError):
    """Nothing was published or switched; the message says why."""


@dataclass(frozen=True)
class Champion:
    """The published model.

    Attributes:
        version: Its name under `versions/`.
        record: Every switch that led to it.
        models: Where it lies.
    """

    version: str
    record: Record
    models: Store = field(compare=False, repr=False)

    @property
    def uri(self) -> str:
        """Where its folder lies."""
        return self.models.uri(f"{VERSIONS}/{self.version}")

    @property
    def path(self) -> Path:
        """Its folder in the file system, perhaps a copy: the model's file, encoding/, float/, card.md, card.json."""
        return fetch_version(self.models, self.version)

    @property
    def history(self) -> tuple[str, ...]:
        """The versions that going back leads through, oldest first, this one last."""
        return self.record.line()


@dataclass(frozen=True)
class Publication:
    """What became of a blessed candidate.

    Attributes:
        uri: Where the folder of its version lies, which is kept in any case.
        version: Its name.
        champion: The champion afterwards.
        kept: Why the champion stayed what it was, or empty.
    """

    uri: str
    version: str
    champion: str
    kept: str


def champion(models: Store) -> Champion | None:
    """The published model, or None before the first publication.

    Raises:
        PublicationError: The record is damaged, or names a version that is gone.
    """
    record = read_record(models)
    if record is None:
        return None
    if _card(models, record.version) is None or _file(models, record.version) is None:
        raise PublicationError(
            f"{models.uri(POINTER)} names version {record.version}, whose folder is not complete. Choose another "
            f"with `python -m training promote {models.root} VERSION --by WHO --reason WHY`."
        )
    return Champion(record.version, record, models)


def fetch_version(models: Store, version: str) -> Path:
    """The folder of a version in the file system, perhaps a copy of it.

    Raises:
        FileNotFoundError: There is no such version.
    """
    return models.fetch_folder(f"{VERSIONS}/{version}")


def versions(models: Store) -> tuple[str, ...]:
    """The versions that are complete, sorted."""
    return tuple(
        name
        for name in sorted(models.folders(VERSIONS))
        if not name.startswith(".") and models.info(f"{VERSIONS}/{name}/{CARD}") and _file(models, name)
    )


def _file(models: Store, version: str) -> str | None:
    files = (f"{VERSIONS}/{version}/{runtime.file}" for runtime in RUNTIMES.entries().values())
    return next((path for path in files if models.info(path) is not None), None)


def read_record(models: Store) -> Record | None:
    """Who is champion and was before, or None before the first publication.

    Raises:
        PublicationError: The record is damaged.
    """
    content = models.content(POINTER)
    return None if content is None else _read(models, content.data)


def _read(models: Store, content: bytes) -> Record:
    try:
        return Record.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise PublicationError(
            f"{models.uri(POINTER)} is damaged ({'.'.join(map(str, first['loc'])) or 'as a whole'}: {first['msg']}). "
            f"Remove it, then choose a version with "
            f"`python -m training promote {models.root} VERSION --by WHO --reason WHY`."
        ) from None


def publish(
    models: Store,
    *,
    version: str,
    run: Path,
    encoding: Path,
    candidate: str,
    card: Mapping[str, Any],
    by: str,
    reason: str,
    asked: bool = False,
) -> Publication:
    """Copy a blessed candidate into an immutable version, and make it the champion if the rules let it.

    Readers see the old champion or the new one, complete; a crash leaves one of them. Publishing the same candidate
    under the same version again changes nothing.

    Args:
        models: Where the model's versions and its record are kept.
        version: Name of the new version.
        run: The training run's folder, with `float/` and the model's file in `candidates/<candidate>/`.
        encoding: The vocabularies and input descriptions that the model was trained with.
        candidate: The blessed candidate.
        card: What the model card tells, as plain JSON; its `as_of` is the day that the model was trained as of.
        by: Whose decision it is, for the record.
        reason: Why, for the record.
        asked: Whether a person asked for this decision, see `training.champions.blessed`.

    Raises:
        PublicationError: The candidate has no file, or the version exists with other content.
    """
    folder = run / "candidates" / candidate
    source = model_file(folder)
    if source is None:
        raise PublicationError(f"Candidate '{candidate}' has no model file in {folder}; make the candidates again.")
    with models.lock(_LOCK):
        _remove_unfinished(models)
        present = _card(models, version)
        if present is None:
            _write_version(models, version, run, encoding, source, {**card, "version": version, "candidate": candidate})
        elif present.get("sha256") != _sha256(source):
            raise PublicationError(
                f"Version {version} is published with another {source.name}, and versions never change. "
                f"Publish under another name."
            )
    switch = _switch(models, version, "blessed", by, reason)
    kept = ""

    def switched(content: bytes | None) -> bytes | None:
        nonlocal kept
        before = _read(models, content) if content is not None else None
        record, kept = blessed(before, switch, asked=asked)
        return None if record is before else _written(record)

    now = update(models, POINTER, switched)
    current = _read(models, now).version if now is not None else version
    return Publication(models.uri(f"{VERSIONS}/{version}"), version, current, kept)


def rollback(models: Store, *, by: str, reason: str, to: str | None = None) -> Champion:
    """Make an earlier champion the champion again: the one before the present one, or a named one.

    Args:
        models: Where the model's versions and its record are kept.
        by: Who decides.
        reason: Why.
        to: The version to go back to.

    Raises:
        PublicationError: There is nothing to go back to, no such version, nobody is named, or somebody else switched
            the champion at the same moment.
    """
    return _choose(models, to, "rolled back", by=by, reason=reason)


def promote(models: Store, version: str, *, by: str, reason: str) -> Champion:
    """Make any published version the champion; it holds until a day newer than any so far is blessed.

    Args:
        models: Where the model's versions and its record are kept.
        version: One of its versions.
        by: Who decides.
        reason: Why.

    Raises:
        PublicationError: There is no such version, nobody is named, or somebody else switched the champion at the
            same moment.
    """
    return _choose(models, version, "promoted", by=by, reason=reason)


def _choose(models: Store, version: str | None, way: Way, *, by: str, reason: str) -> Champion:
    seen = models.content(POINTER)
    before = _read(models, seen.data) if seen is not None else None
    try:
        wanted = rolled_back(before, to=version) if way == "rolled back" or version is None else version
        known = versions(models)
        if wanted not in known:
            raise PublicationError(
                f"{models.root} has no version '{wanted}'; there are: {', '.join(known) or 'none'}. Choose one of them."
            )
        record = chosen(before, _switch(models, wanted, way, by, reason))
    except SwitchError as error:
        raise PublicationError(f"{models.root}: {error}") from None
    try:
        # What was decided on what is no longer so is decided again by the one who decides, not by us.
        if seen is None:
            models.put_if_absent(POINTER, _written(record))
        else:
            models.put_if_match(POINTER, _written(record), seen.etag)
    except ConflictError:
        now = read_record(models)
        raise PublicationError(
            f"{models.root}: the champion was switched in this very moment, to {now.version if now else 'none'}"
            f"{f' by {now.current.by} ({now.current.reason})' if now else ''}. Look at it, then decide again."
        ) from None
    return Champion(wanted, record, models)


def _written(record: Record) -> bytes:
    return record.model_dump_json(indent=1).encode()


def _switch(models: Store, version: str, way: Way, by: str, reason: str) -> Switch:
    try:
        as_of = date.fromisoformat((_card(models, version) or {})["as_of"])
    except (ValueError, KeyError, TypeError) as error:
        raise PublicationError(
            f"{models.uri(f'{VERSIONS}/{version}/{CARD}')} does not tell as of which day version {version} was trained "
            f"({error!r}); publish it again."
        ) from None
    at = datetime.now(UTC).replace(microsecond=0)
    return Switch(version=version, as_of=as_of, way=way, by=by, reason=reason, at=at)


def _write_version(
    models: Store, version: str, run: Path, encoding: Path, source: Path, card: Mapping[str, Any]
) -> None:
    with tempfile.TemporaryDirectory(prefix="sluice-version-") as folder:
        building = Path(folder) / version
        building.mkdir()
        shutil.copy2(source, building / source.name)
        shutil.copytree(encoding, building / "encoding")
        shutil.copytree(run / "float", building / "float")
        full = {**card, "file": source.name, "sha256": _sha256(source), "bytes": source.stat().st_size}
        (building / "card.md").write_text(render_card(full), encoding="utf-8")
        (building / CARD).write_text(json.dumps(full, indent=1, default=str), encoding="utf-8")
        # A version is there as a whole or not at all: the card comes last.
        models.upload_folder(building, f"{VERSIONS}/{version}", last=CARD)


def _card(models: Store, version: str) -> dict[str, Any] | None:
    content = models.content(f"{VERSIONS}/{version}/{CARD}")
    if content is None:
        return None
    try:
        card: dict[str, Any] = dict(json.loads(content.data))
    except (ValueError, TypeError):
        card = {}
    return card


def _remove_unfinished(models: Store) -> None:
    # Whoever holds the lock knows that nobody else is building: what looks so was left by a killed process.
    for name in models.folders(VERSIONS):
        if name.startswith(".") or models.info(f"{VERSIONS}/{name}/{CARD}") is None:
            models.remove_folder(f"{VERSIONS}/{name}")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
