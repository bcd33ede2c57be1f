"""The identity of content: a digest of everything that it derives from."""

import datetime as dt
import decimal
import enum
import hashlib
import json
import pathlib
from collections.abc import Mapping

from pydantic import BaseModel


def digest(*parts: object) -> str:
    """Return the sha256 of declared inputs, as 64 hexadecimal digits.

    Args:
        parts: Input digests, declarations, code versions: texts, numbers, dates, sequences, sets, mappings with text
            keys, and pydantic models. The order of mapping keys and of set members does not matter.

    Raises:
        TypeError: A part has no canonical form.

    >>> digest({"b": 1, "a": [2]}) == digest({"a": (2,), "b": 1})
    True
    """
    canonical = json.dumps(
        [_canonical(part) for part in parts], sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _canonical(value: object) -> object:
    match value:
        case enum.Enum():
            return _canonical(value.value)
        case BaseModel():
            return _canonical(value.model_dump(mode="json"))
        case Mapping():
            return {_key(key): _canonical(item) for key, item in value.items()}
        case list() | tuple():
            return [_canonical(item) for item in value]
        case set() | frozenset():
            return sorted((_canonical(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        case _:
            return _scalar(value)


def _scalar(value: object) -> object:
    match value:
        case None | bool() | int() | str() | float():
            return value
        case dt.date() | dt.time():
            return value.isoformat()
        case dt.timedelta() | decimal.Decimal() | pathlib.PurePath():
            return str(value)
        case bytes():
            return value.hex()
    raise TypeError(
        f"A digest cannot take a {type(value).__name__}: it has no canonical form. Pass its text or its fields."
    )


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"A digest takes mappings with text keys only; {key!r} is a {type(key).__name__}.")
    return key
