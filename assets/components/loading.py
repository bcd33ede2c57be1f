"""Loading all declarations: every problem is found in one go, and the products without problems load all the same.

A product with a problem is left out as a whole, and stands in the graph as one asset that says what is wrong, with a
schedule that fails every night until it is mended. Where definitions are checked (`dg check defs`) nothing is left
out: all problems are one error.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._utils.warnings import disable_dagster_warnings
from dagster.components.core.component_tree import ComponentTree, ComponentTreeException
from dagster.components.core.context import ComponentDeclLoadContext
from dagster.components.core.decl import ComponentDecl, DefsFolderDecl, build_filesystem_component_decl_from_context
from dagster.components.core.defs_module import EXPLICITLY_IGNORED_GLOB_PATTERNS, ComponentPath

from assets.components.declaration import DeclarationError, Declared
from assets.components.problems import Problem, Problems, collect
from assets.components.unloadable import unloadable

_LOG = logging.getLogger("sluice")
CHECKING = "DAGSTER_IS_DEFS_VALIDATION_CLI"
"""Set by Dagster where definitions are loaded to be checked and not to be used."""


def load(tree: ComponentTree, *, strict: bool | None = None) -> dg.Definitions:
    """The definitions of all declarations below a root.

    Args:
        tree: Dagster's tree of the root, nothing of which has been loaded.
        strict: Whether a problem is an error; by default, where definitions are checked.

    Raises:
        DeclarationError: There are problems, and it is strict; the message lists them all.
    """
    with disable_dagster_warnings():
        return _load(tree, strict=os.environ.get(CHECKING, "") == "1" if strict is None else strict)


def _load(tree: ComponentTree, *, strict: bool) -> dg.Definitions:
    if not _is_plain(tree.defs_module_path):
        return tree.build_defs()
    problems: list[Problem] = []
    absent: dict[str, str] = {}
    while True:
        left_out = {problem.product for problem in problems}
        found, names = _attempt(tree, left_out, absent)
        new = [problem for problem in found.found if problem not in problems]
        if not new:
            break
        problems += new
        left_out = {problem.product for problem in problems}
        absent |= {name: product for name, product in names.items() if product in left_out}
        tree = ComponentTree(
            defs_module=tree.defs_module,
            project_root=tree.project_root,
            terminate_autoloading_on_keyword_files=tree.terminate_autoloading_on_keyword_files,
            code_location_name=tree.code_location_name,
        )
    if problems and strict:
        raise DeclarationError(_listed(problems))
    if problems:
        _LOG.error(_listed(problems))
    with collect(absent):
        good = tree.build_defs()
    return dg.Definitions.merge(good, *(unloadable(product, lines) for product, lines in _by_product(problems).items()))


def _attempt(tree: ComponentTree, left_out: set[str], absent: Mapping[str, str]) -> tuple[Problems, dict[str, str]]:
    """Load and build every product but those left out, and return what went wrong, and who declares what."""
    with collect(absent) as problems:
        children: dict[Path, ComponentDecl[Any]] = {}
        root = ComponentPath.from_path(tree.defs_module_path)
        context = tree.decl_load_context.for_component_loc(root)
        for folder in _children(tree.defs_module_path):
            if folder.name not in left_out and (decl := _decl(context, folder, folder.name, problems)) is not None:
                children[folder] = decl
        # What has been found so far stands in for what Dagster would look for itself, and would end at the first error.
        tree.state_tracker.set_cache_data(
            root,
            component_decl=DefsFolderDecl(
                context=context, loc=root, children=children, source_tree=None, component_file_model=None
            ),
        )
        names: dict[str, str] = {}
        for folder, decl in children.items():
            try:
                tree.build_defs_at_path(decl.loc)
            except Exception as error:  # noqa: BLE001 - likewise
                problems.add(Problem(folder.name, _explained(error, folder)))
            names |= {component.name: folder.name for component in _declared(tree, decl)}
    return problems, names


def _decl(above: ComponentDeclLoadContext, path: Path, product: str, problems: Problems) -> ComponentDecl[Any] | None:
    """What Dagster makes of a folder, but for the parts that cannot be read."""
    place = ComponentPath.from_path(path)
    context = above.for_component_loc(place)
    if path.is_dir() and _is_plain(path):
        children = {below: decl for below in _children(path) if (decl := _decl(context, below, product, problems))}
        if not children:
            return None
        return DefsFolderDecl(
            context=context, loc=place, children=children, source_tree=None, component_file_model=None
        )
    try:
        return build_filesystem_component_decl_from_context(context)
    except Exception as error:  # noqa: BLE001 - whatever a file holds is that product's problem
        problems.add(Problem(product, _explained(error, path)))
        return None


def _declared(tree: ComponentTree, decl: ComponentDecl[Any]) -> Iterator[Declared[Any]]:
    for each in decl.iterate_all_component_decls():
        cached = tree.state_tracker.get_cache_data(each.loc).component
        if isinstance(cached, Declared):
            yield cached


def _is_plain(folder: Path) -> bool:
    """Whether a folder holds declarations in folders below it and none itself."""
    return not any((folder / name).is_file() for name in ("defs.yaml", "component.yaml"))


def _children(root: Path) -> list[Path]:
    ignored = EXPLICITLY_IGNORED_GLOB_PATTERNS
    return [
        path
        for path in sorted(root.iterdir())
        if not any(path.relative_to(root).match(pattern) for pattern in ignored) and path.name != "__init__.py"
    ]


def _explained(error: BaseException, folder: Path) -> str:
    while isinstance(error, ComponentTreeException) and error.__cause__ is not None:
        error = error.__cause__
    text = str(error).strip() or type(error).__name__
    if isinstance(error, DeclarationError):
        return text
    # What nobody foresaw: the way to it is worth more than its last line.
    _LOG.debug("%s could not be loaded", folder, exc_info=error)
    return text if str(folder) in text else f"{folder}: {type(error).__name__}: {text}"


def _by_product(problems: Sequence[Problem]) -> dict[str, list[str]]:
    products: dict[str, list[str]] = {}
    for problem in problems:
        products.setdefault(problem.product, []).append(problem.message)
    return products


def _listed(problems: Sequence[Problem]) -> str:
    own = [problem for problem in problems if not problem.follows]
    count = f"{len(own)} problem{'' if len(own) == 1 else 's'}"
    products = _by_product(problems)
    named = ", ".join(f"'{product}'" for product in products)
    lines = [f"{count} in the declarations of {named}:"]
    lines += [
        f"  {line}" for problem in (*own, *(p for p in problems if p.follows)) for line in problem.message.splitlines()
    ]
    return "\n".join(lines)
