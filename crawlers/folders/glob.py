"""Patterns for the names of files below a folder, as a shell reads them."""

import datetime as dt
import re

from crawlers.address import check_placeholders, substitute_date

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]")


def check_glob(glob: str) -> str:
    """Refuse a glob that could never match a file below the folder, when definitions load.

    Raises:
        ValueError: It leaves the folder, is empty, or holds an unknown placeholder.
    """
    check_placeholders("files", glob)
    parts = glob.split("/")
    if glob.startswith("/") or ".." in parts or "\\" in glob or "://" in glob:
        raise ValueError(f"files {glob!r} leaves the folder; write a pattern below `path`, such as '*.jsonl.gz'")
    if not parts[-1]:
        raise ValueError(f"files {glob!r} names no file; write a pattern such as '{glob or ''}*.jsonl.gz'")
    if "{" in re.sub(r"\{date(?::[^{}]*)?\}", "", glob):
        raise ValueError(f"files {glob!r} holds braces with something else than {{date}}; write several patterns")
    return glob


def compile_glob(glob: str, day: dt.date) -> re.Pattern[str]:
    """A pattern for one partition, to be matched in full against a path below the folder (forward slashes).

    `*` and `?` stay within a name and pass over hidden files, `**/` is any number of folders, `[a-z]` one of several.

    >>> bool(compile_glob("**/*-{date}.gz", dt.date(2026, 3, 1)).fullmatch("a/b/log-2026-03-01.gz"))
    True
    >>> bool(compile_glob("*.gz", dt.date(2026, 3, 1)).fullmatch(".log.gz"))
    False
    """
    # The date is filled in first: its own form may hold no wildcard, and what it gives matches itself alone.
    text = substitute_date(glob, day)
    expression, end = "", 0
    for token in _TOKEN.finditer(text):
        expression += re.escape(text[end : token.start()]) + _expression(token[0], begins=_begins(text, token.start()))
        end = token.end()
    return re.compile(expression + re.escape(text[end:]))


def _begins(text: str, position: int) -> bool:
    return position == 0 or text[position - 1] == "/"


def _expression(token: str, *, begins: bool) -> str:
    visible = r"(?!\.)" if begins else ""
    match token:
        case "**/":
            return r"(?:(?!\.)[^/]+/)*"
        case "**":
            return r"(?:(?!\.)[^/]+/)*(?!\.)[^/]+"
        case "*":
            return rf"{visible}[^/]*"
        case "?":
            return rf"{visible}[^/]"
    inner = token[1:-1].replace("\\", "\\\\").replace("[", "\\[")
    negated = inner.startswith("!")
    return visible + (f"[^/{inner[1:]}]" if negated else f"[{inner}]")
