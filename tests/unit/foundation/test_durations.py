from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from foundation.durations import Days, WholeDays, format_duration, parse_days, parse_duration


@given(st.integers(0, 10**6), st.sampled_from("smhd"))
def test_what_is_written_is_read_back(number, unit):
    length = parse_duration(f"{number}{unit}")
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize("text", ["", "1", "d", "1 month", "-1d", "1d1h", "nan d"])
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="such as 30m or 28d"):
        parse_duration(text)


def test_days_are_whole():
    assert parse_days("2w") == 14
    assert TypeAdapter(WholeDays).validate_python("0d") == timedelta(0)
    for kind, text in ((Days, "0d"), (Days, "36h"), (WholeDays, "90m")):
        with pytest.raises(ValidationError, match="write it as 1d, 7d or 28d"):
            TypeAdapter(kind).validate_python(text)
