"""Commands for people: what is published, the way back, and the choice of any version."""

import argparse
import sys
from collections.abc import Callable
from typing import TypeVar

from foundation.store import Store, StoreError, open_store
from training.champions import told
from training.failure import TaskError
from training.publish import POINTER, Champion, PublicationError, champion, promote, rollback

T = TypeVar("T")


def champion_command(arguments: list[str]) -> int:
    """``python -m training champion MODELS_DIR``: print the published version and every switch that led to it."""
    parsed = _parser("champion", "Show what is published.").parse_args(arguments)
    found = _asked(parsed.models, champion)
    if found is None:
        sys.stdout.write("Nothing is published yet.\n")
        return 1
    _show(found)
    sys.stdout.write(told(found.record.switches))
    return 0


def rollback_command(arguments: list[str]) -> int:
    """``python -m training rollback MODELS_DIR [--to VERSION] --by WHO --reason WHY``: an earlier champion again."""
    parser = _parser("rollback", "Make an earlier champion the champion again, until a newer day is blessed.")
    parser.add_argument("--to", metavar="VERSION", help="the champion to go back to; by default the one before")
    _ask_for_the_record(parser)
    parsed = parser.parse_args(arguments)
    found = _asked(parsed.models, lambda models: rollback(models, to=parsed.to, by=parsed.by, reason=parsed.reason))
    sys.stdout.write("Rolled back. ")
    _show(found)
    return 0


def promote_command(arguments: list[str]) -> int:
    """``python -m training promote MODELS_DIR VERSION --by WHO --reason WHY``: any version becomes the champion."""
    parser = _parser("promote", "Make any published version the champion, until a newer day is blessed.")
    parser.add_argument("version", metavar="VERSION", help="one of versions/")
    _ask_for_the_record(parser)
    parsed = parser.parse_args(arguments)
    found = _asked(parsed.models, lambda models: promote(models, parsed.version, by=parsed.by, reason=parsed.reason))
    sys.stdout.write("Promoted. ")
    _show(found)
    return 0


def _parser(word: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m training {word}", description=description)
    parser.add_argument("models", help="folder or s3://… address that holds versions/ and champion.json")
    return parser


def _ask_for_the_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, metavar="WHO", help="who decides; stays on the record")
    parser.add_argument("--reason", required=True, metavar="WHY", help="why; stays on the record")


def _asked(place: str, what: Callable[[Store], T]) -> T:
    models = open_store(place)
    local = models.local(POINTER)
    if local is not None and not local.parent.is_dir():
        raise TaskError(f"There is no folder {models.root}; give the one that holds versions/ and champion.json")
    try:
        return what(models)
    except (PublicationError, StoreError) as error:
        raise TaskError(str(error)) from None


def _show(found: Champion) -> None:
    sys.stdout.write(f"The champion is {found.version}, in {found.uri}.\n")
    if len(found.history) > 1:
        sys.stdout.write(f"Before it: {', '.join(reversed(found.history[:-1]))}.\n")
