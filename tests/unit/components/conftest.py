"""A shop's declarations, copied into a project of their own and broken there."""

import itertools
import shutil
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._utils.warnings import disable_dagster_warnings
from dagster.components.core.component_tree import ComponentTree, ComponentTreeException

from orchestration.resources import resources

SHOP = Path(__file__).parent / "shop"
DAGSTERS_OWN_WARNINGS = (
    "ignore:`parse_obj_as` is deprecated",
    "ignore:The `__fields__` attribute is deprecated",
    "ignore:Parameter `execution_type` of function `AssetsDefinition",
)
_numbers = itertools.count()


def pytest_collection_modifyitems(items):
    """Let Dagster warn of itself."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            for warning in DAGSTERS_OWN_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))


class Project:
    """A copy of the declarations beside this file."""

    def __init__(self, folder):
        self.package = f"broken_shop_{next(_numbers)}"
        self.folder = folder
        self.defs = folder / self.package / "defs"
        for path in SHOP.rglob("*.yaml"):
            target = self.defs / path.relative_to(SHOP.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        (folder / self.package / "__init__.py").write_text("")
        (folder / "pyproject.toml").write_text(
            '[tool.dg]\ndirectory_type = "project"\n\n'
            f'[tool.dg.project]\nroot_module = "{self.package}"\nregistry_modules = ["assets.components"]\n'
        )

    def path(self, name):
        return self.defs / "shop" / name

    def change(self, name, old, new):
        """Replace a piece of a declaration, and return the line that it begins at."""
        path = self.path(name)
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    def add(self, name, text):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)

    def load(self):
        """The definitions.

        Raises:
            Exception: Whatever is wrong, without Dagster's tree of what had been loaded by then.
        """
        sys.path.insert(0, str(self.folder))
        try:
            with disable_dagster_warnings():
                declared = ComponentTree.for_project(self.folder).build_defs()
                return dg.Definitions.merge(declared, dg.Definitions(resources=resources()))
        except ComponentTreeException as error:
            raise error.__cause__ from None
        finally:
            sys.path.remove(str(self.folder))


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)
