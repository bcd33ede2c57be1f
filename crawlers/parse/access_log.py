"""`access_log`: the logs of web servers, as Apache and nginx write them by their own declaration of the format.

Apache: https://httpd.apache.org/docs/2.4/mod/mod_log_config.html; nginx:
https://nginx.org/en/docs/http/ngx_http_log_module.html. Both write `-` where there is no value, and escape quotes,
backslashes and what is not printable within quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import polars as pl
from pydantic import field_validator

from crawlers.contract import Contract
from crawlers.parse.by_line import LineFormat, LineOptions
from crawlers.parse.pattern_lines import PatternLines
from crawlers.parse.registry import FORMATS, Example
from foundation.nearest import hint

COMMON = '%h %l %u %t "%r" %>s %b'
NAMED: Mapping[str, str] = {"common": COMMON, "combined": f'{COMMON} "%{{Referer}}i" "%{{User-Agent}}i"'}

APACHE: Mapping[str, str] = {
    "a": "client_address",
    "A": "server_address",
    "B": "bytes",
    "b": "bytes",
    "D": "duration_us",
    "f": "file",
    "h": "host",
    "H": "protocol",
    "I": "bytes_received",
    "k": "keepalives",
    "l": "ident",
    "L": "log_id",
    "m": "method",
    "O": "bytes_sent",
    "p": "port",
    "P": "process",
    "q": "query",
    "r": "request",
    "R": "handler",
    "s": "status",
    "S": "bytes_transferred",
    "T": "duration_s",
    "t": "time",
    "u": "user",
    "U": "path",
    "v": "server",
    "V": "server_name",
    "X": "connection",
}
"""What the directives of Apache are called here; `%{Name}i` is the header's name in lower case with underscores."""

# A modifier (a status condition, < or >), an argument in braces, and the letter.
_DIRECTIVE = re.compile(r"%(?:(?P<percent>%)|[!\d,]*[<>]?(?:\{(?P<argument>[^}]*)\})?(?P<letter>[A-Za-z]))")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<plain>\w+))")
_ARGUMENT_KINDS: Mapping[str, str] = {"i": "", "o": "sent_", "C": "cookie_", "e": "env_", "n": "note_"}
_QUOTED, _BRACKETED, _PLAIN = r'((?:[^"\\]|\\.)*)', r"([^\]]*)", r"(\S*)"
_REQUEST = r"^(?P<method>\S+) (?P<target>\S.*) (?P<protocol>HTTP/\d+(?:\.\d+)?)$"
_PARTS = ("method", "target", "protocol")
_ESCAPES = re.compile(r'\\(?:x([0-9A-Fa-f]{2})|(["\\]))')
_BYTES = re.compile(r"(?:\\x[89A-Fa-f][0-9A-Fa-f])+")


@FORMATS.registered("access_log")
class AccessLogFormat(LineOptions):
    """The access log of a web server, one record a line.

    `-` is no value. Escaped quotes, backslashes and letters outside ASCII are what they were; control characters stay
    escaped, so that no terminal obeys a log. Beside `request` stand its `method`, `target` and `protocol`, without a
    value where the request is none. Times are spelled `%d/%b/%Y:%H:%M:%S %z`, in a column `time` (nginx:
    `time_local`).

    Attributes:
        log_format: `common`, `combined`, or the format as the server's own declaration writes it: Apache's `%h %t …`
            or nginx's `$remote_addr [$time_local] …`. With Apache the fields are called `host`, `ident`, `user`,
            `time`, `request`, `status`, `bytes`, `referer`, `user_agent` and such, with nginx as its variables.
    """

    kind: Literal["access_log"]
    log_format: str = "combined"

    @field_validator("log_format")
    @classmethod
    def _format_is_known(cls, log_format: str) -> str:
        compile_format(log_format)
        return log_format

    def lines(self, contract: Contract) -> LineFormat:
        """A reader by the pattern that the format stands for."""
        pattern, groups = compile_format(self.log_format)
        names = [*groups, *(part for part in _PARTS if "request" in groups and part not in groups)]
        return PatternLines(
            contract,
            pattern=pattern,
            groups=groups,
            names=names,
            max_line_bytes=int(self.max_line_bytes),
            refine=lambda frame: _refined(frame, names),
        )

    @classmethod
    def example(cls) -> Example:
        """Two lines, the second of a request that is none."""
        return Example(
            options={"kind": "access_log", "log_format": "common"},
            columns={"host": {"type": "string"}, "status": {"type": "integer"}, "method": {"type": "string"}},
            body=b'192.0.2.1 - - [22/Dec/2016:16:30:52 +0300] "GET / HTTP/1.1" 200 382\n'
            b'192.0.2.2 - - [22/Dec/2016:16:30:54 +0300] "\\x16\\x03" 400 -\n',
            records=(
                {"host": "192.0.2.1", "status": "200", "method": "GET"},
                {"host": "192.0.2.2", "status": "400", "method": None},
            ),
        )


