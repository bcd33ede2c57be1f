"""Who offers what: the tables of the declared components, found by name when definitions load."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import dagster as dg
import polars as pl

from assets.components.declaration import Declared, DependentError, SpecT, by_name
from assets.components.problems import collecting
from foundation.nearest import hint

ColumnLineage: TypeAlias = Mapping[str, Collection[tuple[dg.AssetKey, str]]]
"""For each column, the assets and their columns that its values come from."""


@dataclass(frozen=True)
class Dataset:
    """One table of the lake, as declared.

    Attributes:
        name: The declared name.
        table: The lake's name.
        key: The asset.
        schema: Column types, without the partition column.
        lineage: The columns that the values of each column come from, of the assets that it is made of.
        personal: The columns that may hold personal values in plain.
        hidden: The columns about persons, of which no single value is shown: what comes from a personal field, hashed
            or not, unless it is a measure such as a duration.
    """

    name: str
    table: str
    key: dg.AssetKey
    schema: Mapping[str, pl.DataType]
    lineage: ColumnLineage = field(default_factory=dict)
    personal: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()


def tells_a_person(dtype: pl.DataType) -> bool:
    """Whether values of a type can name somebody, as texts, numbers of people and what holds them can."""
    return dtype.is_integer() or dtype.is_nested() or dtype in (pl.String, pl.Binary, pl.Categorical, pl.Enum)


class DeclaredDataset(Declared[SpecT]):
    """A declaration whose table others may read."""

    _known: Dataset | None = None

    def dataset(self, context: dg.ComponentLoadContext) -> Dataset:
        """The table, as far as it is known when definitions load; worked out once, however many read from it.

        Raises:
            DeclarationError: The declaration does not fit what it reads itself.
        """
        if self._known is None:
            self._known = self._dataset(context)
        return self._known

    @abstractmethod
    def _dataset(self, context: dg.ComponentLoadContext) -> Dataset:
        """What `dataset` tells."""


FoundT = TypeVar("FoundT", bound=Declared[Any])


def find(context: dg.ComponentLoadContext, asker: Declared[Any], name: str, field: str, *kinds: type[FoundT]) -> FoundT:
    """The component that a declaration refers to.

    Raises:
        DeclarationError: There is none of that name and kind; the nearest name is proposed.
    """
    components = [c for kind in kinds for c in context.component_tree.get_all_components(of_type=kind)]
    index = by_name(components)
    if name in index:
        if not index[name].is_usable:
            raise asker.fail(DependentError(f"{field}: '{name}' has problems of its own; mend those first."), [field])
        return index[name]
    problems = collecting()
    if problems is not None and name in problems.absent:
        product = problems.absent[name]
        raise asker.fail(
            DependentError(
                f"{field}: '{name}' is left out, because product '{product}' has problems; mend those first."
            ),
            [field],
        )
    wanted = " or ".join(kind.__name__.lower() for kind in kinds)
    raise asker.fail(
        f"{field}: no {wanted} declaration is named '{name}'; {hint(name, index, what='declared are')}", [field]
    )
