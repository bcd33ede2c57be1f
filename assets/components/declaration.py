"""What every component shares: a declaration that is checked, and errors that say where and how to fix it."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import dagster as dg
from dagster_shared.yaml_utils.source_position import SourcePositionTree
from pydantic import BaseModel, GetJsonSchemaHandler, RootModel, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import ErrorDetails

from assets.components.product import Product, find_product

SpecT = TypeVar("SpecT", bound=BaseModel)


class DeclarationError(dg.DagsterInvalidDefinitionError):
    """A declaration cannot be used; the message names the file, the line, the field, the value and the fix."""


@dataclass(frozen=True)
class Origin:
    """Where a declaration stands.

    Attributes:
        path: The YAML file.
        tree: Line numbers of its fields, or None when it was not read from a file.
    """

    path: Path
    tree: SourcePositionTree | None

    def line(self, location: Sequence[str | int]) -> str:
        """`file:line` of a field of the attributes, or of the nearest field above it that stands in the file."""
        if self.tree is None:
            return str(self.path)
        position, _ = self.tree.lookup_closest_and_path(["attributes", *location], trace=None)
        return f"{position.filename}:{position.start.line}"


class Declared(dg.Component, Generic[SpecT]):
    """Base of the components: attributes are one frozen pydantic spec, errors carry file and line.

    A subclass sets `spec_class` and builds definitions from `self.spec` and `self.product`.
    """

    spec_class: ClassVar[type[BaseModel]]

    def __init__(self, spec: SpecT, product: Product, origin: Origin) -> None:
        self.spec = spec
        self.product = product
        self.origin = origin

    @property
    def name(self) -> str:
        """The declared name."""
        return str(getattr(self.spec, "name", self.origin.path.parent.name))

    @classmethod
    def get_schema(cls) -> type[BaseModel]:
        """Attributes as the editor and `dg check yaml` see them: the JSON schema of the spec."""
        return _attributes_model(cls.spec_class)

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> typing.Self:
        """Validate the attributes against the spec.

        Raises:
            DeclarationError: Something is wrong; every problem is listed.
        """
        source_tree = getattr(context.component_decl, "source_tree", None)
        folder = Path(context.path) if context.path.is_dir() else Path(context.path).parent
        origin = Origin(folder / "defs.yaml", source_tree.source_position_tree if source_tree else None)
        raw = attributes.root if isinstance(attributes, RootModel) else {}
        try:
            spec = TypeAdapter(cls.spec_class).validate_python(raw)
        except ValidationError as error:
            raise DeclarationError(explain(error, cls.spec_class, origin, subject=cls.__name__)) from None
        return cls(typing.cast("SpecT", spec), find_product(folder, context.defs_module_path), origin)

    def fail(self, message: str, location: Sequence[str | int] = ()) -> DeclarationError:
        """An error about this declaration, with its place in the file."""
        return DeclarationError(f"{self.origin.line(location)}: {type(self).__name__} '{self.name}': {message}")


def explain(error: ValidationError, spec_class: type[BaseModel], origin: Origin, *, subject: str) -> str:
    """Turn pydantic's complaints into lines that name the place, the field, the value and the fix."""
    lines = [
        f"{origin.line([part for part in problem['loc'] if _in_file(part)])}: {subject}: "
        f"{'.'.join(map(str, problem['loc'])) or 'attributes'}: {_sentence(problem, spec_class)}"
        for problem in error.errors()
    ]
    return "\n".join(dict.fromkeys(lines))


def _in_file(part: str | int) -> bool:
    # pydantic puts the tags of unions into a location; they stand nowhere in the file, and the lookup stops there.
    return isinstance(part, int) or part.replace("_", "").replace("-", "").isalnum()


def _sentence(problem: ErrorDetails, spec_class: type[BaseModel]) -> str:
    value = problem.get("input")
    match problem["type"]:
        case "extra_forbidden":
            key = str(problem["loc"][-1])
            known = sorted(_known_keys(spec_class, problem["loc"][:-1]))
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known keys are {', '.join(known)}."
            return f"unknown key '{key}'; {hint}"
        case "missing":
            return "this key is required; add it."
        case _:
            shown = repr(value)
            return (
                f"{problem['msg'].removeprefix('Value error, ')} (got {shown[:120]}{'…' if len(shown) > 120 else ''})"
            )


def _known_keys(spec_class: type[BaseModel], location: Sequence[str | int]) -> set[str]:
    models: list[type[BaseModel]] = [spec_class]
    for part in location:
        models = [nested for model in models for nested in _models_under(model, part)] or models
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def _models_under(model: type[BaseModel], part: str | int) -> Iterator[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if part in (name, field.alias):
            yield from _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)


def _attributes_model(spec_class: type[BaseModel]) -> type[BaseModel]:
    # Validation is left to `load`, which knows the lines and the nearest right words.
    class Attributes(RootModel[dict[str, Any]]):
        @classmethod
        def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
            del core_schema
            return handler(spec_class.__pydantic_core_schema__)

    Attributes.__name__ = f"{spec_class.__name__}Attributes"
    Attributes.__doc__ = spec_class.__doc__
    return Attributes


DeclaredT = TypeVar("DeclaredT", bound=Declared[Any])


def by_name(components: Sequence[DeclaredT]) -> dict[str, DeclaredT]:
    """Index components by name.

    Raises:
        DeclarationError: Two declarations have one name.
    """
    index: dict[str, DeclaredT] = {}
    for component in components:
        other = index.setdefault(component.name, component)
        if other is not component:
            raise component.fail(f"the name is taken by {other.origin.line(['name'])}; names are unique.", ["name"])
    return index
