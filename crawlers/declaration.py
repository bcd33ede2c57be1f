"""What every declaration is: frozen, strict about its keys, and helpful about a key that it does not know."""

import difflib
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Declaration(BaseModel):
    """A frozen pydantic model that refuses unknown keys and names the nearest right one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in data:
            if key not in known and key not in cls.model_fields:
                raise ValueError(f"Unknown key {key!r} in {cls.__name__}{nearest(str(key), known)}")
        return data


def nearest(word: str, known: list[str]) -> str:
    """The end of an error message: the nearest known word, or all of them when none is near.

    >>> nearest("folow", ["start", "follow"])
    "; did you mean 'follow'?"
    >>> nearest("x", ["start", "follow"])
    '; known: follow, start'
    """
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"
