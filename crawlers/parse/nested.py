"""Values within nested fields: a field's JSON text is read once, and what paths reach in it becomes texts again.

Each distinct text is read once. What counts is as in `json_line`: numbers stay as they are written, a key that comes
twice makes the record ambiguous, null counts as absent, and a value of a kind that the declared type does not take is
a fault.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from json.scanner import make_scanner
from typing import Any

import polars as pl

from crawlers.contract import Column
from crawlers.contract.path import Each, Element, Key, Position, Segment
from crawlers.contract.types import Kind
from crawlers.parse.json_line import KIND_NAMES, FieldRead, NotARecordError, admits, whole_number


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


@dataclass(frozen=True)
class Wanted:
    """What is looked for in a field.

    Attributes:
        key: the name under which it is given back.
        column: as what it is declared.
        below: the way to it from the field.
    """

    key: str
    column: Column
    below: tuple[Segment, ...]


@dataclass(frozen=True)
class Found:
    """What was found, for each record.

    Attributes:
        texts: as columns are read from; of a list, a JSON array of such texts.
        reason: a slug where something is wrong, else null.
        detail: in words what is wrong.
    """

    texts: pl.Series
    reason: pl.Series
    detail: pl.Series


_Row = tuple[str | None, str | None, str | None]


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotARecordError("duplicate_key", "a key comes more than once, so the record is ambiguous")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_SCAN: Callable[[str, int], tuple[Any, int]] = make_scanner(
    json.JSONDecoder(  # type: ignore[arg-type]
        parse_int=_Number, parse_float=_Number, parse_constant=_no_constant, object_pairs_hook=_pairs
    )
)


def extract(raw: pl.Series, wanted: Sequence[Wanted]) -> dict[str, Found]:
    """What paths reach in the JSON texts of a field.

    Args:
        raw: a JSON text for each record (String), null where the record has none; what is no JSON is a fault.
        wanted: what to look for.
    """
    distinct = raw.drop_nulls().unique()
    # A text for each record costs less to read again than to look up.
    repeated = len(distinct) * 2 < len(raw)
    rows = [_of_one(text, wanted) for text in (distinct if repeated else raw)]
    schema = {"texts": pl.String, "reason": pl.String, "detail": pl.String}
    found = {}
    at = _places(raw, distinct) if repeated else None
    for place, one in enumerate(wanted):
        frame = pl.DataFrame([row[place] for row in rows], schema=schema, orient="row")
        if at is not None:
            frame = frame.select(pl.all().gather(at))
        found[one.key] = Found(*(frame[name] for name in schema))
    return found


def _places(raw: pl.Series, distinct: pl.Series) -> pl.Series:
    if distinct.is_empty():
        return pl.repeat(None, len(raw), dtype=pl.UInt32, eager=True)
    numbers = pl.Series(range(len(distinct)), dtype=pl.UInt32)
    return raw.replace_strict(distinct, numbers, default=None, return_dtype=pl.UInt32)


def _read(text: str) -> Any:
    start = len(text) - len(text.lstrip(" \t\r\n"))
    value, end = _SCAN(text, start)
    if text[end:].strip(" \t\r\n"):
        raise ValueError("trailing text")
    return value


def _of_one(text: str | None, wanted: Sequence[Wanted]) -> list[_Row]:
    if text is None:
        return [(None, None, None)] * len(wanted)
    try:
        value = _read(text)
    except RecursionError:
        return [(None, "too_deep", "nested too deeply")] * len(wanted)
    except NotARecordError as error:
        return [(None, error.reason, error.detail)] * len(wanted)
    except (ValueError, StopIteration):
        return [(None, "wrong_type", "not JSON")] * len(wanted)
    return [_found(value, text, one) for one in wanted]


def _found(value: Any, raw: str, one: Wanted) -> _Row:
    try:
        if one.column.type == "json" and not one.below:
            return raw, None, None
        text = _text_of(_reach(value, one.below), one.column)
        if text is not None:
            text.encode()
    except NotARecordError as error:
        return None, error.reason, error.detail
    except UnicodeEncodeError:
        return None, "not_utf8", "an escape stands for half a character (a lone surrogate)"
    return text, None, None


def _reach(value: Any, below: Sequence[Segment]) -> Any:
    for place, segment in enumerate(below):
        if value is None:
            return None
        match segment:
            case Key(name):
                value = _expect(value, dict, "an object").get(name)
            case Position(number):
                elements = _expect(value, list, "an array")
                value = elements[number] if -len(elements) <= number < len(elements) else None
            case Element(key, wanted):
                value = _element(_expect(value, list, "an array"), key, wanted)
            case Each():
                rest = below[place + 1 :]
                return [_reach(element, rest) for element in _expect(value, list, "an array")]
    return value


def _element(elements: Iterable[Any], key: str, wanted: str) -> Any:
    """The element whose key has a value; nothing when none has."""
    found = [one for one in elements if isinstance(one, dict) and _scalar(one.get(key)) == wanted]
    if len(found) > 1:
        raise NotARecordError("duplicate_key", f"several elements of a list have the `{key}` that a path looks for")
    return found[0] if found else None


def _scalar(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else None


def _expect(value: Any, kind: type, noun: str) -> Any:
    if not isinstance(value, kind):
        raise NotARecordError("wrong_type", f"JSON {KIND_NAMES[_kind(value)]} where the path needs {noun}")
    return value


def _kind(value: Any) -> Kind:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case _Number():
            return "whole" if whole_number(value) else "number"
        case str():
            return "string"
    return "nested"


def _text_of(value: Any, column: Column) -> str | None:
    """The text that a column is read from; nothing for null."""
    if value is None:
        return None
    if column.type == "json":
        return _written(value)
    if column.type == "list" and column.separator is None:
        items = column.items
        assert items is not None  # noqa: S101 - a list without items does not load
        texts = [_text_of(element, items) for element in _expect(value, list, "an array")]
        return json.dumps(texts, ensure_ascii=False)
    if column.type == "struct":
        _expect(value, dict, "an object")
        fields = {name: _composed(value, name, field) for name, field in column.fields.items()}
        return json.dumps(fields, ensure_ascii=False)
    kind = _kind(value)
    if kind == "nested":
        raise NotARecordError("wrong_type", f"JSON {KIND_NAMES[kind]} for a declared {column.type}")
    text = _scalar(value) or ""
    if not admits(column, FieldRead("", "", kind, text, text)):
        raise NotARecordError("wrong_type", f"JSON {KIND_NAMES[kind]} for a declared {column.type}")
    return text


def _composed(value: Any, name: str, column: Column) -> str | None:
    """The text of a field of a struct."""
    texts = [_text_of(_reach(value, path.segments), column) for path in column.paths(name)]
    found = [text for text in texts if text is not None]
    return " ".join(found) if found else None


def _written(value: Any) -> str:
    """JSON again, numbers as they were written."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _Number():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{','.join(map(_written, value))}]"
    return f"{{{','.join(f'{json.dumps(key, ensure_ascii=False)}:{_written(each)}' for key, each in value.items())}}}"
