"""`python -m orchestration.reference`: the pages below docs/reference, written from the models and the registries.

What they say cannot differ from what is read: keys, types, defaults and words come from the classes themselves, and
each example is loaded by a test. `--check` says which pages are stale.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

import expectations
from assets import components
from assets.components.scaffold import TEMPLATES
from foundation.durations import format_duration
from foundation.registry import Registry, registries
from orchestration.environment import VARIABLES

# What no component imports when it loads, and yet registers kinds.
for _module in ("training.compression.registry", "training.launchers", "training.runtimes", "training.strategies"):
    importlib.import_module(_module)

PAGES = Path(__file__).parents[1] / "docs" / "reference"
_ITEM = re.compile(r"^(\w+): (.*)$")
_NOTE = "<!-- Written by `python -m orchestration.reference`; change the code, not this page. -->\n"


def pages() -> dict[str, str]:
    """Every page by its file name."""
    found = {f"{_slug(name)}.md": _component(name) for name in components.__all__}
    found |= {f"{_slug(noun)}.md": _registry(registry) for noun, registry in _public_registries().items()}
    found["expectations.md"] = _expectations()
    found["environment.md"] = _environment()
    return {"README.md": _index(found), **dict(sorted(found.items()))}


def write(folder: Path = PAGES) -> None:
    """Write all pages, and remove those that there is nothing for any more."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def stale(folder: Path = PAGES) -> list[str]:
    """Names of the pages that are missing, too many, or not what would be written now."""
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main(arguments: list[str] | None = None) -> int:
    """Write the reference, or check it.

    Returns:
        0; 1 when it is stale and was to be checked.
    """
    parser = argparse.ArgumentParser(prog="python -m orchestration.reference")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail when a page is stale")
    if not parser.parse_args(arguments).check:
        write()
        return 0
    names = stale()
    if names:
        print(  # noqa: T201 - the command's answer
            f"docs/reference is stale: {', '.join(names)}. Run: make reference", file=sys.stderr
        )
    return 1 if names else 0


def _public_registries() -> dict[str, Registry[Any]]:
    """Those of Sluice itself: what a test registers for a while is no part of the reference."""
    return {noun: registry for noun, registry in registries().items() if registry.describes}


def _index(found: Mapping[str, str]) -> str:
    lines = [_NOTE, "# Reference\n", "Every key, type and word of a declaration, written from the code.\n"]
    for name, text in sorted(found.items()):
        title = next(line for line in text.splitlines() if line.startswith("# ")).removeprefix("# ")
        lines.append(f"- [{title}]({name})")
    return "\n".join(lines) + "\n"


def _component(name: str) -> str:
    kind = getattr(components, name)
    template = (TEMPLATES / f"{name.lower()}.yaml").read_text(encoding="utf-8")
    example = template.replace("{type}", f"assets.components.{name}").replace("{name}", f"my_{name.lower()}")
    return "\n".join(
        [
            _NOTE,
            f"# {name}\n",
            f"{_summary(kind)}\n",
            f"```yaml\n{example.strip()}\n```\n",
            f"`dg scaffold defs assets.components.{name} my_{name.lower()}` writes this.\n",
            "## Keys\n",
            *_model_sections(kind.spec_class, set()),
        ]
    )


def _registry(registry: Registry[Any]) -> str:
    noun = registry.noun
    parts = [_NOTE, f"# {_plural(noun).capitalize()}\n", f"{registry.describes}\n"]
    for name, entry in registry.entries().items():
        parts.append(f"## `{name}`\n")
        parts.append(f"{_summary(entry)}\n")
        example = getattr(entry, "example", None)
        if callable(example):
            example = example().options
        if example is not None:
            parts.append(f"```yaml\n{_example(noun, name, example).strip()}\n```\n")
        model = _model_of(entry)
        if model is not None and model.model_fields:
            parts += _model_sections(model, set(), level=3)
    return "\n".join(parts)


def _example(noun: str, name: str, example: object) -> str:
    if isinstance(example, str):
        return example if noun == "lake place" or "\n" in example else f"# reads: {example}"
    if noun in ("step", "feature kind"):
        return _yaml([{name: dict(example)}])  # type: ignore[call-overload]
    if noun == "labelling function":
        return _yaml([{"name": "my_function", **example}])  # type: ignore[dict-item]
    if noun == "crawl kind":
        return _yaml({"crawl": example})
    if noun == "format":
        return _yaml({"format": example})
    return _yaml(example)


def _yaml(value: object) -> str:
    return yaml.safe_dump(json.loads(json.dumps(value, default=list)), sort_keys=False, default_flow_style=None)


_GATES = """\
What a gate is made of: Great Expectations' own, evaluated by Polars. Each takes `severity` (`critical` turns a day \
away, `warning` and `info` report) as well. [expectations/README.md](../../expectations/README.md) tells of gates \
against the past and across tables.

```yaml
gate:
  - expect_column_values_to_not_be_null: {column: item_id}
```
"""


