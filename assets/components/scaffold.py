"""`dg scaffold defs assets.components.<Component> <path>`: a commented start that works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import click
from dagster.components import Scaffolder, ScaffoldRequest

from assets.components.product import PRODUCT_FILE

TEMPLATES = Path(__file__).parent / "templates"

PRODUCT_TEMPLATE = """\
# A product: the folders below it share these. The folder's name is the group in the UI.
start: 2026-01-01 # the first partition
owners: []        # people (name@company.com) or teams (team:data)
description: ""
"""


class DeclarationScaffolder(Scaffolder):
    """Writes a `defs.yaml` from the component's template, and a product file when none stands above it."""

    def scaffold(self, request: ScaffoldRequest) -> None:
        """Create the folder of a declaration.

        Raises:
            click.ClickException: The folder's name cannot be the name of a declaration; `dg` shows the message alone.
        """
        folder = request.target_path
        name = folder.name
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            # `dg` has made it by now, and would say next time that it is there already.
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
            raise click.ClickException(
                f"'{name}' cannot name a declaration: names are lower case with digits and underscores, and begin "
                f"with a letter. Try '{re.sub('[^a-z0-9]+', '_', name.lower()).strip('_') or 'my_source'}'."
            )
        template = TEMPLATES / f"{request.type_name.rsplit('.', 1)[-1].lower()}.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        text = template.read_text(encoding="utf-8").replace("{type}", request.type_name).replace("{name}", name)
        (folder / "defs.yaml").write_text(text, encoding="utf-8")
        if not any((above / PRODUCT_FILE).is_file() for above in (folder, *_up_to_defs(folder))):
            (folder / PRODUCT_FILE).write_text(PRODUCT_TEMPLATE, encoding="utf-8")


def _up_to_defs(folder: Path) -> list[Path]:
    above = []
    for parent in folder.parents:
        above.append(parent)
        if parent.name == "defs":
            break
    return above
