"""What every component shares: a declaration that is checked, and errors that say where and how to fix it."""

from __future__ import annotations

import re
import types
import typing
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import dagster as dg
from dagster_shared.yaml_utils.source_position import SourcePositionTree
from pydantic import BaseModel, GetJsonSchemaHandler, RootModel, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import ErrorDetails

from assets.components.problems import Problem, collecting
from assets.components.product import Product, ProductError, find_product
from foundation.located import LocatedError, Location, location_of
from foundation.nearest import hint

SpecT = TypeVar("SpecT", bound=BaseModel)


class DeclarationError(dg.DagsterInvalidDefinitionError):
    """A declaration cannot be used; the message names the file, the line, the field, the value and the fix."""


class DependentError(DeclarationError):
    """A declaration refers to another one that cannot be used."""


@dataclass(frozen=True)
class Origin:
    """Where a declaration stands.

    Attributes:
        path: The YAML file.
        tree: Line numbers of its fields, or None when it was not read from a file.
        attributes: The attributes as they stand in the file.
    """

    path: Path
    tree: SourcePositionTree | None
    attributes: Any

    def line(self, location: Location) -> str:
        """`file:line` of a field of the attributes, or of the nearest field above it that stands in the file."""
        if self.tree is None:
            return str(self.path)
        position, _ = self.tree.lookup_closest_and_path(["attributes", *location], trace=None)
        return f"{position.filename}:{position.start.line}"