def _expectations() -> str:
    catalogue = json.loads((Path(expectations.__file__).parent / "catalogue.json").read_text(encoding="utf-8"))
    parts = [_NOTE, "# Expectations\n", _GATES]
    for name, arguments in sorted(catalogue["expectations"].items()):
        parts.append(f"## `{name}`\n")
        rows = [
            (f"`{argument}`", " or ".join(about["kinds"]) or "any", "yes" if about["required"] else "")
            for argument, about in sorted(arguments.items())
        ]
        parts += [*_table(("argument", "is", "required"), rows), ""]
    return "\n".join(parts)


def _environment() -> str:
    rows = [(f"`{one.name}`", one.meaning, one.default, f"`{one.example}`") for one in VARIABLES]
    return "\n".join(
        [
            _NOTE,
            "# Environment\n",
            "Everything that differs between machines comes from the environment; secrets come from nowhere else.\n",
            *_table(("variable", "what", "default", "for example"), rows),
            "",
        ]
    )


def _model_of(entry: object) -> type[BaseModel] | None:
    for place in (entry, getattr(entry, "options", None), getattr(entry, "settings", None)):
        if isinstance(place, type) and issubclass(place, BaseModel):
            return place
    return None


def _model_sections(model: type[BaseModel], shown: set[type[BaseModel]], *, level: int = 3) -> Iterator[str]:
    """A table of a model's keys, then the models that they are made of."""
    shown.add(model)
    schema = model.model_json_schema(mode="validation")
    described = _attributes(model)
    required = set(schema.get("required", ()))
    rows = []
    for name, field in model.model_fields.items():
        key = str(field.alias or name)
        about = schema.get("properties", {}).get(key, {})
        default = "required" if key in required else _default(about, field)
        rows.append((f"`{key}`", _type(about, schema), default, described.get(name, field.description or "")))
    yield from _table(("key", "type", "default", "meaning"), rows)
    yield ""
    for nested in _nested(model):
        if nested not in shown:
            yield f"{'#' * min(level, 6)} {nested.__name__}\n"
            yield f"{_summary(nested)}\n"
            yield from _model_sections(nested, shown, level=level)


def _nested(model: type[BaseModel]) -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = []

    def look(annotation: Any) -> None:
        if isinstance(annotation, type) and not hasattr(annotation, "__origin__"):
            # A base class stands for the kinds of a registry, which have a page of their own.
            if issubclass(annotation, BaseModel) and not inspect.isabstract(annotation) and annotation not in found:
                found.append(annotation)
            return
        for argument in getattr(annotation, "__args__", ()):
            look(argument)

    for field in model.model_fields.values():
        look(field.annotation)
    return found


def _default(about: Mapping[str, Any], field: Any) -> str:
    if isinstance(field.default, timedelta):
        return f"`{format_duration(field.default)}`"
    if "default" in about:
        value = about["default"]
        if value in (None, "", [], {}):
            return ""
        if isinstance(value, dict):
            return "see below"
        return f"`{json.dumps(value, ensure_ascii=False)}`"
    return "" if field.default_factory is not None or field.default in (None, ()) else f"`{field.default}`"


def _type(about: Mapping[str, Any], schema: Mapping[str, Any]) -> str:  # noqa: C901, PLR0911 - one line a form
    if "$ref" in about:
        name = about["$ref"].rsplit("/", 1)[-1]
        target = schema.get("$defs", {}).get(name, {})
        return f"{name}" if target.get("type") == "object" else _type(target, schema)
    if "const" in about:
        return f"`{about['const']}`"
    if "enum" in about:
        return " or ".join(f"`{value}`" for value in about["enum"])
    for union in ("anyOf", "oneOf"):
        if union in about:
            kinds = dict.fromkeys(_type(one, schema) for one in about[union] if one.get("type") != "null")
            return " or ".join(kinds)
    if "allOf" in about and len(about["allOf"]) == 1:
        return _type(about["allOf"][0], schema)
    match about.get("type"):
        case "array":
            if "prefixItems" in about:
                return "list"
            return f"list of {_type(about.get('items', {}), schema)}"
        case "object":
            values = about.get("additionalProperties")
            return f"mapping to {_type(values, schema)}" if isinstance(values, dict) and values else "mapping"
        case list() as several:
            return " or ".join(str(one) for one in several)
        case str() as one:
            return {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}[one]
    return "any"


def _summary(entry: object) -> str:
    """The docstring before its sections; of an object that has none of its own, what it says it describes."""
    described = getattr(entry, "describes", None)
    if isinstance(described, str) and described:
        return described
    place = entry if inspect.isclass(entry) or inspect.isfunction(entry) else type(entry)
    text = inspect.getdoc(place) or ""
    return re.split(r"\n\n?(?:Attributes|Args|Raises|Returns):\n", text)[0].strip()


def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """What the docstrings of a model and its bases say of each attribute."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        text = inspect.cleandoc(base.__doc__ or "") if base.__doc__ and issubclass(base, BaseModel) else ""
        _, _, section = text.partition("Attributes:\n")
        name = ""
        for line in section.splitlines():
            if line and not line.startswith(" "):
                break
            item = _ITEM.match(line[4:]) if line.startswith("    ") and not line.startswith("     ") else None
            if item:
                name = item[1]
                found[name] = item[2]
            elif name and line.strip():
                found[name] += " " + line.strip()
    return found


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"


def _plural(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


if __name__ == "__main__":
    sys.exit(main())
