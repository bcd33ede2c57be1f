"""Published models: immutable versions, and a champion pointer that is switched atomically."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from training.card import render_card

MODEL_FILE = "model.tflite"
POINTER = "champion.json"


class PublicationError(ValueError):
    """Nothing was published or rolled back; the message says why."""


@dataclass(frozen=True)
class Champion:
    """The published model.

    Attributes:
        version: Its name under `versions/`.
        path: Its folder: model.tflite, encoding/, float/, card.md, card.json.
        history: Every version that was champion, oldest first, this one last.
    """

    version: str
    path: Path
    history: tuple[str, ...]


def champion(models: Path) -> Champion | None:
    """The published model of a models folder, or None before the first publication.

    Raises:
        PublicationError: The pointer names a version that is gone.
    """
    pointer = models / POINTER
    if not pointer.is_file():
        return None
    history = _history(models)
    version = history[-1]
    path = models / "versions" / version
    if not (path / MODEL_FILE).is_file():
        raise PublicationError(
            f"{pointer} names version {version}, whose folder {path} is not complete. Choose another with "
            f"`python -m training rollback {models} --to VERSION`."
        )
    return Champion(version, path, history)


def publish(models: Path, *, version: str, run: Path, encoding: Path, candidate: str, card: Mapping[str, Any]) -> Path:
    """Copy a blessed candidate into an immutable version, and make it the champion.

    Readers see the old champion or the new one, complete; a crash leaves one of them. Publishing the same candidate
    under the same version again changes nothing.

    Args:
        models: The model's folder.
        version: Name of the new version.
        run: The training run's folder, with `float/` and `candidates/<candidate>/model.tflite`.
        encoding: The vocabularies and input descriptions that the model was trained with.
        candidate: The blessed candidate.
        card: What the model card tells, as plain JSON.

    Returns:
        The version's folder.

    Raises:
        PublicationError: The candidate has no file, or the version exists with other content.
    """
    source = run / "candidates" / candidate / MODEL_FILE
    if not source.is_file():
        raise PublicationError(f"Candidate '{candidate}' has no {source}; make the candidates again.")
    target = models / "versions" / version
    with _locked(models):
        _remove_unfinished(models)
        if target.exists():
            if _sha256(target / MODEL_FILE) != _sha256(source):
                raise PublicationError(
                    f"Version {version} is published with another {MODEL_FILE}, and versions never change. "
                    f"Publish under another name."
                )
        else:
            _write_version(target, run, encoding, source, {**card, "version": version, "candidate": candidate})
        _point(models, version)
    return target


def rollback(models: Path, *, to: str | None = None) -> Champion:
    """Make an earlier version the champion again: the one before the present one, or a named one.

    Raises:
        PublicationError: There is nothing to go back to, or no such version.
    """
    with _locked(models):
        history = _history(models)
        if to is None:
            if len(history) < 2:
                raise PublicationError(f"{models} has no earlier champion to go back to.")
            history = history[:-1]
        elif history[-1:] != (to,):
            history = (*history, to)
        known = sorted(path.parent.name for path in (models / "versions").glob(f"[!.]*/{MODEL_FILE}"))
        if history[-1] not in known:
            raise PublicationError(
                f"{models} has no version '{history[-1]}'; there are: {', '.join(known) or 'none'}. "
                f"Choose with `--to VERSION`."
            )
        _write_pointer(models, history[-1], history)
    found = champion(models)
    if found is None:
        raise PublicationError(f"{models / POINTER} vanished while it was being written; run the rollback again.")
    return found


def _write_version(target: Path, run: Path, encoding: Path, source: Path, card: Mapping[str, Any]) -> None:
    # Built beside the versions and renamed: a version is there as a whole or not at all.
    building = target.parent / f".{target.name}-{uuid.uuid4().hex}"
    building.mkdir(parents=True)
    try:
        shutil.copy2(source, building / MODEL_FILE)
        shutil.copytree(encoding, building / "encoding")
        shutil.copytree(run / "float", building / "float")
        full = {**card, "sha256": _sha256(source), "bytes": source.stat().st_size}
        (building / "card.json").write_text(json.dumps(full, indent=1, default=str), encoding="utf-8")
        (building / "card.md").write_text(render_card(full), encoding="utf-8")
        for path in building.rglob("*"):
            if path.is_file():
                _sync(path)
        building.rename(target)
        _sync(target.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _remove_unfinished(models: Path) -> None:
    # Whoever holds the lock knows that nobody else is building: what looks so was left by a killed process.
    for path in (models / "versions").glob(".*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in models.glob(f".{POINTER}-*"):
        path.unlink()


def _history(models: Path) -> tuple[str, ...]:
    pointer = models / POINTER
    if not pointer.is_file():
        return ()
    try:
        content = json.loads(pointer.read_text(encoding="utf-8"))
        history, version = tuple(content["history"]), content["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise PublicationError(
            f"{pointer} is damaged ({error}). Remove it, then choose a version with "
            f"`python -m training rollback {models} --to VERSION`."
        ) from None
    # The version is what counts; a history that does not end with it was edited by hand.
    return history if history[-1:] == (version,) else (*history, version)


def _point(models: Path, version: str) -> None:
    history = _history(models)
    if history and history[-1] == version:
        return
    _write_pointer(models, version, (*history, version))


def _write_pointer(models: Path, version: str, history: tuple[str, ...]) -> None:
    temporary = models / f".{POINTER}-{uuid.uuid4().hex}"
    content = {"version": version, "history": list(history), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
    _sync(temporary)
    temporary.replace(models / POINTER)
    _sync(models)


@contextmanager
def _locked(models: Path) -> Iterator[None]:
    models.mkdir(parents=True, exist_ok=True)
    with (models / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
