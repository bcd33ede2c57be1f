"""Templates: a regular expression that proves many lines to be records of one shape, so that they are decoded at once.

Logs are written by programs: keys come in one order and values in one kind. A line that matches a template is
valid JSON, has the keys of the template in its order (so none twice), and has values of kinds that the declared types
take. Anything unusual is left to `json_line`, whose meaning the templates share; a property test compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

from crawlers.contract import Column, UnknownColumns
from crawlers.contract.types import COLUMN_TYPES, Kind
from crawlers.parse.json_line import FieldRead, NotARecordError, admits, read_fields

MAX_KEYS = 100

_S = r"[ \t\r]*"
# Escaped surrogates pass in pairs only.
_STRING = (
    r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}'
    r"|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})))*\""
)
# Numbers that any reader holds exactly enough: longer ones are left to the slow path.
_WHOLE = r"(?:0|-?[1-9][0-9]{0,17})"
_NUMBER = r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?"
_SCALAR = rf"(?:{_STRING}|{_NUMBER}|true|false|null)"


def _nested(inner: str) -> str:
    pair = rf"{_STRING}{_S}:{_S}{inner}"
    array = rf"\[{_S}(?:{inner}{_S}(?:,{_S}{inner}{_S})*)?\]"
    return rf"(?:{_SCALAR}|{array}|\{{{_S}(?:{pair}{_S}(?:,{_S}{pair}{_S})*)?\}})"


_ANY = _nested(_nested(_SCALAR))

#: What each kind of value looks like, for types without an expression of their own.
_KINDS: Mapping[Kind, str] = {
    "string": _STRING,
    "whole": _WHOLE,
    "number": _NUMBER,
    "boolean": "true|false",
    "nested": _ANY,
}
_ADMITTED: Mapping[str, str] = {
    "string": rf"(?:{_STRING}|{_WHOLE}|null)",
    # A number with a fraction may be whole (`5.0`); whether it is, is for the cast to say.
    "integer": r"(?:-?(?:0|[1-9][0-9]{0,17})|-?[1-9][0-9]{0,13}\.0|null)",
    "float": rf"(?:{_NUMBER}|null)",
    "boolean": r"(?:true|false|null)",
    # Fractions only as far as their text survives the decoder.
    "datetime": rf"(?:{_STRING}|{_WHOLE}|-?[1-9][0-9]{{0,9}}\.[0-9]{{0,4}}[1-9]|null)",
    "date": rf"(?:{_STRING}|{_WHOLE}|null)",
}


def _admitted(column: Column) -> str:
    """The expression of the values that a column takes, null included."""
    pattern = _ADMITTED.get(column.type)
    if pattern is None:
        kinds = COLUMN_TYPES[column.type].kinds
        pattern = rf"(?:{'|'.join(_KINDS[kind] for kind in sorted(kinds))}|null)"
    return rf"(?:{_STRING}|{pattern})" if column.quoted else pattern


#: What a template does with a key: a declared column, an undeclared one whose values are strings (decoded and
#: quoted again) or something else (kept as written), or one that is only skipped.
Use = Literal["declared", "string", "written", "skipped"]


@dataclass(frozen=True)
class Template:
    """A shape of lines.

    Attributes:
        keys: the keys in order, any of which may be absent from a line.
        columns: the fields to look for, each with the column as which it is read.
        hides: whether of undeclared keys only the names are kept.
    """

    keys: tuple[tuple[str, Use], ...]
    columns: Mapping[str, Column]
    hides: bool = False

    @cached_property
    def pattern(self) -> str:
        """The regular expression that a line of this shape matches, provided that it ends with a brace."""
        pairs = []
        for index, (key, use) in enumerate(self.keys):
            match use:
                case "declared" if self.columns[key].type == "json":
                    value = rf"(?:null|(?P<w{index}>{_ANY}))"
                case "declared":
                    value = _admitted(self.columns[key])
                case "string":
                    value = rf"(?:{_STRING}|null)"
                case "written":
                    value = rf"(?:null|(?P<w{index}>{_ANY}))"
                case "skipped":
                    value = _ANY
            pairs.append(rf'(?:"{re.escape(key)}"{_S}:{_S}{value}{_S}(?:,{_S}|\}}$))?')
        return rf"^\{{{_S}{''.join(pairs)}$"

    def matches(self, lines: pl.DataFrame) -> pl.Series:
        """Which lines (column `text`, without surrounding white space) have this shape."""
        # The pattern lets a comma stand at the end, so the brace is looked for by itself.
        shape = pl.col("text").str.ends_with("}") & pl.col("text").str.contains(self.pattern)
        return lines.select(shape).to_series()

    def decode(self, lines: pl.DataFrame) -> pl.DataFrame:
        """The texts of lines of this shape: `_line`, the declared columns as String, and `_unknown`."""
        fields = {
            key: pl.String() for key, use in self.keys if use in ("declared", "string") and not self._as_json(key)
        }
        decoded = lines.select(pl.lit(None).alias("nothing"))
        if fields:
            decoded = lines["text"].str.json_decode(pl.Struct(fields)).struct.unnest()
        written = pl.DataFrame()
        if any(use == "written" or (use == "declared" and self._as_json(key)) for key, use in self.keys):
            written = lines["text"].str.extract_groups(self.pattern).struct.unnest()
        found = {key: decoded[key] for key in fields}
        found |= {key: written[f"w{at}"].alias(key) for at, (key, _) in enumerate(self.keys) if self._as_json(key)}
        nothing = pl.repeat(None, lines.height, dtype=pl.String, eager=True)
        columns = [found.get(name, nothing).alias(name) for name in self.columns]
        return pl.DataFrame([*columns, lines["_line"], self._unknown(lines, decoded, written)])

    def _as_json(self, key: str) -> bool:
        return key in self.columns and self.columns[key].type == "json"

    def _unknown(self, lines: pl.DataFrame, decoded: pl.DataFrame, written: pl.DataFrame) -> pl.Series:
        parts = []
        # Without a backslash in any line, no string needs one when it is quoted again.
        escaped = bool(lines["text"].str.contains("\\", literal=True).any())
        for index, (key, use) in enumerate(self.keys):
            if use in ("string", "written"):
                label = json.dumps(key, ensure_ascii=False) + ":"
                if self.hides:
                    held = decoded[key] if use == "string" else written[f"w{index}"]
                    values = pl.select(pl.when(held.is_not_null()).then(pl.lit("null"))).to_series()
                else:
                    values = _quoted(decoded[key], escaped=escaped) if use == "string" else written[f"w{index}"]
                parts.append((label + values).alias(f"{index}"))
        if not parts:
            return pl.Series("_unknown", [None] * lines.height, dtype=pl.String)
        joined = pl.concat_str(pl.all(), separator=",", ignore_nulls=True)
        braced = pl.when(joined != "").then("{" + joined + "}").alias("_unknown")
        return pl.DataFrame(parts).select(braced).to_series()


def _quoted(texts: pl.Series, *, escaped: bool) -> pl.Series:
    if not escaped:
        return '"' + texts + '"'
    in_object = texts.alias("x").to_frame().select(pl.struct("x").struct.json_encode().alias("x")).to_series()
    quoted = in_object.str.slice(len('{"x":')).str.head(-1)
    return pl.select(pl.when(texts.is_not_null()).then(quoted)).to_series()


def learn(
    samples: Iterable[str], columns: Mapping[str, Column], unknown_columns: UnknownColumns, *, hides: bool = False
) -> Template | None:
    """The template of some lines: as many of their keys as have one order; nothing when no line is a good record."""
    keys: list[tuple[str, Use]] = []
    for sample in samples:
        try:
            fields = read_fields(sample)
        except NotARecordError:
            continue
        uses = [_use(field, columns, unknown_columns) for field in fields]
        if all(use is not None for use in uses):
            pairs = [(field.key, use) for field, use in zip(fields, uses, strict=True) if use is not None]
            keys = _merged(keys, pairs) or keys
    return Template(tuple(keys), columns, hides) if keys and len(keys) <= MAX_KEYS else None


def _use(field: FieldRead, columns: Mapping[str, Column], unknown_columns: UnknownColumns) -> Use | None:
    if field.raw_key != f'"{field.key}"':
        # A key with escapes can be written in many ways.
        return None
    column = columns.get(field.key)
    if column is not None:
        return "declared" if field.kind == "null" or admits(column, field) else None
    match unknown_columns:
        case "keep" | "keep_values":
            return "string" if field.kind in ("string", "null") else "written"
        case "discard":
            return "skipped"
        case "reject":
            return None


def _merged(known: list[tuple[str, Use]], found: list[tuple[str, Use]]) -> list[tuple[str, Use]] | None:
    """Both in one order, or nothing if they contradict each other."""
    merged = list(known)
    at = 0
    uses = dict(known)
    for key, use in found:
        if key in uses:
            index = merged.index((key, uses[key]))
            if index < at or uses[key] != use:
                return None
            at = index + 1
        else:
            merged.insert(at, (key, use))
            at += 1
    return merged
