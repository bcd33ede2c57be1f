"""One JSON line, read exactly and slowly: what the templates do not match, and the meaning that they must agree with.

What is decided here: a field that is null counts as absent; a key that comes twice makes the record ambiguous, so it
is refused; a whole number is taken for a declared string as it is written (ids are often served so), any other
number, a boolean, an object or an array is not; text is not taken for a number or a boolean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.scanner import make_scanner
from typing import Any

from crawlers.contract import Column, UnknownColumns
from crawlers.contract.types import COLUMN_TYPES, Kind

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_PLAIN_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
_SPACE = " \t\r\n"


class NotARecordError(Exception):
    """A line is no JSON object, or no unambiguous one."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class FieldRead:
    """One field of a line.

    Attributes:
        key: its name, and `raw_key` the same as written, with quotes.
        kind: of the value.
        raw: the value as written.
        text: the value of a string; for other kinds the same as `raw`.
    """

    key: str
    raw_key: str
    kind: Kind
    raw: str
    text: str


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# Numbers stay text: exact whatever their size, and no time is lost on digits without end.
_SCAN: Callable[[str, int], tuple[Any, int]] = make_scanner(
    json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_constant)  # type: ignore[arg-type]
)


def read_fields(text: str) -> list[FieldRead]:
    """The fields of a JSON object, in order.

    Args:
        text: a line without surrounding white space.

    Raises:
        NotARecordError: the line is not JSON, not an object, has a key twice, is nested too deeply, or holds half a
            character.
    """
    try:
        fields = _fields(text) if text.startswith("{") else _refuse_other(text)
    except RecursionError:
        raise NotARecordError("too_deep", "nested too deeply") from None
    except (ValueError, StopIteration, IndexError):
        raise NotARecordError("not_json", "not JSON") from None
    seen: set[str] = set()
    for field in fields:
        if field.key in seen:
            raise NotARecordError("duplicate_key", "a key comes more than once, so the record is ambiguous")
        seen.add(field.key)
        try:
            field.key.encode()
            field.text.encode()
        except UnicodeEncodeError:
            raise NotARecordError("not_utf8", "an escape stands for half a character (a lone surrogate)") from None
    return fields


def _refuse_other(text: str) -> list[FieldRead]:
    _, end = _SCAN(text, 0)
    if end != len(text):
        raise ValueError("trailing text")
    raise NotARecordError("not_an_object", "JSON, but not an object")


def _fields(text: str) -> list[FieldRead]:
    fields: list[FieldRead] = []
    at = _skip(text, 1)
    if text[at] != "}":
        while True:
            if text[at] != '"':
                raise ValueError("a key was expected")
            key, end = scanstring(text, at + 1, True)
            raw_key = text[at:end]
            at = _skip(text, end)
            if text[at] != ":":
                raise ValueError("a colon was expected")
            at = _skip(text, at + 1)
            value, end = _SCAN(text, at)
            raw = text[at:end]
            kind = _kind(raw)
            fields.append(FieldRead(key, raw_key, kind, raw, value if kind == "string" else raw))
            at = _skip(text, end)
            if text[at] == "}":
                break
            if text[at] != ",":
                raise ValueError("a comma was expected")
            at = _skip(text, at + 1)
    if at + 1 != len(text):
        raise ValueError("trailing text")
    return fields


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def _kind(raw: str) -> Kind:
    match raw[0]:
        case '"':
            return "string"
        case "{" | "[":
            return "nested"
        case "t" | "f":
            return "boolean"
        case "n":
            return "null"
        case _:
            return "whole" if _WHOLE.fullmatch(raw) else "number"


def admits(column: Column, field: FieldRead) -> bool:
    """Whether the kind of a value is one that the declared type takes."""
    if field.kind not in COLUMN_TYPES[column.type].kinds:
        return column.quoted and field.kind == "string"
    # `-0` is a number, but not how anyone writes an id.
    return column.type != "string" or field.kind == "string" or _PLAIN_WHOLE.fullmatch(field.raw) is not None


def whole_number(raw: str) -> bool:
    """Whether a number is written without fraction and exponent."""
    return _WHOLE.fullmatch(raw) is not None


def read_record(text: str, columns: Mapping[str, Column], unknown_columns: UnknownColumns) -> dict[str, str | None]:
    """The texts of a record, with `_unknown`, `reason`, `column` and `detail`.

    Args:
        text: a line without surrounding white space.
        columns: the fields to look for, each with the column as which it is read.
        unknown_columns: what to do with the others.

    Raises:
        NotARecordError: as in `read_fields`.
    """
    record: dict[str, str | None] = {}
    unknown: list[str] = []
    fault: tuple[str, str, str] | None = None
    stranger: str | None = None
    for field in read_fields(text):
        column = columns.get(field.key)
        if column is None:
            stranger = stranger or field.key
            if field.kind != "null":
                unknown.append(f"{_quoted(field.key)}:{_quoted(field.text) if field.kind == 'string' else field.raw}")
        elif field.kind != "null":
            record[field.key] = field.raw if column.type == "json" else field.text
            if not admits(column, field) and fault is None:
                fault = ("wrong_type", field.key, f"JSON {KIND_NAMES[field.kind]} for a declared {column.type}")
    if unknown_columns == "reject" and stranger is not None:
        fault = ("unknown_column", stranger, "the column is not declared")
    record["_unknown"] = "{" + ",".join(unknown) + "}" if unknown and unknown_columns != "discard" else None
    record["reason"], record["column"], record["detail"] = fault or (None, None, None)
    return record


KIND_NAMES: Mapping[Kind, str] = {
    "string": "text",
    "whole": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "nested": "object or array",
}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
