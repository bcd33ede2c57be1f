"""What every declaration is: frozen, strict about its keys, and helpful about a key that it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from foundation.located import LocatedError
from foundation.nearest import hint


class Declaration(BaseModel):
    """A frozen pydantic model that refuses unknown keys and names the nearest right one."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        known = cls.keys()
        for key in data:
            if key not in known and key not in cls.model_fields:
                raise LocatedError(f"unknown key '{key}' of {cls.__name__}; {hint(key, known)}", [str(key)])
        return data

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys as they are written in YAML."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""Names are lower case with digits and underscores: they become asset keys, folders and table names."""

Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_one_or_several, json_schema_input_type=str | tuple[str, ...]),
    Field(min_length=1),
]
"""One name, or a list of names."""
