"""`regex`: lines of any form, as a pattern with named groups."""

from __future__ import annotations

import re
from typing import Literal

import polars as pl
from pydantic import Field, field_validator

from crawlers.contract import Contract
from crawlers.parse.by_line import LineFormat, LineOptions
from crawlers.parse.pattern_lines import PatternLines
from crawlers.parse.registry import FORMATS, Example


@FORMATS.registered("regex")
class RegexFormat(LineOptions):
    r"""Lines of any form, one record each. A line that the pattern does not match as a whole is quarantined.

    Attributes:
        pattern: A regular expression with a named group for each field: `(?P<level>\w+) (?P<message>.*)`. It has no
            look-around and no back-references, so that its time does not explode on hostile lines.
    """

    kind: Literal["regex"]
    pattern: str = Field(min_length=1)

    @field_validator("pattern")
    @classmethod
    def _pattern_has_named_groups(cls, pattern: str) -> str:
        try:
            compiled = re.compile(pattern)
            pl.Series([""]).str.contains(pattern)
        except (re.error, pl.exceptions.ComputeError) as error:
            first = str(error).strip().splitlines()[0]
            raise ValueError(f"pattern is no regular expression without look-around: {first}") from None
        if not compiled.groupindex:
            raise ValueError("pattern has no named group; write one for each field, such as (?P<level>\\w+)")
        if compiled.groups > len(compiled.groupindex):
            raise ValueError("pattern has a group without a name; name it, or write (?:…) where it is no field")
        return pattern

    def lines(self, contract: Contract) -> LineFormat:
        """A reader by the pattern."""
        groups = list(re.compile(self.pattern).groupindex)
        return PatternLines(
            contract, pattern=self.pattern, groups=groups, names=groups, max_line_bytes=int(self.max_line_bytes)
        )

    @classmethod
    def example(cls) -> Example:
        """Two lines of a service's log."""
        return Example(
            options={"kind": "regex", "pattern": r"(?P<level>[A-Z]+) (?P<message>.*)"},
            columns={"level": {"type": "string"}, "message": {"type": "string"}},
            body=b"INFO ready\nWARN slow answer\n",
            records=({"level": "INFO", "message": "ready"}, {"level": "WARN", "message": "slow answer"}),
        )
