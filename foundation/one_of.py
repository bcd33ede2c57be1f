"""A field that holds one of several registered kinds, told apart by their `kind`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from foundation.declaration import Declaration
from foundation.located import LocatedError
from foundation.registry import Registry


class OneOf:
    """Annotates a field as one of the declarations of a registry: `Annotated[Family, OneOf(FAMILIES)]`.

    A kind that is registered later, in a test for instance, is read, written, listed in messages and in the JSON schema
    like those that were there from the start.

    Args:
        registry: Declarations by the word that stands in `kind`; each has a field `kind` with that word as its default.
    """

    def __init__(self, registry: Registry[Any]) -> None:
        self.registry = registry

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value, info: value.model_dump(mode=info.mode), info_arg=True
            ),
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        kinds = [kind.__pydantic_core_schema__ for kind in self.registry.entries().values()]
        return handler(core_schema.union_schema(kinds))

    def read(self, value: Any) -> Declaration:
        """The declaration of a mapping with `kind`.

        Raises:
            LocatedError: It is no mapping, has no kind or an unknown one.
            pydantic.ValidationError: It does not fit its kind.
        """
        if isinstance(value, Declaration):
            return value
        noun, known = self.registry.noun, ", ".join(self.registry.names())
        if not isinstance(value, Mapping):
            raise LocatedError(
                f"{noun} {value!r} is not understood; write it as {{kind: {value}}} with its settings beside the kind. "
                f"Kinds are: {known}."
            )
        if "kind" not in value:
            raise LocatedError(f"a {noun} says its kind, one of: {known}")
        kind: type[Declaration] = self._kind(value["kind"])
        # What is wrong below is reported with its place: pydantic takes an error of its own in, loc and all.
        return kind.model_validate(value)

    def _kind(self, name: object) -> Any:
        try:
            return self.registry[str(name)]
        except LocatedError as error:
            raise error.within("kind") from None
