"""A field that holds the name of something registered."""

from __future__ import annotations

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from foundation.registry import Registry


class NameOf:
    """Annotates a text as the name of an entry of a registry: `Annotated[str, NameOf(METRICS)]`.

    A miss is an error that names the nearest entry; the JSON schema lists all that are registered when it is made.
    """

    def __init__(self, registry: Registry[Any]) -> None:
        self.registry = registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "enum": list(self.registry.names())}

    def check(self, name: str) -> str:
        """The name, as it is.

        Raises:
            UnknownNameError: Nothing is registered under it.
        """
        self.registry[name]
        return name