def compile_format(log_format: str) -> tuple[str, list[str]]:
    """The pattern of a log format, and the fields that its groups are.

    Raises:
        ValueError: The format has no field, one twice, or a directive that is not known.
    """
    text = NAMED.get(log_format, log_format)
    if "%" not in text and "$" not in text:
        raise ValueError(f"log_format '{log_format}' is unknown; {hint(log_format, NAMED)}")
    nginx = "$" in text and not re.search(r"%[>{a-zA-Z]", text)
    found = list((_VARIABLE if nginx else _DIRECTIVE).finditer(text))
    pattern, names, position = "", [], 0
    for place in found:
        before = text[position : place.start()]
        pattern += _literal(before)
        position = place.end()
        if not nginx and place["percent"]:
            pattern += "%"
            continue
        name = (place["braced"] or place["plain"]) if nginx else _apache_name(place)
        names.append(name)
        if text[: place.start()].count('"') % 2:
            pattern += _QUOTED
        elif not nginx and name == "time" and not place["argument"]:
            pattern += rf"\[{_BRACKETED}\]"
        elif before.endswith("["):
            pattern += _BRACKETED
        else:
            pattern += _PLAIN
    if not names:
        raise ValueError(f"log_format '{log_format}' has no field; write it as the server's declaration does")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"log_format has the field '{twice[0]}' twice")
    return pattern + _literal(text[position:]), names


def _literal(text: str) -> str:
    # Servers write a space where the declaration has several, and logs are aligned by hand.
    return re.sub(r"(?:\\ )+", r"\\s+", re.escape(text)).replace('\\"', '"')


def _apache_name(place: re.Match[str]) -> str:
    letter, argument = place["letter"], place["argument"]
    if argument is not None and letter in _ARGUMENT_KINDS:
        return _ARGUMENT_KINDS[letter] + re.sub(r"[^a-z0-9]+", "_", argument.lower()).strip("_")
    if letter not in APACHE:
        raise ValueError(f"log_format has '%{letter}', which is no directive of Apache; {hint(letter, APACHE)}")
    return APACHE[letter]


def _refined(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    texts = [name for name in names if name in frame.columns]
    frame = frame.with_columns(pl.when(~pl.col(name).is_in(["-", ""])).then(pl.col(name)) for name in texts)
    for name in texts:
        escaped = frame[name].str.contains("\\", literal=True).fill_null(value=False)
        if escaped.any():
            plain = {text: _unescaped(text) for text in frame[name].filter(escaped).unique().to_list()}
            frame = frame.with_columns(pl.col(name).replace(plain))
    if "request" not in frame.columns:
        return frame
    parts = frame["request"].str.extract_groups(_REQUEST)
    missing = [part for part in _PARTS if part not in frame.columns]
    return frame.with_columns(parts.struct.field(part).alias(part) for part in missing)


def _unescaped(text: str) -> str:
    """Quotes, backslashes and whole letters of UTF-8; what is no letter, or would command a terminal, stays escaped."""

    def letters(match: re.Match[str]) -> str:
        raw = bytes.fromhex(match[0].replace("\\x", ""))
        try:
            decoded = raw.decode()
        except UnicodeDecodeError:
            return match[0]
        return decoded if decoded.isprintable() else match[0]

    def sign(match: re.Match[str]) -> str:
        if match[2]:
            return match[2]
        character = chr(int(match[1], 16))
        return character if character.isascii() and character.isprintable() else match[0]

    # Backslashes that are escaped themselves must not be taken for the beginning of a byte.
    parts = re.split(r"(\\\\)", text)
    return "".join("\\" if part == "\\\\" else _ESCAPES.sub(sign, _BYTES.sub(letters, part)) for part in parts)