class Declared(dg.Component, Generic[SpecT]):
    """Base of the components: attributes are one frozen pydantic spec, errors carry file and line.

    A subclass sets `spec_class` and makes definitions of `self.spec` and `self.product`.
    """

    spec_class: ClassVar[type[BaseModel]]

    def __init__(self, spec: SpecT | None, product: Product | None, origin: Origin) -> None:
        self._valid_spec = spec
        self._valid_product = product
        self.origin = origin

    @property
    def spec(self) -> SpecT:
        """The declaration.

        Raises:
            DependentError: It is not valid in itself.
        """
        if self._valid_spec is None:
            raise DependentError(f"{self.origin.path}: '{self.name}' has problems of its own; mend those first.")
        return self._valid_spec

    @property
    def product(self) -> Product:
        """The product that it belongs to.

        Raises:
            DependentError: The declaration is not valid in itself.
        """
        if self._valid_product is None:
            raise DependentError(f"{self.origin.path}: '{self.name}' has problems of its own; mend those first.")
        return self._valid_product

    @property
    def name(self) -> str:
        """The declared name."""
        written = self.origin.attributes.get("name") if isinstance(self.origin.attributes, dict) else None
        return str(written or getattr(self._valid_spec, "name", self.origin.path.parent.name))

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
        raw = attributes.root if isinstance(attributes, RootModel) else {}
        origin = Origin(folder / "defs.yaml", source_tree.source_position_tree if source_tree else None, raw)
        problems, top = collecting(), product_folder(folder, context.defs_module_path)
        try:
            spec = TypeAdapter(cls.spec_class).validate_python(raw)
            product = find_product(folder, context.defs_module_path)
        except (ValidationError, ProductError) as error:
            text = (
                explain(error, cls.spec_class, origin, subject=cls.__name__)
                if isinstance(error, ValidationError)
                else str(error)
            )
            if problems is None:
                raise (error if isinstance(error, ProductError) else DeclarationError(text)) from None
            for line in text.splitlines():
                problems.add(Problem(top, line))
            return cls(None, None, origin)
        return cls(typing.cast("SpecT", spec), product, origin)

    @property
    def is_usable(self) -> bool:
        """Whether the declaration is valid in itself; one that is not takes part only as a name."""
        return self._valid_spec is not None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The definitions, provided that no other declaration has this one's name."""
        problems = collecting()
        if problems is None:
            return self._build_defs(context)
        if not self.is_usable:
            return dg.Definitions()
        try:
            return self._build_defs(context)
        except DeclarationError as error:
            top = product_folder(self.origin.path.parent, context.defs_module_path)
            message, own = str(error), str(self.origin.path) in str(error)
            if not own:
                message = f"{self.origin.path}: '{self.name}' reads from a declaration with problems; mend those first."
            problems.add(Problem(top, message, follows=not own or isinstance(error, DependentError)))
            return dg.Definitions()

    def _build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        if "__" in self.name:
            raise self.fail("two underscores in a row are kept for the tables that Sluice makes itself.", ["name"])
        by_name(context.component_tree.get_all_components(of_type=Declared))  # type: ignore[type-abstract]
        return self.definitions(context)

    @abstractmethod
    def definitions(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Assets, checks, jobs and schedules."""

    def fail(self, error: str | Exception, location: Sequence[str | int] = ()) -> DeclarationError:
        """An error about this declaration, with its place in the file.

        Args:
            error: What is wrong, and what to do about it; a `LocatedError` says itself where below `location`.
            location: The field.
        """
        message = str(error)
        subject = "" if f"'{self.name}'" in message else f"{type(self).__name__} '{self.name}': "
        below = error.location if isinstance(error, LocatedError) else ()
        where = self.origin.line((*location, *below))
        kind = DependentError if isinstance(error, DependentError) else DeclarationError
        return kind(f"{where}: {subject}{message}")


def product_folder(folder: Path, defs_root: Path) -> str:
    """The name of the folder right below the root of all declarations that a folder stands in."""
    relative = folder.resolve().relative_to(defs_root.resolve())
    return relative.parts[0] if relative.parts else defs_root.name


def explain(error: ValidationError, spec_class: type[BaseModel], origin: Origin, *, subject: str) -> str:
    """Turn pydantic's complaints into lines that name the place, the field, the value and the fix."""
    lines = []
    for problem in error.errors():
        sentence = _sentence(problem, spec_class)
        named = sentence.startswith(f"{subject} '")
        lead = "" if named else f"{subject}: {_field(problem['loc'])}"
        where = origin.line(location_of(problem))
        lines.append(f"{where}: {lead}{sentence}")
    return "\n".join(dict.fromkeys(lines))


def _field(location: Sequence[str | int]) -> str:
    """`steps, item 2: ` for people, who count from one."""
    shown = "".join(f", item {part + 1}" if isinstance(part, int) else f".{part}" for part in location)
    return f"{shown.lstrip('.')}: " if shown else ""


def _sentence(problem: ErrorDetails, spec_class: type[BaseModel]) -> str:
    value, context = problem.get("input"), problem.get("ctx", {})
    match problem["type"]:
        case "extra_forbidden":
            key = str(problem["loc"][-1])
            known = sorted(_known_keys(spec_class, problem["loc"][:-1]))
            return f"unknown key '{key}'; {hint(key, known)}"
        case "missing":
            return "this key is required; add it."
        case "union_tag_invalid":
            tag, expected = str(context["tag"]), re.findall(r"'([^']+)'", context["expected_tags"])
            kind = str(context["discriminator"]).replace("'", "")
            return f"{kind} '{tag}' is unknown; {hint(tag, expected)}"
        case "literal_error":
            expected = re.findall(r"'([^']+)'", context["expected"])
            return f"'{value}' is unknown; {hint(value, expected)}"
        case "string_pattern_mismatch" if context["pattern"].startswith("^[a-z]"):
            proposal = re.sub(r"[^a-z0-9]+", "_", str(value).lower()).strip("_0123456789")
            instead = f"; write '{proposal}'" if proposal else ""
            return (
                f"'{value}' is no name: lower-case letters, digits and underscores, beginning with a letter{instead}."
            )
        case _:
            message = problem["msg"].removeprefix("Value error, ")
            # A whole mapping beside a message that names the culprit would only hide it.
            return message if isinstance(value, dict | list) else f"{message} (got {_shortened(repr(value))})"


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:120]}…"


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
            raise component.fail(
                f"the name is taken by the {type(other).__name__} in {other.origin.line(('name',))}; "
                "names are unique, for tables are called by them. Rename one.",
                ["name"],
            )
    return index
