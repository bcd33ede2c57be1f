"""Commands for people: what is published, and the way back."""

import argparse
import sys
from pathlib import Path

from training.failure import TaskError
from training.publish import Champion, PublicationError, champion, rollback


def champion_command(arguments: list[str]) -> int:
    """``python -m training champion MODELS_DIR``: print the published version and its history."""
    parser = argparse.ArgumentParser(prog="python -m training champion", description="Show what is published.")
    parser.add_argument("models", type=Path, help="folder of the model, with versions/ and champion.json")
    found = _champion(parser.parse_args(arguments).models)
    if found is None:
        sys.stdout.write("Nothing is published yet.\n")
        return 1
    _show(found)
    return 0


def rollback_command(arguments: list[str]) -> int:
    """``python -m training rollback MODELS_DIR [--to VERSION]``: make an earlier version the champion again."""
    parser = argparse.ArgumentParser(
        prog="python -m training rollback", description="Make an earlier version the champion again."
    )
    parser.add_argument("models", type=Path, help="folder of the model, with versions/ and champion.json")
    parser.add_argument("--to", metavar="VERSION", help="the version to publish; by default the one before the present")
    parsed = parser.parse_args(arguments)
    _check_folder(parsed.models)
    try:
        found = rollback(parsed.models, to=parsed.to)
    except PublicationError as error:
        raise TaskError(str(error)) from None
    sys.stdout.write("Rolled back. ")
    _show(found)
    return 0


def _champion(models: Path) -> Champion | None:
    _check_folder(models)
    try:
        return champion(models)
    except PublicationError as error:
        raise TaskError(str(error)) from None


def _check_folder(models: Path) -> None:
    if not models.is_dir():
        raise TaskError(f"There is no folder {models}; give the one that holds versions/ and champion.json")


def _show(found: Champion) -> None:
    sys.stdout.write(f"The champion is {found.version}, in {found.path}.\n")
    if len(found.history) > 1:
        sys.stdout.write(f"Before it: {', '.join(reversed(found.history[:-1]))}.\n")
