"""Things named as `module:attribute`, so that no framework is imported before they are used."""

from __future__ import annotations

import importlib
from typing import Any


def load(place: str) -> Any:
    """Import what `module:attribute` names.

    Raises:
        ValueError: It is not of that form.
        ImportError, AttributeError: There is no such thing.
    """
    module, colon, attribute = place.partition(":")
    if not (module and colon and attribute):
        raise ValueError(f"'{place}' is not of the form module:attribute")
    return getattr(importlib.import_module(module), attribute)
