"""A regular expression finds what Python's finds, in texts of any script."""

import re
import warnings

import polars as pl
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from expectations.polars_engine import Column, PolarsEngineError
    from expectations.polars_engine.domain import Domain
    from expectations.polars_engine.metrics.strings import matches

# The planes of living and of historic scripts; those above hold ideographs and nothing else.
EVERY_CHARACTER = pl.DataFrame({"text": [chr(point) for point in range(0x20000) if not 0xD800 <= point <= 0xDFFF]})


def found(frame, regex):
    column = Domain(frame.lazy(), frame.schema, None).column("text", "column_values.match_regex")
    assert isinstance(column, Column)
    return frame.filter(matches(column, regex))["text"].to_list()


@pytest.mark.parametrize(
    "regex",
    [
        r"^\w$",
        r"^\W$",
        r"\d",
        r"\s",
        r"\S",
        r"\b",
        r"(?i)i",
        r"(?i)[a-z]",
        r"(?i:K)",
        r"(?i)s",
        "(?i)İ",
        "(?i)ß",
        r"[\w.]",
    ],
)
def test_of_every_character_python_and_the_engine_find_the_same(regex):
    compiled = re.compile(regex)
    expected = [text for text in EVERY_CHARACTER["text"].to_list() if compiled.search(text)]
    assert found(EVERY_CHARACTER, regex) == expected


@pytest.mark.parametrize("regex", [r"e\b", r"^\w+$", r"a\sb", r"(?i)straße", r"(?i)STRASSE$", r"\w+\s\w+"])
def test_of_words_python_and_the_engine_find_the_same(regex):
    words = [
        "cafe\u0301",
        "e\u0301",
        "a\x1cb",
        "a b",
        "a\u3000b",
        "STRASSE",
        "Straße",
        "İstanbul",
        "naïve x",
        "",
        "1\u0661",
    ]
    expected = [word for word in words if re.search(regex, word)]
    assert found(pl.DataFrame({"text": words}), regex) == expected


def test_what_is_no_expression_to_python_is_refused():
    with pytest.raises(PolarsEngineError, match="is no regular expression"):
        found(EVERY_CHARACTER, r"(?U)a")
