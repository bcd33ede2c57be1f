"""A field of a declaration that is one of several kinds, told apart by its `kind`: a union as open as its registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from foundation.located import LocatedError
from foundation.registry import Registry


class OneOf:
    """Marks a field as one of the kinds of a registry: `crawl: Annotated[Crawl, OneOf(CRAWL_KINDS)]`.

    Pydantic's own discriminated unions are closed when the class is made. This one asks its registry each time, so that
    a kind registered later is read, is in the JSON schema and is named by the messages without another line.

    Args:
        registry: The models by the word that stands at `kind`; each has a field `kind`.
    """

    def __init__(self, registry: Registry[Any]) -> None:
        self._registry = registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read by the model that `kind` names; written by the model of the value."""
        del source, handler
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """All kinds that are registered now."""
        del schema
        choices = [handler(model.__pydantic_core_schema__) for model in self._registry.entries().values()]
        for choice in map(handler.resolve_ref_schema, choices):
            # Each model has its own kind as a default, for who makes it in Python; a declaration has to say it.
            choice["required"] = ["kind", *(key for key in choice.get("required", ()) if key != "kind")]
        return {"oneOf": choices}

    def _read(self, value: Any) -> BaseModel:
        models = self._registry.entries()
        if isinstance(value, BaseModel) and type(value) in models.values():
            return value
        known = ", ".join(models)
        if not isinstance(value, Mapping):
            raise LocatedError(f"this is no mapping; write one with a 'kind' ({known}) and the keys of that kind")
        if "kind" not in value:
            raise LocatedError(f"the key 'kind' is missing; known are: {known}")
        try:
            model = self._registry[str(value["kind"])]
        except LocatedError as error:
            raise error.within("kind") from None
        return model.model_validate(value)  # type: ignore[no-any-return]
