"""Integers among the arguments of expectations: those that no float equals stay integers.

Great Expectations declares bounds as floats, and turns 9007199254740993 into the float nearest to it, which is the
integer before. Its models are made to take such integers as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from great_expectations.compatibility import pydantic
from great_expectations.expectations import core


class _LongInteger(int):
    """An integer that a float would change; any other is left to what Great Expectations makes of it."""

    @classmethod
    def __get_validators__(cls) -> Iterator[Callable[[Any], int]]:
        yield cls._validate

    @staticmethod
    def _validate(value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and not _is_float(value):
            return value
        raise ValueError("no integer beyond the floats")


def _is_float(value: int) -> bool:
    try:
        return int(float(value)) == value
    except OverflowError:
        return False


def _keep_long_integers(expectation: Any) -> None:
    """Let fields that take floats take integers first that no float equals."""
    for name, field in expectation.__fields__.items():
        kinds = field.sub_fields or []
        if any(kind.type_ is float for kind in kinds):
            exact = pydantic.fields.ModelField(
                name=f"{name}_long_integer",
                type_=_LongInteger,
                class_validators=None,
                model_config=expectation.__config__,
            )
            field.sub_fields = [exact, *kinds]


for _kind in list(vars(core).values()):
    if isinstance(_kind, type) and hasattr(_kind, "__fields__"):
        _keep_long_integers(_kind)
