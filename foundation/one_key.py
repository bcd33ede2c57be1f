"""Entries of a list that are told by their one key: `- deduplicate: {by: [event_id]}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from foundation.located import LocatedError, relocated
from foundation.registry import Registry

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_one_key(declared: Any, registry: Registry[type[ModelT]], base: type[ModelT], wanted: str) -> ModelT:
    """The model of a registry that a one-key mapping `{name: parameters}` declares.

    Args:
        declared: The mapping, or such a model, which is returned as it is.
        registry: The models by name.
        base: What all of them are.
        wanted: What such an entry is, for the message about one that is none.

    Raises:
        ValueError: The declaration names nothing that is registered, or its parameters do not fit; with its place.
    """
    if isinstance(declared, base):
        return declared
    if not isinstance(declared, Mapping) or len(declared) != 1:
        raise LocatedError(wanted)
    ((name, parameters),) = declared.items()
    try:
        return registry[name].model_validate({} if parameters is None else parameters)
    except ValidationError as error:
        raise relocated(error, str(name)) from None
    except LocatedError as error:
        raise error.within(str(name)) from None
