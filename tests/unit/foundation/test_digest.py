import datetime as dt
import enum
import math
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from foundation.digest import digest

CANONICAL = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class Declaration(BaseModel):
    name: str
    day: dt.date
    window: tuple[int, ...] = (1, 7)


class Mode(enum.Enum):
    KEEP = "keep"


@given(CANONICAL)
def test_a_digest_is_64_hexadecimal_digits_and_repeatable(value):
    assert digest(value) == digest(value)
    assert len(digest(value)) == 64
    assert int(digest(value), 16) >= 0


@given(CANONICAL, CANONICAL)
def test_moving_a_boundary_between_parts_changes_the_digest(one, other):
    assert digest([one, other]) != digest(one, other)
    assert digest(one, other) != digest(one, other, None)


def test_the_order_of_keys_and_members_does_not_matter_and_that_of_lists_does():
    assert digest({"a": 1, "b": {2, 1}}) == digest({"b": {1, 2}, "a": 1})
    assert digest([1, 2]) != digest([2, 1])


def test_models_dates_enumerations_and_numbers_have_a_form():
    model = Declaration(name="a", day=dt.date(2024, 1, 1))
    assert digest(model) == digest({"name": "a", "day": "2024-01-01", "window": [1, 7]})
    assert digest(Mode.KEEP) == digest("keep")
    assert digest(dt.timedelta(days=1), Decimal("1.50"), b"\x01") == digest("1 day, 0:00:00", "1.50", "01")
    assert digest(1) != digest("1")
    assert digest(True) != digest(1)


@pytest.mark.parametrize("value", [object(), {1: "a"}, print])
def test_values_without_a_form_are_refused(value):
    with pytest.raises(TypeError, match="digest"):
        digest(value)


def test_not_a_number_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest(math.nan)


def test_another_process_computes_the_same():
    code = "from foundation.digest import digest; print(digest({'b': {'y', 'x'}, 'a': 'é'}, 1.5))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest({"a": "é", "b": {"x", "y"}}, 1.5)
