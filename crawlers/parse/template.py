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

from crawlers.contract import Column
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

_ADMITTED: Mapping[str, str] = {
    "string": rf"(?:{_STRING}|{_WHOLE}|null)",
    # A number with a fraction may be whole (`5.0`); whether it is, is for the cast to say.
    "integer": r"(?:-?(?:0|[1-9][0-9]{0,17})(?:\.0{1,9})?|null)",
    "float": rf"(?:{_NUMBER}|null)",
    "boolean": r"(?:true|false|null)",
    # Fractions only as far as their text survives the decoder.
    "datetime": rf"(?:{_STRING}|{_WHOLE}|-?[1-9][0-9]{{0,9}}\.[0-9]{{0,4}}[1-9]|null)",
    "date": rf"(?:{_STRING}|{_WHOLE}|null)",
}

#: What a template does with a key: a declared column, an undeclared one whose values are strings (decoded and
#: quoted again) or something else (kept as written), or one that is only skipped.
Use = Literal["declared", "string", "written", "skipped"]


@dataclass(frozen=True)
class Template:
    """A shape of lines.

    Attributes:
        keys: the keys in order, any of which may be absent from a line.
        columns: as declared.
    """

    keys: tuple[tuple[str, Use], ...]
    columns: Mapping[str, Column]

    @cached_property
    def pattern(self) -> str:
        """The regular expression that a line of this shape matches, provided that it ends with a brace."""
        pairs = []
        for index, (key, use) in enumerate(self.keys):
            match use:
                case "declared":
                    value = _ADMITTED[self.columns[key].type]
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
        fields = dict.fromkeys(self.columns, pl.String())
        fields |= {key: pl.String() for key, use in self.keys if use == "string"}
        decoded = lines["text"].str.json_decode(pl.Struct(fields)).struct.unnest()
        return decoded.select(list(self.columns)).with_columns(lines["_line"], self._unknown(lines, decoded))

    def _unknown(self, lines: pl.DataFrame, decoded: pl.DataFrame) -> pl.Series:
        parts = []
        written = pl.DataFrame()
        if any(use == "written" for _, use in self.keys):
            written = lines["text"].str.extract_groups(self.pattern).struct.unnest()
        # Without a backslash in any line, no string needs one when it is quoted again.
        escaped = bool(lines["text"].str.contains("\\", literal=True).any())
        for index, (key, use) in enumerate(self.keys):
            if use in ("string", "written"):
                label = json.dumps(key, ensure_ascii=False) + ":"
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
    samples: Iterable[str], columns: Mapping[str, Column], unknown_columns: Literal["keep", "discard", "reject"]
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
    return Template(tuple(keys), columns) if keys and len(keys) <= MAX_KEYS else None


def _use(
    field: FieldRead, columns: Mapping[str, Column], unknown_columns: Literal["keep", "discard", "reject"]
) -> Use | None:
    if field.raw_key != f'"{field.key}"':
        # A key with escapes can be written in many ways.
        return None
    column = columns.get(field.key)
    if column is not None:
        return "declared" if field.kind == "null" or admits(column, field) else None
    match unknown_columns:
        case "keep":
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
