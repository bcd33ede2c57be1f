"""A product: one folder of declarations with a first day, owners and a name that groups its assets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

PRODUCT_FILE = "product.yaml"


class Product(BaseModel):
    """What the declarations of one folder share.

    Attributes:
        name: The group of the assets in the UI; the folder's name unless declared.
        start: The first partition (event day, UTC). Days before it cannot be materialised.
        owners: People (`someone@company.com`) or teams (`team:data`) who answer for the assets.
        description: One sentence for the UI.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    start: date
    owners: tuple[str, ...] = ()
    description: str = ""

    @property
    def partitions(self) -> dg.DailyPartitionsDefinition:
        """The days of the product, in UTC, up to and including yesterday."""
        return dg.DailyPartitionsDefinition(start_date=self.start.isoformat(), timezone="UTC")


class ProductError(ValueError):
    """A product file is missing or wrong."""


def find_product(folder: Path, defs_root: Path) -> Product:
    """Read the product file of a declaration's folder or of the nearest folder above it.

    Args:
        folder: The folder that holds the declaration.
        defs_root: The root of all declarations; nothing above it is read.

    Raises:
        ProductError: There is no product file, or it is not valid.
    """
    for candidate in (folder, *folder.parents):
        path = candidate / PRODUCT_FILE
        if path.is_file():
            return _read(path)
        if candidate == defs_root:
            break
    raise ProductError(
        f"No {PRODUCT_FILE} stands in {folder} or above it, up to {defs_root}. Create one in the product's folder, "
        "for example:\n  start: 2026-01-01\n  owners: [team:data]"
    )


def _read(path: Path) -> Product:
    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return Product.model_validate({"name": path.parent.name, **declared})
    except (yaml.YAMLError, TypeError) as error:
        raise ProductError(f"{path} is not a YAML mapping: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ProductError(
            f"{path}: {problems}. A product file has the keys name, start, owners, description."
        ) from error
